import type { CommandDefinition } from "../command.ts";
import { deletedNameArgument, idOption, readTarget } from "./target.ts";

export const restoreCommand: CommandDefinition = {
  name: "restore",
  section: "Keys",
  summary: "bring a deleted key back, within 30 days",
  description: "What was accepted before is suspended then: keyctl resume makes it accepted again.",
  arguments: [deletedNameArgument],
  options: [idOption],
  examples: [
    { command: "keyctl restore payments --yes", does: "it is there again, still denied" },
    { command: "keyctl restore payments --dry-run -o json", does: "what it would be" },
  ],
  danger: "moderate",
  mutation: "yes",
  run: async (context, input) => {
    const { planRestoreKey, restoreKey } = await import("../../app/restore-key.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const { agreeToChange, showChanged, showWouldChange } = await import("./changed-key.ts");
    const request = { target: readTarget(input), options: context.mutationOptions() };
    const session = await context.session();
    const planned = await planRestoreKey(session, request);
    if (context.globals.dryRun) return await showWouldChange(context, planned, "restore");
    const options = await agreeToChange(context, planned, { class: "moderate", verb: "restore" });
    const made = await restoreKey(session, { ...request, options });
    return await showChanged(
      context,
      made,
      made.key.state === "inactive"
        ? `is back, suspended: keyctl resume ${keyPath(made.key)} --reason TEXT makes it accepted again`
        : `is back, ${made.key.state}`,
    );
  },
};
