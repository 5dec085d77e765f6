import type { CommandDefinition } from "../command.ts";

export const profileUseCommand: CommandDefinition = {
  name: "profile use",
  section: "Set up",
  summary: "make a profile the one that is used without --profile",
  description: "Writes its name into your config.json. --profile and KEYCTL_PROFILE still go before it.",
  arguments: [
    { name: "PROFILE", summary: "one of keyctl profile list", required: true, completes: "profile" },
  ],
  options: [],
  examples: [
    { command: "keyctl profile use lab", does: "from now on" },
    { command: "keyctl profile use default", does: "back to the embedded default" },
  ],
  danger: "mild",
  mutation: "keyless",
  run: async (context, { args }) => {
    const { globals, io, talk } = context;
    const [name = ""] = args;
    const profiles = await (await context.services()).profiles(globals);
    const changed = await profiles.use(name, { dryRun: globals.dryRun });
    const done = globals.dryRun ? "would be used" : "is used";
    await context.answer.value(
      { profile: name, changed, ...(globals.dryRun ? { dryRun: true } : {}) },
      `profile ${name} ${changed ? done : "is used already"}\n`,
    );
    const stronger = io.env["KEYCTL_PROFILE"] ?? "";
    if (stronger !== "" && stronger !== name) talk.warn("KEYCTL_PROFILE is set and goes before it");
    return "ok";
  },
};
