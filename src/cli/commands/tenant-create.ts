import type { CommandDefinition } from "../command.ts";

export const tenantCreateCommand: CommandDefinition = {
  name: "tenant create",
  section: "Team",
  summary: "make a tenant: keys and a log that no other tenant sees",
  description:
    "You become its owner. Needs an owner of any tenant. Commands work in it with --tenant NAME, KEYCTL_TENANT or a profile.",
  arguments: [{ name: "TENANT", summary: "its name: letters, digits, . _ -", required: true }],
  options: [],
  examples: [
    { command: "keyctl tenant create acme", does: "a tenant, owned by you" },
    { command: "keyctl tenant create acme --dry-run", does: "whether it could be made" },
  ],
  danger: "mild",
  mutation: "keyless",
  run: async (context, { args: [name = ""] }) => {
    const { createTenant, planCreateTenant } = await import("../../app/create-tenant.ts");
    const { asPlan, tenantView } = await import("../render/team-view.ts");
    const { answer, globals, talk } = context;
    const request = { name, options: context.mutationOptions() };
    const session = await context.session();
    const tenant = await (globals.dryRun
      ? planCreateTenant(session, request)
      : createTenant(session, request));
    if (globals.dryRun) talk.note(`would make tenant ${tenant.name}; nothing was done`);
    else talk.note(`made tenant ${tenant.name}: --tenant ${tenant.name} works in it`);
    await answer.one(globals.dryRun ? asPlan(tenantView) : tenantView, { tenant, role: "owner" });
    return "ok";
  },
};
