import { KeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One output stream. */
export interface Sink {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; null where there is none. */
  readonly columns: number | null;
  /** Resolves when the text was taken; rejects with `OutputClosed`, or `unavailable` when it could not be written. */
  write(data: string | Uint8Array): Promise<void>;
}

export interface Source {
  readonly isTTY: boolean;
  chunks(): AsyncIterable<Uint8Array>;
}

/** Asks a person. Each call rejects with `interrupted` on Ctrl-C. */
export interface Prompter {
  /** y/N; Enter is No. */
  confirm(question: string): Promise<boolean>;
  /** A line of text. */
  text(question: string): Promise<string>;
  /** A line that is not shown. */
  password(question: string): Promise<Secret>;
  close(): void;
}

/** Everything the command line has of the process it runs in; `main.ts` makes the real one. */
export interface Io {
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
  readonly homeDirectory: string;
  /** The operating system's name for the user. */
  readonly login: string;
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** The terminal to ask on, also when stdin carries data; null where there is none. */
  openPrompter(): Promise<Prompter | null>;
  /** A file that the user named; `not-found`, `refused` when larger than `bytesMax`, `unavailable` when it cannot be read. */
  readFile(path: string, bytesMax: number): Promise<Uint8Array>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The reader of our output went away (a closed pipe). */
export class OutputClosed extends KeyctlError {
  constructor() {
    super("unavailable", "the reader of the output closed it");
    this.name = "OutputClosed";
  }
}

/** Whether to colour a stream: NO_COLOR (no-color.org) wins, then CLICOLOR_FORCE (bixense.com/clicolors), then the terminal. */
export function isColoured(sink: Sink, env: Environment): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["CLICOLOR_FORCE"] ?? "";
  if (force !== "" && force !== "0") return true;
  return sink.isTTY && env["TERM"] !== "dumb";
}

/** True in a CI that reads commands out of logs (GitHub, Azure Pipelines, and whoever sets `CI`). */
export function isCi(env: Environment): boolean {
  return ["CI", "GITHUB_ACTIONS", "TF_BUILD"].some((name) => {
    const value = (env[name] ?? "").toLowerCase();
    return value !== "" && value !== "false" && value !== "0";
  });
}
