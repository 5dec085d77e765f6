import { KeyctlError } from "../core/errors.ts";
import { printable } from "./foreign-text.ts";
import { isCi, isColoured, OutputClosed } from "./io.ts";
import type { Io } from "./io.ts";

export interface TalkOptions {
  /** With `-o json`, an error is one JSON object and nothing else on stderr; what was said before it is held back. */
  json: boolean;
  /** True for mutations: their answer comes after the fact, so a reader that went away changes nothing about it. */
  tolerant: boolean;
  /** The verb whose help is named by a usage error that has no hint of its own; without it the list of verbs. */
  verb?: string;
  /** Takes the answer instead of stdout. */
  redirect?: (data: Uint8Array) => Promise<void>;
}

/**
 * The only place that writes to people. stdout carries the answer and nothing else; stderr carries the talk: lines that
 * begin with `keyctl:`, in lower case, without a full stop, followed by a hint where there is one.
 */
export interface Talk {
  /** Part of the answer. Rejects with `OutputClosed` when nobody reads any more, so that a stream can end early. */
  answer(data: string | Uint8Array): Promise<void>;
  /** As `answer`, but never tolerant: rejects unless the bytes were taken. For a secret that is shown once. */
  deliver(data: string | Uint8Array): Promise<void>;
  note(message: string): void;
  /** The same warning is said once. */
  warn(message: string): void;
  hint(message: string): void;
  /** The error as text, or as one JSON object; unexpected ones say nothing of what they carry. */
  fail(error: unknown): Promise<void>;
  /** Writes what was held back; before a prompt and at the end. */
  flush(): Promise<void>;
}

/** A `Talk` over the two output streams. */
export function createTalk(io: Io, options: TalkOptions): Talk {
  const { redirect } = options;
  const ci = isCi(io.env);
  const colour = isColoured(io.stderr, io.env);
  let held: string[] = [];
  const warned = new Set<string>();
  const say = (lead: string, message: string): void => {
    held.push(`${lead}${printable(message, ci)}\n`);
    if (!options.json) void flush();
  };
  let writing = Promise.resolve();
  const flush = async (): Promise<void> => {
    const text = held.join("");
    held = [];
    if (text !== "") writing = writing.then(async () => await quietly(io.stderr.write(text)));
    await writing;
  };
  const deliver = async (data: string | Uint8Array): Promise<void> => {
    if (redirect === undefined) await io.stdout.write(data);
    else await redirect(typeof data === "string" ? new TextEncoder().encode(data) : data);
  };
  return {
    deliver,
    flush,
    answer: async (data) => {
      try {
        await deliver(data);
      } catch (error) {
        if (!(options.tolerant && error instanceof OutputClosed)) throw error;
      }
    },
    note: (message) => say("keyctl: ", message),
    warn: (message) => {
      // What is met while planning is often met again while doing.
      if (!warned.has(message)) say(`keyctl: ${paint("warning:", 33, colour)} `, message);
      warned.add(message);
    },
    hint: (message) => say("keyctl: hint: ", message),
    fail: async (error) => {
      const known = withUsageHint(publicError(error), options.verb);
      if (options.json) {
        const notes = held.map((line) => line.trimEnd());
        held = [`${JSON.stringify({ error: errorJson(known), ...(notes.length > 0 ? { notes } : {}) })}\n`];
      } else {
        say(`keyctl: ${paint("error:", 31, colour)} `, known.message);
        if (known.hint !== undefined) say("keyctl: hint: ", known.hint);
      }
      const trace = io.env["KEYCTL_DEBUG"] === "1" ? stackOf(error) : null;
      if (trace !== null && !options.json) held.push(`${trace}\n`);
      await flush();
    },
  };
}

/** The error as JSON readers get it (design of `-o json`). */
export function errorJson(error: KeyctlError): Record<string, string | boolean | null> {
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? null,
    retryable: error.retryable,
    operationId: error.operationId ?? null,
  };
}

/** Errors thrown on purpose as they are; all others become one line, because nobody knows what their text carries. */
export function publicError(error: unknown): KeyctlError {
  if (error instanceof KeyctlError) return error;
  return new KeyctlError("failure", "something unexpected happened inside keyctl", {
    hint: "run it again with KEYCTL_DEBUG=1 and report what it prints",
    cause: error,
  });
}

/** Nobody is left without a next step: what was typed wrong points to the help. */
function withUsageHint(error: KeyctlError, verb?: string): KeyctlError {
  if (error.code !== "usage" || error.hint !== undefined) return error;
  const hint = verb === undefined ? "keyctl help" : `keyctl ${verb} --help`;
  return new KeyctlError("usage", error.message, { hint, retryable: error.retryable, cause: error });
}

/** Where it happened, without what it said: the message of a foreign error may carry data. */
function stackOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? null : stackOf(error.cause);
  return [`${error.name}`, ...frames, ...(cause === null ? [] : ["caused by", cause])].join("\n");
}

function paint(text: string, code: number, colour: boolean): string {
  return colour ? `\u001b[${code}m${text}\u001b[39m` : text;
}

/** A person who closed stderr does not want to hear of it. */
async function quietly(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!(error instanceof KeyctlError)) throw error;
  }
}
