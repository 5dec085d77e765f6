import type { PlannedChange } from "../../app/change-key.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { idOption, nameArgument, readTarget } from "./target.ts";

export const deleteCommand: CommandDefinition = {
  name: "delete",
  section: "Keys",
  summary: "deny a key and keep it for 30 days, or purge it",
  description:
    "A deleted key is denied at once, and keyctl restore brings it back within 30 days; its name stays taken. Works while the vault is down (exit 8 until it has followed). With --purge, for an owner of the tenant, its values are erased for good here and in the vault, what only they can open is lost, and the name is free.",
  arguments: [nameArgument],
  options: [idOption, { name: "purge", summary: "for good: nothing brings it back" }],
  examples: [
    { command: "keyctl delete payments --yes", does: "denied now, restorable for 30 days" },
    { command: "keyctl delete orders-db --purge --confirm orders-db", does: "gone for good" },
  ],
  danger: "severe",
  mutation: "yes",
  run: async (context, input) => {
    const { deleteKey, planDeleteKey } = await import("../../app/delete-key.ts");
    const { showChanged, showWouldChange } = await import("./changed-key.ts");
    const purge = input.flags.on("purge");
    const request = { target: readTarget(input), purge, options: context.mutationOptions() };
    const session = await context.session();
    const planned = await planDeleteKey(session, request);
    if (context.globals.dryRun) return await showWouldChange(context, planned, purge ? "purge" : "delete");
    await agree(context, planned, purge);
    // What was agreed to is purged as it was then, or not at all; a mere deletion denies whatever there is by now.
    const ifRevision = purge && planned.changed ? planned.key.revision - 1 : request.options.ifRevision;
    const made = await deleteKey(session, { ...request, options: { ...request.options, ifRevision } });
    const did = purge
      ? "is purged: its name is free"
      : "is deleted: keyctl restore brings it back for 30 days";
    return await showChanged(context, made, did);
  },
};

async function agree(context: CommandContext, planned: PlannedChange, purge: boolean): Promise<void> {
  const { keyPath } = await import("../render/key-view.ts");
  const { key, planHash } = planned;
  if (!planned.changed) return;
  await context.confirm({
    class: purge ? "severe" : "moderate",
    question: purge ? `purge ${keyPath(key)}, for ever` : `delete ${keyPath(key)}`,
    word: key.name,
    alsoAccepted: [key.id],
    planHash,
  });
}
