import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { bundled } from "../fakes/bundle.ts";

export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export interface ProcessOptions {
  env?: Record<string, string>;
  stdin?: string | Uint8Array;
  cwd?: string;
  /** Another user to run as; only root may. */
  uid?: number;
  /** Where stdout goes instead of into `out`: an open descriptor. */
  stdout?: number;
  /** Told when the process has begun. */
  started?: (child: ChildProcess) => void;
}

let bundle: Promise<string> | null = null;

/** The program as one bundle made from the sources. */
export async function program(): Promise<string> {
  bundle ??= bundled(new URL("canary-main.ts", import.meta.url));
  return await bundle;
}

/** Runs `keyctl` in a process of its own on this home. */
export async function runProcess(
  home: string,
  argv: readonly string[],
  options: ProcessOptions = {},
): Promise<Ran> {
  const stdio: StdioOptions = ["pipe", options.stdout ?? "pipe", "pipe"];
  const child = spawn(process.execPath, [await program(), ...argv], {
    stdio,
    cwd: options.cwd ?? home,
    env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home, HOME: home, TMPDIR: home, ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  options.started?.(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  // A process that ended before it read is no error here.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.stdin ?? "");
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({
        code,
        signal,
        out: Buffer.concat(out).toString("utf8"),
        err: Buffer.concat(err).toString("utf8"),
      }),
    );
  });
}

/** As `runProcess`, and fails unless the exit code is 0; answers stdout. */
export async function okProcess(
  home: string,
  argv: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const ran = await runProcess(home, argv, options);
  if (ran.code !== 0) throw new Error(`keyctl ${argv.join(" ")}: exit ${String(ran.code)}\n${ran.err}`);
  return ran.out;
}
