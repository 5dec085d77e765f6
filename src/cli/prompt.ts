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
  const context = { input: streams.input, output: streams.output, signal: streams.signal };
  return {
    confirm: async (question) =>
      await asked(async ({ confirm }) => await confirm({ message: question, default: false }, context)),
    text: async (question) => await asked(async ({ input }) => await input({ message: question }, context)),
    password: async (question) => {
      // Without `toggleMask: false` Ctrl-T, also one inside what is pasted, would show the secret.
      const config = { message: question, mask: false, toggleMask: false };
      return Secret.fromUtf8(await asked(async ({ password }) => await password(config, context)));
    },
    close: () => streams.close(),
  };
}

async function asked<T>(ask: (prompts: typeof Inquirer) => Promise<T>): Promise<T> {
  try {
    return await ask(await import("@inquirer/prompts"));
  } catch (error) {
    // Ctrl-C, Ctrl-D, or an abort from outside; the library tells them by these names.
    if (
      error instanceof Error &&
      ["ExitPromptError", "AbortPromptError", "CancelPromptError"].includes(error.name)
    ) {
      throw new KeyctlError("interrupted", "interrupted, nothing was done", { cause: error });
    }
    throw error;
  }
}
