import { sections } from "./command.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import { findCommand, groupOf } from "./find-command.ts";
import { globalOptions, ownOptions } from "./global-flags.ts";
import { helpTopics } from "./help-topics.ts";
import type { Block, Page, Row } from "./render/page.ts";

/** Every page of help: the overview, each group, each command that is shown, each topic. */
export function allPages(commands: readonly CommandDefinition[]): Page[] {
  const groups = new Set(
    commands.map(({ name }) => name.split(" ")).flatMap(([a = "", b]) => (b ? [a] : [])),
  );
  return [
    overviewPage(commands),
    ...[...groups].map((group) => groupPage(group, groupOf(group, commands))),
    ...commands.map(commandPage),
    ...helpTopics,
  ];
}

/** The page of a verb, a group or a topic, or the overview for null; null when there is none of that name. */
export function findPage(topic: string | null, commands: readonly CommandDefinition[]): Page | null {
  if (topic === null || topic === "help") return overviewPage(commands);
  const command = findCommand(topic, commands);
  if (command !== null) return commandPage(command);
  const group = groupOf(topic, commands);
  if (group.length > 0) return groupPage(topic, group);
  return helpTopics.find((page) => page.name === topic) ?? null;
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

/** What help says of an option or an argument, with its choices and default. */
export function optionSummary(
  option: Pick<OptionDefinition, "summary" | "choices" | "repeatable" | "defaultText">,
): string {
  const choices = option.choices === undefined ? "" : `: ${option.choices.join(", ")}`;
  const repeat = option.repeatable === true ? "; may be repeated" : "";
  const otherwise = option.defaultText === undefined ? "" : ` (default ${option.defaultText})`;
  return `${option.summary}${choices}${repeat}${otherwise}`;
}

/** What the command asks before it acts, and how a script answers; null for a command that asks nothing. */
export function dangerText(command: CommandDefinition): string | null {
  if (command.asks !== undefined) return command.asks;
  if (command.danger === "moderate") return "Asks y/N first; scripts pass --yes.";
  if (command.danger === "severe") {
    return "Asks y/N first for one key, scripts pass --yes; for more it wants the name or the count typed, scripts pass --confirm.";
  }
  return null;
}

function overviewPage(commands: readonly CommandDefinition[]): Page {
  return {
    name: "",
    summary:
      "create, list, rotate, roll back and revoke keys, prove what was done, and find keys that got out",
    blocks: [
      { kind: "usage", line: "keyctl <command> [NAME…] [flags]" },
      ...commandSections(commands),
      { kind: "rows", title: "Flags of every command", rows: optionRows(globalOptions) },
      { kind: "rows", title: "More", rows: moreRows() },
    ],
  };
}

/** The commands below their headings; all summaries begin in one column. */
function commandSections(commands: readonly CommandDefinition[]): Block[] {
  const termsWidth = Math.max(...commands.map((command) => command.name.length));
  return sections.flatMap((title): Block[] => {
    const rows = commands.filter((command) => command.section === title).map(commandRow);
    return rows.length === 0 ? [] : [{ kind: "rows", title, rows, termsWidth }];
  });
}

function moreRows(): Row[] {
  return [
    ["keyctl help <command>", "arguments, flags and examples of a command; --man: the same as a manual page"],
    ...helpTopics.map(({ name, summary }): Row => [`keyctl help ${name}`, summary]),
  ];
}

function groupPage(group: string, commands: readonly CommandDefinition[]): Page {
  const words = commands.map((command) => command.name.slice(group.length + 1));
  return {
    name: group,
    summary: `the commands of keyctl ${group}: ${words.join(", ")}`,
    blocks: [
      { kind: "usage", line: `keyctl ${group} <command> [flags]` },
      { kind: "rows", title: "Commands", rows: commands.map(commandRow) },
      { kind: "text", text: `More: keyctl help ${group} <command>` },
    ],
  };
}

function commandPage(command: CommandDefinition): Page {
  const danger = dangerText(command);
  const args = command.arguments.map((argument): Row => [argument.name, optionSummary(argument)]);
  const flags = optionRows(ownOptions(command));
  return {
    name: command.name,
    summary: command.summary,
    blocks: [
      ...paragraphs(command.description),
      { kind: "usage", line: usageLine(command) },
      ...rowsBlock("Arguments", args),
      ...rowsBlock("Flags", flags),
      ...paragraphs(danger ?? undefined),
      { kind: "examples", examples: command.examples },
      { kind: "text", text: "Flags of every command: keyctl help" },
    ],
  };
}

function paragraphs(text: string | undefined): Block[] {
  return text === undefined ? [] : text.split("\n\n").map((part) => ({ kind: "text", text: part }));
}

function rowsBlock(title: string, rows: readonly Row[]): Block[] {
  return rows.length === 0 ? [] : [{ kind: "rows", title, rows }];
}

function commandRow(command: CommandDefinition): Row {
  return [command.name, command.summary];
}

function optionRows(options: readonly OptionDefinition[]): Row[] {
  return options
    .filter((option) => option.hidden !== true)
    .map((option) => [optionTerm(option), optionSummary(option)]);
}
