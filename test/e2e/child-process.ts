import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { bundled } from "../fakes/bundle.ts";
import type { Home } from "../fakes/home.ts";

/** How a process ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
  /** The steps that it did, in order. */
  steps: string[];
}

/** A command line that runs in a process of its own. */
export interface Child {
  /** Fulfilled when it stopped itself at its point; rejected when it ended without getting there. */
  reached: Promise<void>;
  ended: Promise<Ended>;
  /** After SIGSTOP: lets it go on. */
  go(): void;
}

let bundle: Promise<string> | null = null;

async function childPath(): Promise<string> {
  bundle ??= bundled(new URL("kill-child.ts", import.meta.url));
  return await bundle;
}

/** Starts a command line on this home; `point` says where it stops itself (see kill-child.ts). */
export async function startChild(
  home: Pick<Home, "path" | "now">,
  argv: readonly string[],
  point = "never",
): Promise<Child> {
  const started = spawn(process.execPath, [await childPath(), point, String(home.now), ...argv], {
    cwd: home.path,
    env: { KEYCTL_HOME: home.path, HOME: home.path },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const steps: string[] = [];
  const reached = new Promise<void>((resolve) => {
    createInterface({ input: started.stdio[3] as Readable }).on("line", (line) => {
      if (line === "reached") resolve();
      else steps.push(line.replace("step ", ""));
    });
  });
  const [stdout, stderr] = [started.stdio[1] as Readable, started.stdio[2] as Readable];
  const texts = Promise.all([text(stdout), text(stderr), once(started, "close")]);
  const ended = texts.then(([out, err]) => {
    return { code: started.exitCode, signal: started.signalCode, out, err, steps };
  });
  const early = ended.then(({ code, err }) => {
    throw new Error(`keyctl ${argv.join(" ")} ended with ${code} before it got to "${point}"\n${err}`);
  });
  const first = Promise.race([reached, early]);
  // Whoever does not wait for the point is not told that it was missed.
  first.catch(() => undefined);
  const go = (): void => {
    // It says that it is there just before it stops: one signal alone might come too early.
    const again = setInterval(() => started.kill("SIGCONT"), 20);
    void ended.finally(() => clearInterval(again));
  };
  return { reached: first, ended, go };
}

/** Runs `work` over the items, so many at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
