import type { CommandDefinition } from "./command.ts";

/** The command of that name. */
export function findCommand(name: string, commands: readonly CommandDefinition[]): CommandDefinition | null {
  return commands.find((command) => command.name === name) ?? null;
}

/** The commands that begin with the word: `tenant create`, `tenant list` … for `tenant`. Empty when it is no group. */
export function groupOf(word: string, commands: readonly CommandDefinition[]): readonly CommandDefinition[] {
  return commands.filter((command) => command.name.startsWith(`${word} `));
}

/** What may stand first on a command line: verbs of one word, and groups. */
export function firstWords(commands: readonly CommandDefinition[]): string[] {
  return [...new Set(commands.map((command) => command.name.split(" ", 1)[0] ?? ""))];
}

/** What may stand second, after the group's name. */
export function secondWords(group: string, commands: readonly CommandDefinition[]): string[] {
  return groupOf(group, commands).map((command) => command.name.slice(group.length + 1));
}
