import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { OutputReader, ProgramCall, ProgramEnd, Programs } from "../app/ports.ts";

/** Where the signals of this process arrive; `process` itself is one. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;
/** What a terminal sends by itself to every process in front of it. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** Programs as child processes. */
export function childPrograms(signals: SignalSource): Programs {
  return {
    run: async (call) => {
      const child = startChild(call);
      if (!("ended" in child)) return { notStarted: whyNotStarted(child.error) };
      const stopPassing = passSignals(signals, child.process, call.onTerminal);
      try {
        const failure = await child.spawned;
        if (failure !== null) return { notStarted: whyNotStarted(failure) };
        const [status] = await Promise.all([child.ended, ...readOutput(child.process, call)]);
        return { status };
      } finally {
        stopPassing();
      }
    },
  };
}

interface Started {
  process: ChildProcess;
  /** Null, or why it could not be started. */
  spawned: Promise<Error | null>;
  ended: Promise<number>;
}

/** Some failures come at once (arguments too long), others by event (no such program). */
function startChild({ program, args, env, read }: ProgramCall): Started | { error: unknown } {
  try {
    const process = spawn(program, args, {
      env,
      stdio: read === null ? "inherit" : ["inherit", "pipe", "pipe"],
    });
    const spawned = once(process, "spawn").then(
      () => null,
      (error: Error) => error,
    );
    return { process, spawned, ended: statusOf(process) };
  } catch (error) {
    return { error };
  }
}

async function statusOf(process: ChildProcess): Promise<number> {
  return await new Promise((ended) => {
    process.once("exit", (code, signal) =>
      ended(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

/** From here on these signals do not end this process: it ends when the child does. Answers how to undo that. */
function passSignals(signals: SignalSource, child: ChildProcess, onTerminal: boolean): () => void {
  const listeners = passedOn.map((signal) => {
    const listener = (): void => {
      if (!onTerminal || !fromTerminal.has(signal)) child.kill(signal);
    };
    signals.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) signals.off(signal, listener);
  };
}

function readOutput({ stdout, stderr }: ChildProcess, { read }: ProgramCall): Promise<void>[] {
  if (read === null || stdout === null || stderr === null) return [];
  const all: [AsyncIterable<Uint8Array>, OutputReader][] = [
    [stdout, read.stdout],
    [stderr, read.stderr],
  ];
  return all.map(async ([chunks, reader]) => await reader(chunks));
}

/** As the shell tells them apart: there is no such program, or it cannot be run. */
function whyNotStarted(error: unknown): Extract<ProgramEnd, { notStarted: string }>["notStarted"] {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT") return "not-found";
  return code === "E2BIG" ? "too-large" : "not-executable";
}
