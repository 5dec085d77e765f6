import { KeyctlError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { OptionDefinition } from "./command.ts";
import type { Flags } from "./flags.ts";
import type { Io } from "./io.ts";
import type { Talk } from "./talk.ts";

/** 1 MiB: far above any key or certificate chain; more is a wrong file. */
export const secretBytesMax = 1 << 20;

export const fromFileOption: OptionDefinition = {
  name: "from-file",
  completes: "file",
  value: "PATH",
  summary: "read the secret from a file, or from stdin with -; one newline at its end is removed",
};

/**
 * The secret that a person or script puts in: `--from-file PATH`, `--from-file -`, or a hidden prompt on a terminal.
 * Never a flag's value, because other users of the machine can read those. `usage` when there is nowhere to read from.
 */
export async function readSecret(
  from: { io: Io; talk: Talk; flags: Flags },
  question: string,
): Promise<Secret> {
  const path = from.flags.text("from-file");
  if (path === "-") return withoutNewline(await readStdin(from.io, secretBytesMax));
  if (path !== null) return withoutNewline(await from.io.readFile(path, secretBytesMax));
  return await askSecret(from, question);
}

/** As `readSecret` for verbs that take their secret from stdin without a flag; on a terminal it is asked for. */
export async function readPipedSecret(
  from: { io: Io; talk: Talk; flags: Flags },
  question: string,
): Promise<Secret> {
  if (from.flags.has("from-file") || from.io.stdin.isTTY) return await readSecret(from, question);
  return withoutNewline(await readStdin(from.io, secretBytesMax));
}

/** All of stdin; `refused` above `bytesMax`. The caller wipes it. */
export async function readStdin(io: Io, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of io.stdin.chunks()) {
    size += chunk.length;
    if (size > bytesMax)
      throw new KeyctlError("refused", `stdin holds more than ${bytesMax} bytes`, {
        hint: "is it the right file?",
      });
    chunks.push(Uint8Array.from(chunk));
    chunk.fill(0);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
    chunk.fill(0);
  }
  return whole;
}

async function askSecret(from: { io: Io; talk: Talk }, question: string): Promise<Secret> {
  const prompter = await from.io.openPrompter();
  if (prompter === null) {
    throw new KeyctlError("usage", "a secret is needed, and there is no terminal to ask for it", {
      hint: "--from-file PATH reads it from a file, --from-file - from stdin",
    });
  }
  try {
    await from.talk.flush();
    return await prompter.password(question);
  } finally {
    prompter.close();
  }
}

/** Without the newline that editors and `echo` put at the end; the buffer is wiped. */
export function withoutNewline(bytes: Uint8Array): Secret {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1;
  const secret = Secret.fromBytes(bytes.subarray(0, end));
  bytes.fill(0);
  return secret;
}
