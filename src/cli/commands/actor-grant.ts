import { roles } from "../../core/model.ts";
import type { CommandDefinition } from "../command.ts";
import { actorArgument, parseRole, runRoleChange } from "./team.ts";

export const actorGrantCommand: CommandDefinition = {
  name: "actor grant",
  section: "Team",
  summary: "give an actor a role in the tenant, in place of the one it has",
  description:
    "owner: everything. operator: all keys and the log. user: its own keys, those of owner user:LOGIN. auditor: the log and nothing else. An owner does it; the last owner cannot be made anything else. Ask with --dry-run what it would change.",
  arguments: [actorArgument, { name: "ROLE", summary: "what it may do", required: true, choices: roles }],
  options: [],
  examples: [
    { command: "keyctl actor grant mia operator --yes", does: "let mia work with all keys" },
    { command: "keyctl actor grant mia auditor --dry-run", does: "what would change" },
  ],
  danger: "moderate",
  mutation: "keyless",
  run: async (context, { args: [actor = "", role = ""] }) =>
    await runRoleChange(context, { actor, role: parseRole(role) }),
};
