import type { CommandDefinition } from "../command.ts";
import { idOption, nameArgument, readTarget, reasonOption } from "./target.ts";

export const resumeCommand: CommandDefinition = {
  name: "resume",
  section: "Emergencies",
  summary: "make a suspended key accepted again",
  description:
    "Also the way back after restore and after revoke --undo. Every version gets the state that it had, never past its expiry. The vault gives and reads the values before the key is accepted.",
  arguments: [nameArgument],
  options: [idOption, reasonOption],
  examples: [
    { command: "keyctl resume payments --reason 'was a test' --yes", does: "accepted as before" },
    { command: "keyctl resume payments --reason 'was a test' --dry-run", does: "what would come back" },
  ],
  danger: "moderate",
  mutation: "yes",
  run: async (context, input) => {
    const { planResumeKey, resumeKey } = await import("../../app/resume-key.ts");
    const { agreeToChange, requireReason, showChanged, showWouldChange } = await import("./changed-key.ts");
    const request = { target: readTarget(input), options: context.mutationOptions() };
    requireReason(context);
    const session = await context.session();
    const planned = await planResumeKey(session, request);
    if (context.globals.dryRun) return await showWouldChange(context, planned, "resume");
    const options = await agreeToChange(context, planned, { class: "moderate", verb: "resume" });
    const made = await resumeKey(session, { ...request, options });
    return await showChanged(context, made, `is ${made.key.state} again`);
  },
};
