import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The two ends of a pipe. */
export interface Pipe {
  output: Socket;
  /** A descriptor for a child process; whoever made the pipe closes it when the child has it. */
  input: number;
}

const run = promisify(execFile);

/**
 * So many pipes as a shell makes them; null where the system has none to give. Node's own are sockets: a program cannot open
 * its `/dev/stdout` then, and is told of a reader that went away by an error that it does not know. Made as named pipes in a
 * folder of our own that is gone before anything is written; what goes through them is on no disk.
 */
export async function makePipes(count: number): Promise<Pipe[] | null> {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-pipe-")).catch(() => null);
  if (folder === null) return null;
  const pipes: Pipe[] = [];
  try {
    const paths = Array.from({ length: count }, (_, i) => join(folder, String(i)));
    await run("mkfifo", ["-m", "600", ...paths]);
    for (const path of paths) pipes.push(openPipe(path));
    return pipes;
  } catch {
    for (const { output, input } of pipes) {
      output.destroy();
      closeSync(input);
    }
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The reading end first, and without waiting for a writer: then the writing end need not wait either. */
function openPipe(path: string): Pipe {
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const input = openSync(path, constants.O_WRONLY);
  return { output: new Socket({ fd: reader, readable: true, writable: false }), input };
}
