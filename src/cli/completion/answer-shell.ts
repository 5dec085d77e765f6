import type { CommandDefinition } from "../command.ts";
import type { LoadServices, Services } from "../context.ts";
import type { Io } from "../io.ts";
import { createTalk } from "../talk.ts";
import { askedFor } from "./asked-for.ts";
import { candidatesFor } from "./candidates.ts";
import type { Answer } from "./candidates.ts";

/** The first word of the call by which a completion script asks; in no help, because nobody types it. */
export const askWord = "__complete";

/** No line that is typed is longer. */
const bytesMax = 1 << 16;

export interface ShellDeps {
  commands: readonly CommandDefinition[];
  loadServices: LoadServices;
}

/**
 * Answers a completion script: it writes the words of the command line to stdin, one in each line up to the cursor (not as
 * arguments, which other users can see), and reads one candidate in each line, with a tab before what is said of it;
 * `:files` and `:folders` mean that the shell knows best. Whatever goes wrong, nothing is said: a person is typing.
 */
export async function answerShell(io: Io, deps: ShellDeps): Promise<void> {
  try {
    const words = await readWords(io);
    if (words === null) return;
    const silent = {
      ...createTalk(io, { json: false, tolerant: true }),
      note: quiet,
      warn: quiet,
      hint: quiet,
    };
    const load = async (): Promise<Services> => await deps.loadServices(io, silent);
    const answer = await candidatesFor(askedFor(words, deps.commands), deps.commands, load);
    await io.stdout.write(formatAnswer(answer));
  } catch {
    // A damaged store, an unknown profile, a reader that went away: the next real command says it.
  }
}

function quiet(): void {
  // A hint in the middle of a line that is being typed helps nobody.
}

/** The typed words; null on a terminal, and for what no shell sends. */
async function readWords(io: Io): Promise<string[] | null> {
  if (io.stdin.isTTY) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of io.stdin.chunks()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > bytesMax) return null;
  }
  const lines = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
  // Each word ends with a line's end, the empty one at the cursor too.
  return lines.length < 2 || lines.at(-1) !== "" ? null : lines.slice(0, -1);
}

function formatAnswer(answer: Answer): string {
  if (typeof answer === "string") return `:${answer}\n`;
  return answer.map(({ word, summary }) => `${word}${summary === "" ? "" : `\t${summary}`}\n`).join("");
}
