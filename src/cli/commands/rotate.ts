import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import { fromFileOption, readSecret } from "../secret-input.ts";
import { readGenerate } from "./create.ts";
import { idOption, nameArgument, readTarget } from "./target.ts";

export const rotateCommand: CommandDefinition = {
  name: "rotate",
  section: "Keys",
  summary: "make the next version of a key; the former one stays accepted while its grace runs",
  arguments: [nameArgument],
  options: [
    idOption,
    {
      name: "grace",
      value: "FOR",
      summary: "how long the former version stays accepted, this once",
      defaultText: "24h; provider 0",
    },
    fromFileOption,
    { name: "generate", summary: "secret: draw a value instead of reading one" },
    { name: "length", value: "N", summary: "characters of a generated value", defaultText: "32" },
    { name: "replace", summary: "also when no version is accepted any more" },
  ],
  examples: [
    {
      command: "keyctl rotate payments --grace 48h --yes",
      does: "a new issued key; the old one for two more days",
    },
    { command: "keyctl rotate orders-db --generate --yes", does: "a new password, drawn" },
  ],
  danger: "moderate",
  mutation: "idempotent",
  outFile: "own",
  run: async (context, input) => {
    const { findToRotate, planRotate, rotateKey } = await import("../../app/rotate-key.ts");
    const { showMade, showPlanned } = await import("./made-version.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const { flags } = input;
    const target = readTarget(input);
    const session = await context.session();
    const key = await findToRotate(session, target);
    if (key.kind === "issued") (await import("../secret-output.ts")).assertFormatShowsSecret(context);
    else if (context.globals.outFile !== null) {
      throw new KeyctlError(
        "usage",
        `--out-file takes an issued key: a key of kind ${key.kind} is never printed`,
      );
    }
    const generateLength = readGenerate(input);
    const takesValue = (key.kind === "provider" || key.kind === "secret") && generateLength === null;
    const request = {
      target,
      graceMs: flags.duration("grace"),
      secret:
        takesValue || flags.has("from-file")
          ? await readSecret({ ...context, flags }, `New value of ${keyPath(key)}`)
          : null,
      generateLength,
      replace: flags.on("replace"),
      outFile: context.globals.outFile,
      options: context.mutationOptions(),
    };
    const plan = await planRotate(session, request);
    if (context.globals.dryRun) {
      await showPlanned(context, plan.key, {
        would: "rotate",
        version: plan.nextVersion,
        planHash: plan.planHash,
      });
      return "ok";
    }
    await context.confirm({
      class: "moderate",
      question: `rotate ${keyPath(key)}`,
      word: key.name,
      alsoAccepted: [key.id],
      planHash: plan.planHash,
    });
    await showMade(context, await rotateKey(session, request), "rotated");
    return "ok";
  },
};
