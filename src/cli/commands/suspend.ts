import type { CommandDefinition } from "../command.ts";
import { idOption, nameArgument, readTarget, reasonOption } from "./target.ts";

export const suspendCommand: CommandDefinition = {
  name: "suspend",
  section: "Emergencies",
  summary: "deny a key until it is resumed",
  description:
    "Denies every active and rotated version at once, works while the vault is down (exit 8 until it has followed), and stops a rotation that is under way. What the vault only unwraps with goes on there.",
  arguments: [nameArgument],
  options: [idOption, reasonOption],
  examples: [
    { command: "keyctl suspend payments --reason 'odd traffic'", does: "deny it, and look" },
    { command: "keyctl suspend orders-db --reason maintenance --dry-run", does: "what it would look like" },
  ],
  danger: "mild",
  mutation: "yes",
  run: async (context, input) => {
    const { planSuspendKey, suspendKey } = await import("../../app/suspend-key.ts");
    const { agreeToChange, requireReason, showChanged, showWouldChange } = await import("./changed-key.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const request = { target: readTarget(input), options: context.mutationOptions() };
    requireReason(context);
    const session = await context.session();
    const planned = await planSuspendKey(session, request);
    if (context.globals.dryRun) return await showWouldChange(context, planned, "suspend");
    const options = await agreeToChange(context, planned, { class: "mild", verb: "suspend" });
    const made = await suspendKey(session, { ...request, options });
    return await showChanged(
      context,
      made,
      `is suspended: keyctl resume ${keyPath(made.key)} --reason TEXT makes it accepted again`,
    );
  },
};
