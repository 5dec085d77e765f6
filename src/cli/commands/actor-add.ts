import { roles } from "../../core/model.ts";
import type { CommandDefinition } from "../command.ts";

export const actorAddCommand: CommandDefinition = {
  name: "actor add",
  section: "Team",
  summary: "make a person or a service known, with a role in the tenant",
  description:
    "The login is what the system calls them; without --login it is the name. On SQLite keyctl believes the operating system and nobody else: roles keep apart mistakes there, not attackers.",
  arguments: [{ name: "ACTOR", summary: "what people call it", required: true }],
  options: [
    { name: "login", value: "LOGIN", summary: "the operating system's user", defaultText: "the name" },
    { name: "role", value: "ROLE", choices: roles, summary: "its role in the tenant", defaultText: "user" },
  ],
  examples: [
    { command: "keyctl actor add 'Kim Berg' --login kim --role operator", does: "a colleague" },
    { command: "keyctl actor add billing", does: "a service that has keys of its own" },
  ],
  danger: "mild",
  mutation: "keyless",
  run: async (context, { args: [name = ""], flags }) => {
    const { addActor, planAddActor } = await import("../../app/add-actor.ts");
    const { actorView, asPlan } = await import("../render/team-view.ts");
    const { answer, globals, talk } = context;
    const role = flags.choice("role", roles) ?? "user";
    const request = { name, login: flags.text("login"), role, options: context.mutationOptions() };
    const session = await context.session();
    const tenant = session.caller.tenant.name;
    const actor = await (globals.dryRun ? planAddActor(session, request) : addActor(session, request));
    const row = { actor, roles: [{ tenant, role }] };
    const said = `${actor.login} as ${role} of tenant ${tenant}`;
    talk.note(globals.dryRun ? `would add ${said}; nothing was done` : `added ${said}`);
    await answer.one(globals.dryRun ? asPlan(actorView) : actorView, row);
    return "ok";
  },
};
