import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { ProgramCall, ProgramEnd, Programs } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";
import { makePipes } from "./pipes.ts";
import type { Pipe } from "./pipes.ts";

/** Where the signals of this process arrive; `process` itself is one. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;
/** What a terminal sends by itself to every process in front of it. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

const stops: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);
/** Output that did not come for so long after a stopped program ended is not its own. */
const quietMs = 100;

/** Programs as child processes. */
export function childPrograms(signals: SignalSource): Programs {
  return {
    run: async (call) => {
      const pipes = call.read === null ? null : await makePipes(2);
      const child = startChild(call, pipes ?? []);
      if ("error" in child) return { notStarted: whyNotStarted(child.error) };
      const passing = passSignals(signals, child.process, call.onTerminal);
      try {
        const failure = await child.spawned;
        if (failure !== null) {
          for (const output of child.outputs) output.destroy();
          return { notStarted: whyNotStarted(failure) };
        }
        void leaveBehind(child, passing.stopped);
        const [status] = await Promise.all([child.ended, ...readOutput(child, call.read)]);
        return { status };
      } finally {
        passing.end();
      }
    },
  };
}

interface Started {
  process: ChildProcess;
  /** Null, or why it could not be started. */
  spawned: Promise<Error | null>;
  ended: Promise<number>;
  /** Its stdout and stderr; none when it writes to ours. */
  outputs: readonly Socket[];
}

/** Some failures come at once (arguments too long), others by event (no such program). */
function startChild(
  { program, args, env, read, starting }: ProgramCall,
  pipes: readonly Pipe[],
): Started | { error: unknown } {
  const [stdout, stderr] = pipes;
  const own: StdioOptions = read === null ? "inherit" : ["inherit", "pipe", "pipe"];
  try {
    starting();
    const stdio = stdout && stderr ? (["inherit", stdout.input, stderr.input] satisfies StdioOptions) : own;
    const process = spawn(program, args, { env, stdio });
    const spawned = once(process, "spawn").then(
      () => null,
      (error: Error) => error,
    );
    // Later ones mean that a signal could not be passed on: the program is another user's (sudo).
    process.on("error", () => undefined);
    const outputs: (Readable | null)[] =
      stdout && stderr ? [stdout.output, stderr.output] : [process.stdout, process.stderr];
    return {
      process,
      spawned,
      ended: statusOf(process),
      outputs: outputs.filter((output) => output instanceof Socket),
    };
  } catch (error) {
    for (const { output } of pipes) output.destroy();
    if (error instanceof KeyctlError) throw error;
    return { error };
  } finally {
    for (const { input } of pipes) closeSync(input);
  }
}

async function statusOf(process: ChildProcess): Promise<number> {
  return await new Promise((ended) => {
    process.once("exit", (code, signal) =>
      ended(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

interface Passing {
  /** Fulfilled at the first signal that is meant to stop the program. */
  stopped: Promise<void>;
  end(): void;
}

/** From here on these signals do not end this process: it ends when the child does. */
function passSignals(signals: SignalSource, child: ChildProcess, onTerminal: boolean): Passing {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const listeners = passedOn.map((signal) => {
    const listener = (): void => {
      if (!onTerminal || !fromTerminal.has(signal)) child.kill(signal);
      if (stops.has(signal)) stop();
    };
    signals.on(signal, listener);
    return { signal, listener };
  });
  const end = (): void => {
    for (const { signal, listener } of listeners) signals.off(signal, listener);
  };
  return { stopped, end };
}

function readOutput({ outputs }: Started, read: ProgramCall["read"]): Promise<void>[] {
  if (read === null) return [];
  const readers = [read.stdout, read.stderr];
  return outputs.map(async (output, i) => await readers[i]?.(chunksOf(output)));
}

/** Its end is that of all that write to it, or that we leave it. */
async function* chunksOf(output: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* output;
  } catch (error) {
    if (!output.destroyed || codeOf(error) !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/**
 * What a program started may outlive it and hold its output open: that is waited for, as a pipe in a shell does, until a
 * signal says that it is time to go.
 */
async function leaveBehind({ ended, outputs }: Started, stopped: Promise<void>): Promise<void> {
  await Promise.all([ended, stopped]);
  const read = (): number => outputs.reduce((sum, output) => sum + output.bytesRead, 0);
  for (let before = -1; before < read();) {
    before = read();
    await pause(quietMs);
  }
  for (const output of outputs) output.destroy();
}

/** As the shell tells them apart: there is no such program, or it cannot be run. */
function whyNotStarted(error: unknown): Extract<ProgramEnd, { notStarted: string }>["notStarted"] {
  const code = codeOf(error);
  if (code === "ENOENT") return "not-found";
  return code === "E2BIG" ? "too-large" : "not-executable";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
