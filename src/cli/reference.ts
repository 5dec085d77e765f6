import { sections } from "./command.ts";
import type { CommandDefinition, OptionDefinition } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { globalOptions, ownOptions } from "./global-flags.ts";
import { dangerText, optionSummary, optionTerm, usageLine } from "./help-pages.ts";

const generated = "<!-- made by `npm run docs` from src/cli; changes by hand are lost -->";

/** The text of `docs/commands.md`. */
export function commandsReference(commands: readonly CommandDefinition[]): string {
  return [
    "# Commands",
    "",
    generated,
    "",
    "| command | what it does |",
    "|---|---|",
    ...sections.flatMap((title) => sectionRows(title, commands)),
    "",
    "## Flags of every command",
    "",
    ...optionTable(globalOptions),
    "",
    ...commands.flatMap((command) => commandSection(command)),
  ].join("\n");
}

/** The text of `docs/exit-codes.md`. */
export function exitCodesReference(): string {
  const rows = Object.entries(exitCodes).map(
    ([name, { code, meaning }]) => `| ${code} | ${name} | ${escaped(meaning)} |`,
  );
  return [
    "# Exit codes",
    "",
    generated,
    "",
    "The name is the `code` of the error object that `-o json` writes to stderr.",
    "",
    "| code | name | meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** The commands of one heading of the overview, below it. */
function sectionRows(title: string, commands: readonly CommandDefinition[]): string[] {
  const rows = commands
    .filter((command) => command.section === title)
    .map(({ name, summary }) => `| [${name}](#${name.replaceAll(" ", "-")}) | ${escaped(summary)} |`);
  return rows.length === 0 ? [] : [`| **${title}** | |`, ...rows];
}

function commandSection(command: CommandDefinition): string[] {
  const own = ownOptions(command);
  const danger = dangerText(command);
  return [
    `## ${command.name}`,
    "",
    `${command.summary[0]?.toUpperCase() ?? ""}${command.summary.slice(1)}.`,
    "",
    ...(command.description === undefined ? [] : [command.description, ""]),
    "```",
    usageLine(command),
    "```",
    "",
    ...command.arguments.map((argument) => `- \`${argument.name}\`: ${optionSummary(argument)}`),
    ...(command.arguments.length > 0 ? [""] : []),
    ...(own.length > 0 ? [...optionTable(own), ""] : []),
    ...(danger === null ? [] : [danger, ""]),
    "```sh",
    ...command.examples.flatMap((example) => [`# ${example.does}`, example.command]),
    "```",
    "",
  ];
}

function optionTable(options: readonly OptionDefinition[]): string[] {
  const shown = options.filter((option) => option.hidden !== true);
  return [
    "| flag | meaning |",
    "|---|---|",
    ...shown.map((option) => `| \`${optionTerm(option)}\` | ${escaped(optionSummary(option))} |`),
  ];
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
