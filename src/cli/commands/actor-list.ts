import type { CommandDefinition } from "../command.ts";

export const actorListCommand: CommandDefinition = {
  name: "actor list",
  section: "Team",
  summary: "list who has a role in the tenant",
  description:
    "Shows their roles in this tenant and in every other whose log you may read. Owners, operators and auditors may ask.",
  arguments: [],
  options: [],
  examples: [
    { command: "keyctl actor list", does: "who is there, as what" },
    { command: "keyctl actor list -o json", does: "with ids, for a script" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context) => {
    const { listActors } = await import("../../app/list-actors.ts");
    const { actorView } = await import("../render/team-view.ts");
    const actors = await listActors(await context.session());
    await context.answer.list(actorView, actors, { empty: "no actors" });
    return "ok";
  },
};
