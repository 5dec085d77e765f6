import { createReadStream, createWriteStream, fstatSync, openSync } from "node:fs";
import type { ReadStream as FileStream } from "node:fs";
import { open } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { resolve } from "node:path";
import { ReadStream } from "node:tty";
import { KeyctlError } from "../core/errors.ts";
import { OutputClosed } from "./io.ts";
import type { Io, Prompter, Sink } from "./io.ts";
import { createPrompter } from "./prompt.ts";

/** The `Io` of a real process. From here on Ctrl-C aborts its signal once; a second Ctrl-C ends the process as usual. */
export function processIo(process: NodeJS.Process): Io {
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const cwd = process.cwd();
  return {
    stdin: { isTTY: process.stdin.isTTY, chunks: () => process.stdin },
    stdout: streamSink(process.stdout),
    stderr: streamSink(process.stderr),
    env: process.env,
    cwd,
    homeDirectory: homedir(),
    login: loginOf(process),
    now: () => Date.now(),
    openPrompter: async () => await openPrompter(process, interrupt.signal),
    readFile: async (path, bytesMax) => await readNamedFile(resolve(cwd, path), bytesMax),
    signal: interrupt.signal,
  };
}

/** A stream as a `Sink`. Its errors come back through `write`; without a listener they would end the process. */
export function streamSink(stream: NodeJS.WriteStream): Sink {
  stream.on("error", () => undefined);
  return {
    isTTY: stream.isTTY,
    columns: stream.isTTY ? stream.columns : null,
    write: async (data) =>
      await new Promise((taken, failed) => {
        stream.write(data, (error) => {
          if (error) failed(writeError(error));
          else taken();
        });
      }),
  };
}

function writeError(error: Error): KeyctlError {
  const code = codeOf(error);
  if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED") return new OutputClosed();
  const why = code === "ENOSPC" ? "there is no space left" : "the output could not be written";
  return new KeyctlError("unavailable", why, { cause: error });
}

/**
 * Where to ask: stdin and stderr when both are terminals, else the controlling terminal itself (stdin carries data then). Not
 * when no stream is a terminal: a script in the background must not grab one that somebody else is typing on.
 */
async function openPrompter(process: NodeJS.Process, signal: AbortSignal): Promise<Prompter | null> {
  const { stdin, stdout, stderr } = process;
  if (stdin.isTTY && stderr.isTTY) {
    return createPrompter({ input: stdin, output: stderr, signal, close: () => stdin.pause() });
  }
  if (!stdin.isTTY && !stdout.isTTY && !stderr.isTTY) return null;
  try {
    const input = new ReadStream(openSync("/dev/tty", "r"));
    const output = createWriteStream("/dev/tty");
    const close = (): void => {
      input.destroy();
      output.end();
    };
    return createPrompter({ input, output, signal, close });
  } catch (error) {
    // No controlling terminal (ENXIO), or a system without /dev/tty.
    if (codeOf(error) === null) throw error;
    return null;
  }
}

/**
 * `/dev/fd/N` is read by its number: opened anew, one that was never given, and which Node therefore uses itself, would block
 * for ever. It stays open, because it is not ours to close.
 */
async function openNamed(path: string): Promise<FileStream> {
  const [, number] = /^\/dev\/fd\/(\d{1,4})$/.exec(path) ?? [];
  if (number === undefined) return createReadStream("", { fd: await open(path, "r") });
  const descriptor = Number(number);
  if (isOwnPipe(descriptor)) throw noDescriptor();
  return createReadStream("", { fd: descriptor, autoClose: false });
}

/** Both ends of Node's own pipes are open in this process, side by side; of a pipe that was given, it has one. */
function isOwnPipe(descriptor: number): boolean {
  const { dev, ino } = fstatSync(descriptor);
  return [descriptor - 1, descriptor + 1].some((beside) => {
    try {
      const other = fstatSync(beside);
      return descriptor > 2 && beside > 2 && other.isFIFO() && other.dev === dev && other.ino === ino;
    } catch (error) {
      if (codeOf(error) === null) throw error;
      return false;
    }
  });
}

function noDescriptor(): KeyctlError {
  return new KeyctlError("not-found", "there is no open descriptor of that number to read from", {
    hint: "open it where keyctl is started: 3<FILE",
  });
}

/** The path is not repeated in errors: whoever takes `--from-file` for the place of the secret itself would see it in a log. */
export async function readNamedFile(path: string, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Not by its size: a pipe (`<(…)`) has none.
    for await (const chunk of await openNamed(path)) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > bytesMax) break;
      chunks.push(bytes);
    }
  } catch (error) {
    throw readError(error);
  }
  if (size > bytesMax)
    throw new KeyctlError("refused", `the file is larger than ${bytesMax} bytes`, {
      hint: "is it the right file?",
    });
  return Buffer.concat(chunks);
}

function readError(error: unknown): unknown {
  if (error instanceof KeyctlError) return error;
  const code = codeOf(error);
  if (code === null) return error;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new KeyctlError("not-found", "there is no file of that name", { hint: "check the path" });
  if (code === "EAGAIN" || code === "EBADF" || code === "EINVAL") return noDescriptor();
  if (code === "EISDIR")
    return new KeyctlError("usage", "that is a folder, not a file", { hint: "check the path" });
  return new KeyctlError("unavailable", "the file cannot be read", {
    hint: "check its permissions",
    cause: error,
  });
}

/** The account's name; a container may run under a number that has none. */
export function loginOf(process: NodeJS.Process): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
