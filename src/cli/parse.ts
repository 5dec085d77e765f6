import { Command, CommanderError, Option } from "commander";
import { KeyctlError } from "../core/errors.ts";
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from "./command.ts";
import { findCommand, groupOf, secondWords } from "./find-command.ts";
import { assertValue, Flags } from "./flags.ts";
import { allOptions, globalOptions } from "./global-flags.ts";
import { excessArguments, knownVerbs, missingSecondWord, unknownFlag, unknownVerb } from "./near-misses.ts";

/** What a command line asks for. */
export type Parsed =
  | { kind: "help"; topic: string | null; man: boolean }
  | { kind: "version" }
  | { kind: "run"; command: CommandDefinition; args: string[]; flags: Flags };

type Values = ReadonlyMap<string, string | true | readonly string[]>;

/**
 * Understands a command line; `usage` with a hint where it cannot. Global flags may stand before the verb, after it, and
 * between its two words. What stands behind `--` is no flag.
 */
export function parseCommandLine(argv: readonly string[], commands: readonly CommandDefinition[]): Parsed {
  const { words, behind } = splitAtDashes(argv);
  const rootOptions = [...globalOptions, versionOption];
  const before = read(parserOf("keyctl", rootOptions).passThroughOptions(), words, rootOptions);
  const [verb] = before.args;
  if (verb === "version" || (verb === undefined && before.values.has("version"))) return { kind: "version" };
  if (verb === undefined && behind.length > 0)
    throw new KeyctlError("usage", "there is no command before --", { hint: "keyctl help" });
  if (verb === undefined || verb === "help") return readHelp(before.args.slice(1), commands);
  const found = readVerb(before, commands);
  if ("topic" in found) return { kind: "help", topic: found.topic, man: false };

  const { command } = found;
  const options = allOptions(command);
  const after = read(parserOf(command.name, options), found.rest, options);
  if (after.values.has("help") || found.values.has("help"))
    return { kind: "help", topic: command.name, man: false };
  return {
    kind: "run",
    command,
    args: argumentsOf(command, after.args, behind),
    flags: new Flags(options, new Map([...found.values, ...after.values])),
  };
}

function splitAtDashes(argv: readonly string[]): { words: readonly string[]; behind: readonly string[] } {
  const at = argv.indexOf("--");
  return at === -1 ? { words: argv, behind: [] } : { words: argv.slice(0, at), behind: argv.slice(at + 1) };
}

interface Read {
  args: string[];
  values: Values;
}

/** The command that the first word, or the first two, name; or the help page of a group. */
function readVerb(
  before: Read,
  commands: readonly CommandDefinition[],
): { command: CommandDefinition; rest: string[]; values: Values } | { topic: string } {
  const [first = "", ...rest] = before.args;
  const single = findCommand(first, commands);
  if (single !== null) return { command: single, rest, values: before.values };
  if (groupOf(first, commands).length === 0)
    throw unknownVerb({ typed: first, next: rest[0] ?? null, known: knownVerbs(commands) });

  const between = read(parserOf(first, globalOptions).passThroughOptions(), rest, globalOptions);
  const [second, ...others] = between.args;
  const values = new Map([...before.values, ...between.values]);
  if (second === "help" || (second === undefined && values.has("help"))) return { topic: first };
  if (second === undefined) throw missingSecondWord(first, secondWords(first, commands));
  const command = findCommand(`${first} ${second}`, commands);
  if (command !== null) return { command, rest: others, values };
  throw unknownVerb({ group: first, typed: second, next: null, known: secondWords(first, commands) });
}

/** What `keyctl help …` is asked about: a verb of one word or two, a group, a topic. */
function readHelp(words: readonly string[], commands: readonly CommandDefinition[]): Parsed {
  const options = [...globalOptions, manOption];
  const { args, values } = read(parserOf("help", options), words, options);
  const [first, second] = args;
  const isGroup = first !== undefined && groupOf(first, commands).length > 0;
  const topic = isGroup && second !== undefined ? `${first} ${second}` : (first ?? null);
  return { kind: "help", topic, man: values.has("man") };
}

function parserOf(name: string, options: readonly OptionDefinition[]): Command {
  const parser = new Command(name).exitOverride().helpOption(false).helpCommand(false);
  parser.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  const all = [...options, helpOption];
  const flags = new Set(all.map((option) => `--${option.name}`));
  for (const option of all) parser.addOption(optionOf(option, flags));
  return parser;
}

const helpOption: OptionDefinition = { name: "help", short: "h", summary: "show this help" };
const manOption: OptionDefinition = { name: "man", summary: "as a manual page, for man -l" };
const versionOption: OptionDefinition = { name: "version", short: "V", summary: "show the version" };

function optionOf(option: OptionDefinition, flags: ReadonlySet<string>): Option {
  const names = `${option.short === undefined ? "" : `-${option.short}, `}--${option.name}`;
  if (option.value === undefined) return new Option(names);
  return new Option(`${names} <${option.value}>`).argParser((value: string, former: unknown) => {
    // commander would take the next flag for the value: `--reason --yes`.
    if (flags.has(value)) throw new KeyctlError("usage", `--${option.name} needs a value`);
    // Here and not only when it is read: not every verb reads every flag.
    assertValue(option.name, value);
    return option.repeatable === true ? [...(Array.isArray(former) ? former : []), value] : value;
  });
}

/** Reads flags by commander's own rules; words that are no flags stay in order. */
function read(parser: Command, words: readonly string[], options: readonly OptionDefinition[]): Read {
  const { operands, unknown } = optionsOf(parser, words, options);
  const [stranger] = unknown;
  if (stranger !== undefined)
    throw unknownFlag(
      stranger,
      parser.name(),
      options.filter(isShown).map((option) => `--${option.name}`),
    );
  const found: Record<string, unknown> = parser.opts();
  const values = new Map<string, string | true | readonly string[]>();
  for (const option of [...options, helpOption]) {
    const value = valueOf(option, found);
    if (typeof value === "string" || value === true) values.set(option.name, value);
    else if (Array.isArray(value)) values.set(option.name, value.map(String));
  }
  return { args: operands, values };
}

function optionsOf(
  parser: Command,
  words: readonly string[],
  options: readonly OptionDefinition[],
): ReturnType<Command["parseOptions"]> {
  try {
    return parser.parseOptions([...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const last = /^-([A-Za-z])$/.exec(words.at(-1) ?? "")?.[1];
    const flag =
      options.find((option) => option.short === last && last !== undefined)?.name ??
      words.at(-1)?.slice(2) ??
      "";
    const shown = options.some((option) => option.name === flag) ? `--${flag}` : "a flag";
    throw new KeyctlError("usage", `${shown} needs a value`);
  }
}

/** The arguments, as many as the command takes and none of them empty; those of another program as they were typed. */
function argumentsOf(
  command: CommandDefinition,
  words: readonly string[],
  behind: readonly string[],
): string[] {
  const verbatim = command.arguments.at(-1)?.verbatim === true;
  const own = verbatim ? command.arguments.slice(0, -1) : command.arguments;
  const given = verbatim ? words : [...words, ...behind];
  const needed = [
    ...own.slice(given.length),
    ...(verbatim && behind.length === 0 ? command.arguments.slice(-1) : []),
  ].find((argument) => argument.required);
  const variadic = own.at(-1)?.variadic === true;
  const excess = !variadic && given.length > own.length;
  if (needed !== undefined || (excess && verbatim)) throw missingArgument(command, needed);
  if (excess) {
    throw excessArguments(
      command.name,
      own.length,
      command.options.some((option) => option.name === "from-file"),
    );
  }
  if (given.some((word) => word.trim() === "")) {
    throw new KeyctlError("usage", "an argument is empty", { hint: "is a variable of the script unset?" });
  }
  return [...words, ...behind];
}

function missingArgument(command: CommandDefinition, missing: ArgumentDefinition | undefined): KeyctlError {
  const name = missing?.name ?? command.arguments.at(-1)?.name ?? "";
  const where = missing === undefined || missing.verbatim === true ? " behind --" : "";
  return new KeyctlError("usage", `${command.name} needs ${name}${where}`, {
    hint: command.examples[0]?.command ?? `keyctl ${command.name} --help`,
  });
}

function isShown(option: OptionDefinition): boolean {
  return option.hidden !== true;
}

/** commander takes `--no-x` for the opposite of `x`. */
function valueOf({ name }: OptionDefinition, found: Readonly<Record<string, unknown>>): unknown {
  return name.startsWith("no-") ? found[camelCase(name.slice(3))] === false : found[camelCase(name)];
}

/** As commander names an option's value: `dry-run` is `dryRun`. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
