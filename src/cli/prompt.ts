import type * as Inquirer from "@inquirer/prompts";
import { KeyctlError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { Prompter } from "./io.ts";

/** The two sides of a terminal. */
export interface TerminalStreams {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  signal: AbortSignal;
  close(): void;
}

/** Prompts on these streams. The library is loaded at the first question. */
export function createPrompter(streams: TerminalStreams): Prompter {
  return {
    confirm: async (question) =>
      await asked(
        streams,
        async ({ confirm }, context) => await confirm({ message: question, default: false }, context),
      ),
    text: async (question) =>
      await asked(streams, async ({ input }, context) => await input({ message: question }, context)),
    password: async (question) => {
      // Without `toggleMask: false` Ctrl-T, also one inside what is pasted, would show the secret.
      const config = { message: question, mask: false, toggleMask: false };
      return Secret.fromUtf8(
        await asked(streams, async ({ password }, context) => await password(config, context)),
      );
    },
    close: () => streams.close(),
  };
}

type Context = Omit<TerminalStreams, "close">;

async function asked<T>(
  { input, output, signal }: TerminalStreams,
  ask: (prompts: typeof Inquirer, context: Context) => Promise<T>,
): Promise<T> {
  const prompts = await import("@inquirer/prompts");
  const ended = new AbortController();
  // Ctrl-D and a terminal that goes away end the input and not the question: the process would run out of work, with exit 0.
  const onPause = () => setImmediate(() => ended.abort());
  input.once("pause", onPause);
  try {
    return await ask(prompts, { input, output, signal: AbortSignal.any([signal, ended.signal]) });
  } catch (error) {
    // Ctrl-C, Ctrl-D, or an abort from outside; the library tells them by these names.
    if (
      error instanceof Error &&
      ["ExitPromptError", "AbortPromptError", "CancelPromptError"].includes(error.name)
    ) {
      throw new KeyctlError("interrupted", "interrupted, nothing was done", { cause: error });
    }
    throw error;
  } finally {
    input.removeListener("pause", onPause);
  }
}
