import { KeyctlError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { OutputClosed } from "../../src/cli/io.ts";
import type { Io, Prompter, Sink } from "../../src/cli/io.ts";

export interface FakeIoOptions {
  /** What stdin carries; without it stdin is empty. */
  stdin?: string | Uint8Array;
  /** Which streams are terminals; none by default. */
  terminal?: { stdin?: boolean; stdout?: boolean; stderr?: boolean };
  env?: Record<string, string>;
  cwd?: string;
  homeDirectory?: string;
  /** Who the system says it is; `tester` by default. */
  login?: string;
  now?: number;
  /** What a person answers, in order; `null` is Ctrl-C. Without it there is no terminal to ask on. */
  answers?: (string | boolean | null)[];
  files?: Record<string, string>;
  /** After so many writes to stdout: the reader is gone (`closed`), or the disk is full. */
  stdoutFails?: { after: number; how: "closed" | "full" };
}

export interface FakeIo extends Io {
  /** What was written so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** What was asked so far. */
  readonly questions: string[];
  interrupt(): void;
}

/** A terminal, or none, in one call. */
export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const stdout = fakeSink(options.terminal?.stdout ?? false, options.stdoutFails);
  const stderr = fakeSink(options.terminal?.stderr ?? false);
  const abort = new AbortController();
  const questions: string[] = [];
  const answers = [...(options.answers ?? [])];
  const bytes = typeof options.stdin === "string" ? new TextEncoder().encode(options.stdin) : options.stdin;
  return {
    stdin: { isTTY: options.terminal?.stdin ?? false, chunks: () => oneByOne(bytes ?? new Uint8Array()) },
    stdout: stdout.sink,
    stderr: stderr.sink,
    env: options.env ?? {},
    cwd: options.cwd ?? "/nowhere",
    homeDirectory: options.homeDirectory ?? "/nowhere/home",
    login: options.login ?? "tester",
    now: () => options.now ?? Date.UTC(2026, 10, 21, 12),
    openPrompter: async () =>
      await Promise.resolve(options.answers === undefined ? null : fakePrompter(answers, questions)),
    readFile: async (path, bytesMax) => {
      const text = options.files?.[path];
      if (text === undefined) throw new KeyctlError("not-found", "there is no file of that name");
      if (text.length > bytesMax)
        throw new KeyctlError("refused", `the file is larger than ${bytesMax} bytes`);
      return await Promise.resolve(new TextEncoder().encode(text));
    },
    signal: abort.signal,
    out: stdout.text,
    err: stderr.text,
    questions,
    interrupt: () => abort.abort(),
  };
}

function fakeSink(isTTY: boolean, fails?: FakeIoOptions["stdoutFails"]): { sink: Sink; text: () => string } {
  const chunks: Buffer[] = [];
  const write = async (data: string | Uint8Array): Promise<void> => {
    if (fails !== undefined && chunks.length >= fails.after) {
      throw fails.how === "closed"
        ? new OutputClosed()
        : new KeyctlError("unavailable", "there is no space left");
    }
    chunks.push(Buffer.from(data));
    await Promise.resolve();
  };
  return {
    sink: { isTTY, columns: isTTY ? 80 : null, write },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

function fakePrompter(answers: (string | boolean | null)[], questions: string[]): Prompter {
  const next = async (question: string): Promise<string | boolean> => {
    questions.push(question);
    const answer = answers.shift();
    if (answer === undefined) throw new Error(`nobody answers "${question}"`);
    if (answer === null) throw new KeyctlError("interrupted", "interrupted, nothing was done");
    return await Promise.resolve(answer);
  };
  return {
    confirm: async (question) => (await next(question)) === true,
    text: async (question) => String(await next(question)),
    password: async (question) => Secret.fromUtf8(String(await next(question))),
    close: () => undefined,
  };
}

/** In two chunks, so that code which looks at one only is caught. */
async function* oneByOne(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const middle = Math.floor(bytes.length / 2);
  for (const part of [bytes.slice(0, middle), bytes.slice(middle)]) {
    if (part.length > 0) yield await Promise.resolve(part);
  }
}
