import { Command, CommanderError, Option } from "commander";
import { KeyctlError } from "../core/errors.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import { assertValue, Flags } from "./flags.ts";
import { allOptions, globalOptions } from "./global-flags.ts";
import { excessArguments, unknownFlag, unknownVerb } from "./near-misses.ts";

/** What a command line asks for. */
export type Parsed =
  | { kind: "help"; topic: string | null }
  | { kind: "version" }
  | { kind: "run"; command: CommandDefinition; args: string[]; flags: Flags };

type Values = ReadonlyMap<string, string | true | readonly string[]>;

/** Understands a command line; `usage` with a hint where it cannot. Global flags may stand before the verb or after it. */
export function parseCommandLine(argv: readonly string[], commands: readonly CommandDefinition[]): Parsed {
  const rootOptions = [...globalOptions, versionOption];
  const before = read(parserOf("keyctl", rootOptions).passThroughOptions(), argv, rootOptions);
  const [verb, ...rest] = before.args;
  if (verb === undefined && before.values.has("version")) return { kind: "version" };
  if (verb === undefined || verb === "help")
    return { kind: "help", topic: rest.find((word) => !word.startsWith("-")) ?? null };
  const command = commands.find((candidate) => candidate.name === verb);
  if (command === undefined)
    throw unknownVerb(
      verb,
      commands.map((candidate) => candidate.name),
    );

  const options = allOptions(command);
  const after = read(parserOf(command.name, options), rest, options);
  if (after.values.has("help") || before.values.has("help")) return { kind: "help", topic: command.name };
  assertArguments(command, after.args);
  return {
    kind: "run",
    command,
    args: after.args,
    flags: new Flags(options, new Map([...before.values, ...after.values])),
  };
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
function read(
  parser: Command,
  words: readonly string[],
  options: readonly OptionDefinition[],
): { args: string[]; values: Values } {
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
    const value = found[camelCase(option.name)];
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

function assertArguments(command: CommandDefinition, args: readonly string[]): void {
  const needed = command.arguments.filter((argument) => argument.required);
  const missing = needed[args.length];
  if (missing !== undefined) {
    throw new KeyctlError("usage", `${command.name} needs ${missing.name}`, {
      hint: command.examples[0]?.command ?? `keyctl ${command.name} --help`,
    });
  }
  const variadic = command.arguments.at(-1)?.variadic === true;
  if (!variadic && args.length > command.arguments.length) {
    throw excessArguments(
      command.name,
      command.arguments.length,
      command.options.some((option) => option.name === "from-file"),
    );
  }
  if (args.some((word) => word.trim() === "")) {
    throw new KeyctlError("usage", "an argument is empty", { hint: "is a variable of the script unset?" });
  }
}

function isShown(option: OptionDefinition): boolean {
  return option.hidden !== true;
}

/** As commander names an option's value: `dry-run` is `dryRun`. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
