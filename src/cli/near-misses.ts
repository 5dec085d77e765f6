import { KeyctlError } from "../core/errors.ts";
import { nearestName } from "../core/near-name.ts";
import type { CommandDefinition } from "./command.ts";
import { firstWords } from "./find-command.ts";
import { cleanText } from "./foreign-text.ts";

/** What people type who know other tools, and what they find here; the first one that exists is suggested. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  get: ["reveal", "show"],
  read: ["reveal", "show"],
  cat: ["reveal", "show"],
  open: ["reveal", "show"],
  print: ["reveal", "show"],
  describe: ["show"],
  info: ["show"],
  ls: ["list"],
  keys: ["list"],
  secrets: ["list"],
  item: ["list"],
  kv: ["list"],
  rm: ["delete", "revoke"],
  remove: ["delete", "revoke"],
  del: ["delete", "revoke"],
  destroy: ["delete", "revoke"],
  purge: ["delete", "revoke"],
  disable: ["suspend", "revoke"],
  block: ["suspend", "revoke"],
  pause: ["suspend", "revoke"],
  kill: ["revoke"],
  enable: ["resume", "rollback"],
  unblock: ["resume", "rollback"],
  unsuspend: ["resume", "rollback"],
  new: ["create", "add"],
  add: ["create"],
  put: ["create"],
  generate: ["create"],
  import: ["create"],
  invite: ["actor add", "add"],
  edit: ["update"],
  set: ["update"],
  tag: ["update"],
  modify: ["update"],
  roll: ["rotate"],
  renew: ["rotate"],
  undo: ["rollback"],
  revert: ["rollback"],
  undelete: ["restore", "rollback"],
  recover: ["restore", "rollback"],
  check: ["doctor", "verify"],
  validate: ["verify"],
  audit: ["audit-list"],
  history: ["audit-list"],
  log: ["audit-list"],
  logs: ["audit-list"],
  erase: ["audit-erase"],
  forget: ["audit-erase"],
  anonymize: ["audit-erase"],
  export: ["audit-export"],
  run: ["exec"],
  env: ["exec"],
  inject: ["exec"],
  scan: ["leak-scan"],
  leaks: ["leak-scan"],
  health: ["status", "doctor"],
  monitor: ["status"],
  overview: ["status"],
  dashboard: ["status"],
  repair: ["reconcile"],
  fix: ["reconcile"],
  diagnose: ["doctor"],
  config: ["doctor"],
  settings: ["doctor"],
  whoami: ["doctor"],
  setup: ["init"],
  configure: ["init"],
  login: ["init"],
  permission: ["actor"],
  assign: ["grant", "actor grant"],
  promote: ["grant", "actor grant"],
  allow: ["grant", "actor grant"],
  create: ["add"],
  profiles: ["profile list"],
  context: ["profile use"],
  switch: ["use", "profile use"],
  user: ["actor"],
  users: ["actor list"],
  member: ["actor"],
  members: ["actor list"],
  role: ["actor"],
  roles: ["actor list"],
  grant: ["actor grant"],
  project: ["tenant"],
  projects: ["tenant list"],
  org: ["tenant"],
  organization: ["tenant"],
  workspace: ["tenant"],
  man: ["help"],
  docs: ["help"],
  commands: ["help"],
  autocomplete: ["completion"],
};

/** Flags of other tools, and what does it here; every command has these. */
const otherFlags: ReadonlyMap<string, string> = new Map([
  ["--json", "-o json"],
  ["--force", "--yes"],
]);

/** Flags in which people look for a place to put a secret. */
const secretFlags = new Set([
  "--secret",
  "--value",
  "--password",
  "--passphrase",
  "--token",
  "--api-key",
  "--plaintext",
  "--key",
]);

/** Every verb and group, as suggestions name them. */
export function knownVerbs(commands: readonly CommandDefinition[]): string[] {
  const names = commands.map((command) => command.name);
  return [...new Set([...names, ...firstWords(commands), "help"])];
}

/** The verb that was probably meant. */
export function nearestVerb(typed: string, verbs: readonly string[]): string | null {
  const words = Object.hasOwn(otherWords, typed) ? (otherWords[typed] ?? []) : [];
  return words.find((word) => verbs.includes(word)) ?? nearestName(typed, verbs);
}

interface Unknown {
  /** The group that was named before it. */
  group?: string;
  typed: string;
  /** The word after it. */
  next: string | null;
  known: readonly string[];
  /** Its page was asked for: that is what the suggestion shows. */
  page?: true;
}

/** `usage` with a suggestion; what was typed is shown only as far as it can be a verb. */
export function unknownVerb({ group, typed, next, known, page }: Unknown): KeyctlError {
  const near = wordsSwapped(typed, next, known) ?? nearestVerb(typed, known);
  const lead = group === undefined ? "" : `${group} `;
  const shown = /^[\p{L}_-]{1,24}$/u.test(typed) ? ` ${lead}${cleanText(typed)}` : "";
  const list = group === undefined ? "keyctl help lists them" : `keyctl help ${group} lists them`;
  return new KeyctlError("usage", `there is no command${shown}`, {
    hint:
      near === null ? list : `did you mean keyctl ${page && near !== "help" ? "help " : ""}${lead}${near}?`,
  });
}

/** `audit list` for `audit-list`, `add tenant` for `tenant create`. */
function wordsSwapped(typed: string, next: string | null, known: readonly string[]): string | null {
  if (next === null) return null;
  const inGroup = known
    .filter((verb) => verb.startsWith(`${next} `))
    .map((verb) => verb.slice(next.length + 1));
  const second = nearestVerb(typed, inGroup);
  return second === null ? (known.find((verb) => verb === `${typed}-${next}`) ?? null) : `${next} ${second}`;
}

/** `usage` for a group without a command of it. */
export function missingSecondWord(group: string, words: readonly string[]): KeyctlError {
  return new KeyctlError("usage", `${group} needs a command: ${words.join(", ")}`, {
    hint: `keyctl help ${group}`,
  });
}

/** `usage` for a flag that the command does not have. Its value is never shown: it may be a secret. */
export function unknownFlag(word: string, command: string, known: readonly string[]): KeyctlError {
  const [, flag] = /^(-[A-Za-z]|--[A-Za-z][A-Za-z-]{0,31})(?:=|$)/.exec(word) ?? [];
  if (flag !== undefined && secretFlags.has(flag.toLowerCase())) return secretOnCommandLine(flag);
  const near =
    otherFlags.get(flag ?? "") ?? (flag?.startsWith("--") === true ? nearestName(flag, known) : null);
  return new KeyctlError(
    "usage",
    flag === undefined ? `${command} does not have such a flag` : `${command} has no flag ${flag}`,
    {
      hint: near === null ? helpOf(command) : `did you mean ${near}?`,
    },
  );
}

/** `usage` for positional arguments too many; they are not shown, because one may be a secret. */
export function excessArguments(command: string, expected: number, takesSecret: boolean): KeyctlError {
  const count = expected === 0 ? "no argument" : expected === 1 ? "one argument" : `${expected} arguments`;
  return new KeyctlError("usage", `${command} takes ${count}; there are more`, {
    hint: takesSecret
      ? "a secret never goes on the command line, where other users and the shell's history can read it: --from-file - reads it from stdin"
      : `keyctl ${command} --help`,
  });
}

function helpOf(command: string): string {
  if (command === "exec")
    return "the program and its flags stand behind --: keyctl exec -e VAR=NAME -- COMMAND";
  return command === "keyctl" ? "keyctl help" : `keyctl ${command} --help`;
}

function secretOnCommandLine(flag: string): KeyctlError {
  return new KeyctlError(
    "usage",
    `${flag} is refused: other users and the shell's history can read a command line`,
    {
      hint: "--from-file PATH reads the secret from a file, --from-file - from stdin; on a terminal it is asked for",
    },
  );
}
