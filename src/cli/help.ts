import type { KeyctlError } from "../core/errors.ts";
import { sections } from "./command.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { findCommand, groupOf, secondWords } from "./find-command.ts";
import { globalOptions, ownOptions } from "./global-flags.ts";
import { knownVerbs, unknownVerb } from "./near-misses.ts";

/** Pages of `keyctl help` that are about no verb. */
export const helpTopics = ["exit-codes"] as const;

/** The help page of a verb or topic, or the overview for null; `usage` with a suggestion for anything else. */
export function formatHelp(topic: string | null, commands: readonly CommandDefinition[]): string {
  if (topic === null) return overview(commands);
  if (topic === "exit-codes") return exitCodesPage();
  const command = findCommand(topic, commands);
  if (command !== null) return commandPage(command);
  const group = groupOf(topic, commands);
  if (group.length > 0) return groupPage(topic, group);
  if (topic === "help") return overview(commands);
  throw unknownTopic(topic, commands);
}

/** `keyctl rotate NAME [flags]`. */
export function usageLine(command: CommandDefinition): string {
  const args = command.arguments.map((argument) => {
    const name = argument.variadic === true ? `${argument.name}…` : argument.name;
    const behind = argument.verbatim === true ? `-- ${name}` : name;
    return argument.required ? behind : `[${behind}]`;
  });
  const own = command.arguments.findIndex((argument) => argument.verbatim === true);
  args.splice(own === -1 ? args.length : own, 0, "[flags]");
  return ["keyctl", command.name, ...args].join(" ");
}

/** How an option is typed: `-o, --output FORMAT`. */
export function optionTerm(option: OptionDefinition): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`;
}

/** What help says of an option, with its choices and default. */
export function optionSummary(option: OptionDefinition): string {
  const choices = option.choices === undefined ? "" : `: ${option.choices.join(", ")}`;
  const repeat = option.repeatable === true ? "; may be repeated" : "";
  const otherwise = option.defaultText === undefined ? "" : ` (default ${option.defaultText})`;
  return `${option.summary}${choices}${repeat}${otherwise}`;
}

/** What the command asks before it acts, and how a script answers; null for a command that asks nothing. */
export function dangerText(command: CommandDefinition): string | null {
  if (command.danger === "moderate") return "Asks y/N first; scripts pass --yes.";
  if (command.danger === "severe") {
    return "Asks y/N first for one key, scripts pass --yes; for more it wants the name or the count typed, scripts pass --confirm.";
  }
  return null;
}

function overview(commands: readonly CommandDefinition[]): string {
  return [
    "keyctl creates, lists, rotates, rolls back and revokes keys, proves what was done, and finds keys that got out.",
    "",
    "Usage: keyctl <command> [NAME…] [flags]",
    "",
    ...commandSections(commands),
    "Flags of every command",
    ...twoColumns(optionRows(globalOptions)),
    "",
    "More: keyctl help <command>, keyctl help exit-codes",
    "",
  ].join("\n");
}

/** The commands below their headings; all summaries begin in one column. */
function commandSections(commands: readonly CommandDefinition[]): string[] {
  const shown = commands.filter((command) => command.hidden !== true);
  const width = Math.max(...shown.map((command) => command.name.length));
  return sections.flatMap((title) =>
    section(
      title,
      shown
        .filter((command) => command.section === title)
        .map((command) => [command.name.padEnd(width), command.summary]),
    ),
  );
}

function groupPage(group: string, commands: readonly CommandDefinition[]): string {
  return [
    `Usage: keyctl ${group} <command> [flags]`,
    "",
    ...section(
      "Commands",
      commands.map((command) => [command.name, command.summary]),
    ),
    `More: keyctl help ${group} <command>`,
    "",
  ].join("\n");
}

function commandPage(command: CommandDefinition): string {
  const own = ownOptions(command);
  const danger = dangerText(command);
  return [
    `${command.summary[0]?.toUpperCase() ?? ""}${command.summary.slice(1)}.`,
    "",
    ...(command.description === undefined ? [] : [command.description, ""]),
    `Usage: ${usageLine(command)}`,
    "",
    ...section(
      "Arguments",
      command.arguments.map((argument) => [argument.name, argument.summary]),
    ),
    ...section("Flags", optionRows(own)),
    ...(danger === null ? [] : [danger, ""]),
    "Examples",
    ...command.examples.flatMap((example) => [`  # ${example.does}`, `  ${example.command}`]),
    "",
    "Flags of every command: keyctl help",
    "",
  ].join("\n");
}

function exitCodesPage(): string {
  const rows = Object.entries(exitCodes).map(([name, { code, meaning }]): [string, string] => [
    `${String(code).padStart(3)}  ${name}`,
    meaning,
  ]);
  return ["What the exit status of keyctl means", "", ...twoColumns(rows), ""].join("\n");
}

function section(title: string, rows: [string, string][]): string[] {
  return rows.length === 0 ? [] : [title, ...twoColumns(rows), ""];
}

function optionRows(options: readonly OptionDefinition[]): [string, string][] {
  return options
    .filter((option) => option.hidden !== true)
    .map((option) => [optionTerm(option), optionSummary(option)]);
}

function twoColumns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([term]) => term.length));
  return rows.map(([term, text]) => `  ${term.padEnd(width)}  ${text}`);
}

function unknownTopic(topic: string, commands: readonly CommandDefinition[]): KeyctlError {
  const [first = "", second] = topic.split(" ");
  if (second === undefined)
    return unknownVerb({ typed: first, next: null, known: [...knownVerbs(commands), ...helpTopics] });
  return unknownVerb({ group: first, typed: second, next: null, known: secondWords(first, commands) });
}
