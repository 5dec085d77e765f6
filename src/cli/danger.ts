import { KeyctlError } from "../core/errors.ts";
import { commandLine } from "./command-line.ts";
import type { Io } from "./io.ts";
import type { Talk } from "./talk.ts";

/** What is about to happen, as the resolved targets have it. */
export interface Danger {
  class: "none" | "mild" | "moderate" | "severe";
  /** A question without its mark, as a person reads it: `rotate prod/payments`. */
  question: string;
  /** severe: what a person types, for example the key's name or the number of keys. */
  word: string;
  /** Further words that `--confirm` may carry: the key's id, the count. */
  alsoAccepted?: readonly string[];
  /** As `--dry-run` printed it; a `--confirm` that is another plan's hash is `conflict`. */
  planHash?: string;
}

export interface ConfirmRequest {
  io: Io;
  talk: Talk;
  argv: readonly string[];
  globals: { yes: boolean; confirm: string | null };
}

/** As plan hashes look; nothing else that is typed to confirm does. */
const planHashPattern = /^[0-9a-f]{16,64}$/;

/**
 * Asks before something dangerous, or takes the flags' answer. mild asks nothing, moderate asks y/N or takes `--yes`, severe
 * wants the word itself, typed or by `--confirm`. Never a default yes; without a terminal it is `usage` with the command to run.
 */
export async function confirmDanger(request: ConfirmRequest, danger: Danger): Promise<void> {
  const { globals } = request;
  if (globals.confirm !== null) return assertConfirmed(globals.confirm, danger, request.argv);
  if (danger.class === "none" || danger.class === "mild") return;
  if (danger.class === "moderate" && globals.yes) return;
  const prompter = await request.io.openPrompter();
  if (prompter === null) throw unanswered(danger, request.argv);
  try {
    await request.talk.flush();
    if (danger.class === "moderate") {
      if (!(await prompter.confirm(`${danger.question}?`))) throw declined();
      return;
    }
    const typed = await prompter.text(`${danger.question}: type ${danger.word} to confirm`);
    if (typed.trim() !== danger.word) throw declined();
  } finally {
    prompter.close();
  }
}

function assertConfirmed(given: string, danger: Danger, argv: readonly string[]): void {
  const accepted = [
    danger.word,
    ...(danger.alsoAccepted ?? []),
    ...(danger.planHash === undefined ? [] : [danger.planHash]),
  ];
  if (accepted.includes(given)) return;
  if (danger.planHash !== undefined && planHashPattern.test(given)) {
    throw new KeyctlError("conflict", "the plan changed since it was shown: this is another set of targets", {
      hint: `look again: ${commandLine(argv, { without: ["--yes", "--confirm"], add: ["--dry-run"] })}`,
      retryable: false,
    });
  }
  if (danger.class === "none" || danger.class === "mild") return;
  throw new KeyctlError("usage", "--confirm does not name what would be done", {
    hint: exactCommand(danger, argv),
  });
}

function unanswered(danger: Danger, argv: readonly string[]): KeyctlError {
  return new KeyctlError(
    "usage",
    `${danger.question}: this needs an answer, and there is no terminal to ask on`,
    {
      hint: exactCommand(danger, argv),
    },
  );
}

function exactCommand(danger: Danger, argv: readonly string[]): string {
  const add = danger.class === "severe" ? ["--confirm", danger.word] : ["--yes"];
  return commandLine(argv, { without: ["--yes", "--confirm"], add });
}

function declined(): KeyctlError {
  return new KeyctlError("interrupted", "not confirmed, nothing was done");
}
