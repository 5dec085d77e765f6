import type { CommandDefinition } from "../command.ts";
import { actorArgument, runRoleChange } from "./team.ts";

export const actorRevokeCommand: CommandDefinition = {
  name: "actor revoke",
  section: "Team",
  summary: "take an actor's role in the tenant away",
  description:
    "From then on the tenant is not there for them. The actor stays known, because the log speaks of it; its keys stay as they are. The last owner keeps the role.",
  arguments: [actorArgument],
  options: [],
  examples: [
    { command: "keyctl actor revoke mia --yes --ticket HR-12", does: "mia has left" },
    { command: "keyctl actor revoke mia --dry-run", does: "what would change" },
  ],
  danger: "moderate",
  mutation: "keyless",
  run: async (context, { args: [actor = ""] }) => await runRoleChange(context, { actor, role: null }),
};
