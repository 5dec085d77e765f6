import type { Completed, CommandDefinition, OptionDefinition } from "../command.ts";
import { findCommand, groupOf } from "../find-command.ts";
import { allOptions, globalOptions } from "../global-flags.ts";

/** What may stand where the cursor is. */
export type AskedFor =
  | { kind: "first-word" }
  | { kind: "second-word"; group: string }
  | { kind: "help-topic" }
  | { kind: "flag"; options: readonly OptionDefinition[] }
  | { kind: "value"; completes: Completed | null; choices: readonly string[]; before: string }
  | { kind: "nothing" };

export interface Asked {
  want: AskedFor;
  /** What is typed of it so far. */
  prefix: string;
  /** Flags with values that were typed before, by name: they choose the store, the tenant and the environment. */
  values: ReadonlyMap<string, string>;
}

interface Walk {
  command: CommandDefinition | null;
  group: string | null;
  /** The first word is none that there is, or `help`. */
  lost: boolean;
  help: boolean;
  /** Arguments so far. */
  count: number;
  behindDashes: boolean;
  pending: OptionDefinition | null;
  values: Map<string, string>;
}

/** Understands a command line that is still being typed; its last word is the one at the cursor, empty when it begins. */
export function askedFor(words: readonly string[], commands: readonly CommandDefinition[]): Asked {
  const prefix = words.at(-1) ?? "";
  const walk: Walk = {
    command: null,
    group: null,
    lost: false,
    help: false,
    count: 0,
    behindDashes: false,
    pending: null,
    values: new Map(),
  };
  for (const word of words.slice(0, -1)) step(walk, word, commands);
  return { ...atCursor(walk, prefix), values: walk.values };
}

function step(walk: Walk, word: string, commands: readonly CommandDefinition[]): void {
  if (walk.pending !== null) {
    walk.values.set(walk.pending.name, word);
    walk.pending = null;
  } else if (walk.behindDashes) walk.count++;
  else if (word === "--") walk.behindDashes = true;
  else if (word.startsWith("-") && word !== "-") stepFlag(walk, word);
  else if (walk.help && walk.count === 0 && groupOf(word, commands).length > 0) {
    walk.group = word;
    walk.count++;
  } else if (walk.command !== null || walk.help) walk.count++;
  else stepVerb(walk, word, commands);
}

function stepFlag(walk: Walk, word: string): void {
  const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const options = optionsOf(walk);
  const option = word.startsWith("--")
    ? options.find((candidate) => candidate.name === name)
    : options.find((candidate) => candidate.short === word[1]);
  if (option?.value === undefined) return;
  const attached = word.startsWith("--") ? value : word.slice(2);
  if (attached === undefined || (attached === "" && !word.startsWith("--"))) walk.pending = option;
  else walk.values.set(option.name, attached);
}

function stepVerb(walk: Walk, word: string, commands: readonly CommandDefinition[]): void {
  const name = walk.group === null ? word : `${walk.group} ${word}`;
  walk.command = findCommand(name, commands);
  if (walk.command !== null) return;
  if (walk.group === null && word === "help") walk.help = true;
  else if (walk.group === null && groupOf(word, commands).length > 0) walk.group = word;
  else walk.lost = true;
}

function atCursor(walk: Walk, prefix: string): Omit<Asked, "values"> {
  if (walk.pending !== null) return { want: valueOf(walk.pending, ""), prefix };
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(prefix) ?? [];
  if (name !== undefined && value !== undefined && !walk.behindDashes) {
    const option = optionsOf(walk).find((candidate) => candidate.name === name);
    return {
      want: option === undefined ? { kind: "nothing" } : valueOf(option, `--${name}=`),
      prefix: value,
    };
  }
  if (walk.lost) return { want: { kind: "nothing" }, prefix };
  if (prefix.startsWith("-") && !walk.behindDashes)
    return { want: { kind: "flag", options: optionsOf(walk) }, prefix };
  return { want: wordAtCursor(walk), prefix };
}

function wordAtCursor(walk: Walk): AskedFor {
  if (walk.help) return helpAtCursor(walk);
  if (walk.command === null)
    return walk.group === null ? { kind: "first-word" } : { kind: "second-word", group: walk.group };
  const own = walk.command.arguments;
  const last = own.at(-1);
  const argument = own[walk.count] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return { kind: "nothing" };
  // Another program's words: only files can be guessed, and only behind the dashes.
  if (argument.verbatim === true)
    return walk.behindDashes
      ? { kind: "value", completes: "file", choices: [], before: "" }
      : { kind: "nothing" };
  return {
    kind: "value",
    completes: argument.completes ?? null,
    choices: argument.choices ?? [],
    before: "",
  };
}

/** A topic, and of a group its second word. */
function helpAtCursor({ count, group }: Walk): AskedFor {
  if (count === 0) return { kind: "help-topic" };
  return group !== null && count === 1 ? { kind: "second-word", group } : { kind: "nothing" };
}

function valueOf(option: OptionDefinition, before: string): AskedFor {
  return {
    kind: "value",
    completes: option.completes ?? null,
    choices: option.choices ?? [],
    before,
  };
}

function optionsOf({ command }: Walk): readonly OptionDefinition[] {
  return command === null ? globalOptions : allOptions(command);
}
