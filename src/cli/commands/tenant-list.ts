import type { CommandDefinition } from "../command.ts";

export const tenantListCommand: CommandDefinition = {
  name: "tenant list",
  section: "Team",
  summary: "list the tenants in which you have a role",
  arguments: [],
  options: [],
  examples: [
    { command: "keyctl tenant list", does: "where you may work" },
    { command: "keyctl tenant list -o name", does: "their names, for a loop" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context) => {
    const { listTenants } = await import("../../app/list-tenants.ts");
    const { tenantView } = await import("../render/team-view.ts");
    const tenants = await listTenants(await context.session());
    await context.answer.list(tenantView, tenants, { empty: "no tenants" });
    return "ok";
  },
};
