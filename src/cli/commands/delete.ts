import type { CommandDefinition } from "../command.ts";
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
  asks: "Asks y/N first, scripts pass --yes; with --purge it wants the key's name typed, scripts pass --confirm.",
  mutation: "yes",
  run: async (context, input) => {
    const { deleteKey, planDeleteKey } = await import("../../app/delete-key.ts");
    const { agreeToChange, showChanged, showWouldChange } = await import("./changed-key.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const purge = input.flags.on("purge");
    const request = { target: readTarget(input), purge, options: context.mutationOptions() };
    const session = await context.session();
    const planned = await planDeleteKey(session, request);
    if (context.globals.dryRun) return await showWouldChange(context, planned, purge ? "purge" : "delete");
    const danger = purge
      ? { class: "severe" as const, verb: "purge for ever" }
      : { class: "moderate" as const, verb: "delete" };
    const options = await agreeToChange(context, planned, danger);
    const made = await deleteKey(session, { ...request, options });
    const did = purge
      ? "is purged: its name is free"
      : `is deleted: keyctl restore ${keyPath(made.key)} brings it back within 30 days`;
    return await showChanged(context, made, did);
  },
};
