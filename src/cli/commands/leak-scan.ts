import type { ScanDeps, ScanItem } from "../../app/scan-for-leaks.ts";
import { KeyctlError, isKeyctlError } from "../../core/errors.ts";
import type { ScanReport } from "../../leak/finding.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { printableJson } from "../foreign-text.ts";
import { isCi } from "../io.ts";

const formats = ["text", "json", "jsonl"] as const;
const failOn = ["any", "managed", "none"] as const;

export const leakScanCommand: CommandDefinition = {
  name: "leak-scan",
  section: "Leaks",
  summary: "find keys in logs, files and folders; never prints them",
  description:
    "Knows the formats of common providers and, with a store, your own issued keys: which one leaked, whose it is, and the command that stops it. Exit 20 when secrets were found, 21 when one of ours that is not revoked is among them, 22 when something could not be read and nothing was found in the rest.",
  arguments: [
    {
      name: "PATH",
      summary: "files and folders (.gitignore holds), or - for stdin",
      completes: "file",
      required: false,
      variadic: true,
    },
  ],
  options: [
    {
      name: "format",
      value: "FORMAT",
      choices: formats,
      summary: "the form of the report",
      defaultText: "text; -o json and -o jsonl too",
    },
    {
      name: "fail-on",
      value: "WHAT",
      choices: failOn,
      summary: "which findings make the exit status",
      defaultText: "any",
    },
    { name: "require-managed", summary: "exit 22 when our own keys could not be looked up" },
  ],
  examples: [
    { command: "keyctl leak-scan job.log", does: "a CI log" },
    { command: "kubectl logs deploy/api | keyctl leak-scan - --format json", does: "a stream" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { args, flags }) => {
    const { scanForLeaks, scanOutcome } = await import("../../app/scan-for-leaks.ts");
    const { talk, io } = context;
    const sources = await sourcesOf(context, args);
    const known = await knownKeys(context);
    const report = await scanForLeaks({
      clock: io,
      sources,
      ...known,
      warn: (message) => talk.warn(message),
    });
    await show(context, report, flags.choice("format", formats));
    const policy = {
      failOn: flags.choice("fail-on", failOn) ?? "any",
      requireManaged: flags.on("require-managed"),
    };
    return scanOutcome(report, policy);
  },
};

/** Paths as given, else what the project's file names, else stdin when something is piped into it. */
async function sourcesOf(context: CommandContext, args: readonly string[]): Promise<Iterable<ScanItem>> {
  const { io } = context;
  const services = await context.services();
  const paths = args.length > 0 ? args : (await context.place()).settings.leakScanPaths;
  if (paths.length === 0 && io.stdin.isTTY) {
    throw new KeyctlError("usage", "what to scan: PATH is missing, and stdin is the terminal", {
      hint: "keyctl leak-scan . or keyctl leak-scan - < job.log",
    });
  }
  const stdin: ScanItem = { kind: "file", path: "-", chunks: () => io.stdin.chunks() };
  if (paths.length === 0) return [stdin];
  return scanItems(paths, { stdin, walk: (more) => services.walk(more) });
}

function* scanItems(
  paths: readonly string[],
  from: { stdin: ScanItem; walk: (paths: readonly string[]) => Iterable<ScanItem> },
): Generator<ScanItem> {
  for (const path of paths) {
    if (path === "-") yield from.stdin;
    else yield* from.walk([path]);
  }
}

/** Our own keys from the store, where there is one; a scan without a store is a scan all the same. */
async function knownKeys(context: CommandContext): Promise<Pick<ScanDeps, "managed" | "fingerprint">> {
  const { managedLookup } = await import("../../app/managed-lookup.ts");
  try {
    return await managedLookup(await context.session());
  } catch (error) {
    if (!isKeyctlError(error) || error.code !== "unavailable") throw error;
    context.talk.note(`keys of ours are not recognised: ${error.message}`);
    return { managed: null, fingerprint: () => null };
  }
}

async function show(
  context: CommandContext,
  report: ScanReport,
  wanted: (typeof formats)[number] | null,
): Promise<void> {
  const { formatText, toJsonLines } = await import("../../leak/report.ts");
  const { answer, talk, io } = context;
  const asked = answer.format === "json" || answer.format === "jsonl" ? answer.format : "text";
  const format = wanted ?? asked;
  const ci = isCi(io.env);
  if (format === "json") await talk.answer(`${printableJson(JSON.stringify(report, null, 2), ci)}\n`);
  else if (format === "jsonl")
    for (const line of toJsonLines(report)) await talk.answer(`${printableJson(JSON.stringify(line), ci)}\n`);
  else
    await talk.answer(
      formatText(report, { ci })
        .map((line) => `${line}\n`)
        .join(""),
    );
}
