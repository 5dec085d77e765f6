import { exitCodes } from "./exit-codes.ts";
import type { Page, Row } from "./render/page.ts";

const exitCodesTopic: Page = {
  name: "exit-codes",
  summary: "what the exit status of keyctl means",
  blocks: [
    {
      kind: "rows",
      title: "Exit codes",
      rows: Object.entries(exitCodes).map(([name, { code, meaning }]): Row => [
        `${String(code).padStart(3)}  ${name}`,
        meaning,
      ]),
    },
    {
      kind: "text",
      text: "With -o json an error is one JSON object on stderr; its code is the name in this list. exec returns the status of its program, 128 and the signal's number when a signal ended it, and for failures of its own 125 (before the program started), 126 (it cannot be run) or 127 (it was not found).",
    },
  ],
};

const formatsTopic: Page = {
  name: "formats",
  summary: "streams, output formats, and how dates and durations are written",
  blocks: [
    {
      kind: "rows",
      title: "Streams",
      rows: [
        ["stdout", "the answer, and nothing else"],
        ["stderr", "the talk: notes, warnings, hints and questions; each line begins with keyctl:"],
        ["stdin", "data where a flag says so (--from-file -), and for verify and revoke --leaked"],
        [
          "--out-file PATH",
          "takes the answer instead of stdout, readable by you only (0600); a command that fails leaves no file",
        ],
      ],
    },
    {
      kind: "rows",
      title: "--output FORMAT",
      rows: [
        ["table", "for people. May change; on a terminal it is cut to the terminal's width, in a pipe never"],
        ["wide", "a table with every column, never cut"],
        ["json", "one JSON value; a list is an array, an empty one []"],
        ["jsonl", "one JSON object in each line, written as they are read"],
        ["csv", "RFC 4180 with a head line; a field that would be a formula begins with an apostrophe"],
        ["name", "only what another command takes as NAME, one in each line"],
      ],
    },
    {
      kind: "rows",
      title: "JSON",
      rows: [
        ["fields", "camelCase. A new version adds fields, and never renames or removes one"],
        ["times", "ISO 8601 in UTC with milliseconds: 2027-01-31T12:00:00.000Z; null where there is none"],
        ["states, kinds", "lower case"],
        ["errors", 'on stderr: {"error":{"code","message","hint","retryable","operationId"}}'],
      ],
    },
    {
      kind: "rows",
      title: "What you type",
      rows: [
        ["NAME", "name, env/name or tenant/env/name, compared without case"],
        ["duration", "90d, 24h, 30m, 45s, 2w, 500ms or 1h30m. m is minutes; months and years are no units"],
        ["date", "2027-01-31 (the start of that day in UTC), or a time with its zone: 2027-01-31T12:00Z"],
        ["K=V", "a tag; the flag is repeated for several"],
        ["--", "ends the flags: what stands behind it is taken as it is"],
      ],
    },
    {
      kind: "text",
      text: "Text from outside is printed without control characters. In a CI, what its runner would take for a command (::, ##[) is broken up, and in JSON escaped.",
    },
  ],
};

const environmentTopic: Page = {
  name: "environment",
  summary: "every environment variable that keyctl reads",
  blocks: [
    {
      kind: "rows",
      title: "Settings",
      rows: [
        ["KEYCTL_PROFILE", "the profile, as --profile"],
        ["KEYCTL_STORE", "the store, as --store"],
        ["KEYCTL_VAULT", "the vault, as --vault"],
        ["KEYCTL_AUTH", "how to log in to the vault, as --auth"],
        ["KEYCTL_TENANT", "the tenant, as --tenant"],
        ["KEYCTL_ENV", "the environment of the keys, as --env"],
        ["KEYCTL_NAMING", "whether new names follow the convention: off, warn or enforce"],
      ],
    },
    {
      kind: "text",
      text: "A flag is stronger than its variable, and a variable stronger than a profile. An empty variable counts as not set.",
    },
    {
      kind: "rows",
      title: "Places",
      rows: [
        ["KEYCTL_HOME", "one folder for everything: configuration, store, vault and unlock key"],
        ["XDG_DATA_HOME", "store and vault are in keyctl below it; ~/.local/share when it is not set"],
        ["XDG_CONFIG_HOME", "config.json and unlock.key are in keyctl below it; else ~/.config"],
        [
          "XDG_STATE_HOME",
          "checkpoints that were seen are remembered in keyctl below it; else ~/.local/state",
        ],
        ["PATH", "where programs are looked for"],
      ],
    },
    {
      kind: "rows",
      title: "Passphrase of the vault",
      rows: [
        ["KEYCTL_PASSPHRASE_FD", "the number of an open descriptor to read it from"],
        ["KEYCTL_PASSPHRASE_FILE", "a file to read it from; the descriptor wins"],
      ],
    },
    {
      kind: "rows",
      title: "Output",
      rows: [
        ["NO_COLOR", "not empty: no colour, whatever the next one says"],
        ["CLICOLOR_FORCE", "neither empty nor 0: colour also where there is no terminal"],
        ["TERM", "dumb: no colour"],
        ["CI", "neither empty, 0 nor false: nothing is printed that a CI runner would take for a command"],
        ["GITHUB_ACTIONS", "as CI"],
        ["TF_BUILD", "as CI"],
        ["KEYCTL_DEBUG", "1: an error also says where in the program it happened; not with -o json"],
      ],
    },
    {
      kind: "rows",
      title: "Recorded",
      rows: [["SSH_CONNECTION", "its address is kept with audit entries, as personal data"]],
    },
    {
      kind: "text",
      text: "No variable holds a secret: a child process inherits the environment, and other programs of the same user can read it.",
    },
  ],
};

/** Pages of `keyctl help` that are about no verb. */
export const helpTopics: readonly Page[] = [exitCodesTopic, formatsTopic, environmentTopic];
