import type { MutationOptions } from "../app/deps.ts";
import { KeyctlError } from "../core/errors.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import type { Globals } from "./context.ts";
import type { Flags } from "./flags.ts";
import { outputFormats } from "./render/view.ts";

/** On every verb, before or after its name. */
export const globalOptions: readonly OptionDefinition[] = [
  { name: "profile", value: "NAME", completes: "profile", summary: "a profile of the user's configuration" },
  { name: "store", value: "URL", summary: "the database: sqlite:PATH" },
  { name: "vault", value: "URL", summary: "the vault: embedded:PATH" },
  { name: "auth", value: "HOW", summary: "how to log in to the vault, where it needs it" },
  { name: "tenant", value: "NAME", completes: "tenant", summary: "whose keys", defaultText: "default" },
  { name: "env", value: "NAME", completes: "env", summary: "in which environment", defaultText: "prod" },
  { name: "yes", short: "y", summary: "answer yes where y/N would be asked" },
  {
    name: "confirm",
    value: "WORD",
    summary: "answer what would have to be typed: a name, an id, a count or a plan hash",
  },
  { name: "dry-run", summary: "show what would be done, and do nothing" },
  {
    name: "output",
    short: "o",
    value: "FORMAT",
    summary: "how the answer is shown",
    choices: outputFormats,
    defaultText: "table",
  },
  { name: "format", value: "FORMAT", summary: "the same as --output", choices: outputFormats, hidden: true },
  {
    name: "out-file",
    value: "PATH",
    completes: "file",
    summary: "write the answer to a file (0600) instead of stdout",
  },
  { name: "out", value: "PATH", completes: "file", summary: "the same as --out-file", hidden: true },
];

const mutationOptions: readonly OptionDefinition[] = [
  { name: "reason", value: "TEXT", summary: "why, for the audit log" },
  { name: "ticket", value: "ID", summary: "the ticket or incident, for the audit log" },
];

const revisionOption: OptionDefinition = {
  name: "if-revision",
  value: "N",
  summary: "only when the key is still at this revision",
};

const idempotencyOption: OptionDefinition = {
  name: "idempotency-key",
  value: "TEXT",
  summary: "the same request with the same key within 7 days is done once",
};

/** The command's own options and those of its nature; its own ones win. */
export function ownOptions(command: CommandDefinition): OptionDefinition[] {
  const common = command.mutation === "no" ? [] : [...mutationOptions];
  if (command.mutation === "yes" || command.mutation === "idempotent") common.push(revisionOption);
  if (command.mutation === "idempotent") common.push(idempotencyOption);
  const own = new Set(command.options.map((option) => option.name));
  return [...command.options, ...common.filter((option) => !own.has(option.name))];
}

/** Every option that the command takes. */
export function allOptions(command: CommandDefinition): OptionDefinition[] {
  const own = ownOptions(command);
  const names = new Set(own.map((option) => option.name));
  return [...own, ...globalOptions.filter((option) => !names.has(option.name))];
}

/** Reads the global flags; a flag that the command declares itself (`--format`, `--out`) is not the global one. */
export function readGlobals(command: CommandDefinition, flags: Flags): Globals {
  const own = new Set(command.options.map((option) => option.name));
  const format = own.has("format") ? null : flags.choice("format", outputFormats);
  const out = own.has("out") ? null : flags.text("out");
  return {
    profile: flags.text("profile"),
    store: flags.text("store"),
    vault: flags.text("vault"),
    auth: flags.text("auth"),
    tenant: flags.text("tenant"),
    env: flags.text("env"),
    yes: flags.on("yes"),
    confirm: flags.text("confirm"),
    dryRun: flags.on("dry-run"),
    output: oneOfTwo(flags.choice("output", outputFormats), format, "--output and --format"),
    outFile: oneOfTwo(flags.text("out-file"), out, "--out-file and --out"),
  };
}

/** What a mutation says of itself; a flag that the command does not take is null. */
export function readMutationOptions(command: CommandDefinition, flags: Flags): MutationOptions {
  const known = new Set(ownOptions(command).map((option) => option.name));
  const text = (name: string): string | null => (known.has(name) ? flags.text(name) : null);
  return {
    reason: text("reason"),
    ticket: text("ticket"),
    ifRevision: known.has("if-revision") ? flags.integer("if-revision") : null,
    idempotencyKey: text("idempotency-key"),
  };
}

/** Whether errors must be JSON, told before the command line is understood. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  return words.some((word, i) => {
    if (/^(?:-o|--output=|--format=|-o=)jsonl?$/.test(word)) return true;
    return ["-o", "--output", "--format"].includes(word) && /^jsonl?$/.test(words[i + 1] ?? "");
  });
}

function oneOfTwo<T>(first: T | null, second: T | null, names: string): T | null {
  if (first !== null && second !== null && first !== second) {
    throw new KeyctlError("usage", `${names} mean the same and say different things`);
  }
  return first ?? second;
}
