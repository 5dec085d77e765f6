import type { CommandContext } from "./context.ts";
import type { Outcome, ProgramStatus } from "./exit-codes.ts";
import type { Flags } from "./flags.ts";

export interface ArgumentDefinition {
  /** As help shows it, upper case: `NAME`. */
  name: string;
  summary: string;
  required: boolean;
  /** Takes all that follow; only for the last one. */
  variadic?: boolean;
  /** The words of another program: they stand behind `--` and come as they are, also empty ones. Only for the last one. */
  verbatim?: boolean;
  /** All that it can be; help names them. */
  choices?: readonly string[];
  /** What a shell may complete here; choices need no word. */
  completes?: Completed;
}

/** What a shell can complete. `variable` is `VAR=NAME`, with a key's name behind the `=`. */
export type Completed =
  | "key"
  | "deleted-key"
  | "variable"
  | "env"
  | "tenant"
  | "actor"
  | "operation"
  | "profile"
  | "file"
  | "folder";

export interface OptionDefinition {
  /** Without the dashes: `to-version`. Commands read it by this name. */
  name: string;
  short?: string;
  /** What the value is called in help (`N`); without it the option is a switch. */
  value?: string;
  summary: string;
  choices?: readonly string[];
  /** May be given several times; read with `flags.list`. */
  repeatable?: boolean;
  /** Shown in help only: what holds when the flag is absent. */
  defaultText?: string;
  /** Accepted, not shown in help. */
  hidden?: boolean;
  /** What a shell may complete as its value; choices need no word. */
  completes?: Completed;
}

/** The headings below which help lists the commands, in this order. */
export const sections = [
  "Set up",
  "Keys",
  "Use of keys",
  "Emergencies",
  "Audit",
  "Leaks",
  "Team",
  "Health",
] as const;

export type DangerClass = "none" | "mild" | "moderate" | "severe";

export interface Example {
  command: string;
  does: string;
}

/**
 * One verb as data: cheap to load, so that help and near misses know all verbs. What a verb needs to run is imported
 * inside `run`.
 */
export interface CommandDefinition {
  /** One word, or two: `tenant create` is in the group `tenant`. */
  name: string;
  section: (typeof sections)[number];
  summary: string;
  /** A paragraph or two below the summary in help. */
  description?: string;
  arguments: readonly ArgumentDefinition[];
  options: readonly OptionDefinition[];
  /** At least two. */
  examples: readonly Example[];
  /** The highest class that its targets can have. */
  danger: DangerClass;
  /** What it asks, and what scripts pass, where help cannot tell it from the class alone. */
  asks?: string;
  /**
   * `yes` adds `--reason --ticket --if-revision`; `idempotent` also `--idempotency-key`; `keyless`, of what is no key and has no
   * revision, only the first two. An option of the command's own with the same name takes the place of the common one.
   */
  mutation: "no" | "keyless" | "yes" | "idempotent";
  /** `own`: the command handles `--out-file` by itself, else the frame sends the answer there. */
  outFile?: "own";
  /**
   * The exit status of every failure of keyctl's own, where all others are another program's. Only Ctrl-C before that one
   * was started is told as usual.
   */
  ownFailure?: number;
  run(context: CommandContext, input: CommandInput): Promise<Outcome | ProgramStatus>;
}

export interface CommandInput {
  /** The positional arguments. */
  args: readonly string[];
  flags: Flags;
}
