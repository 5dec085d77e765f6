import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { KeyctlError } from "../core/errors.ts";

/** A temporary folder in which shell lines are run for real, with a `keyctl` on the PATH and a home of its own. */
export interface Workshop {
  readonly folder: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Runs one line in `sh`; every byte it prints goes to `print`, in order. Answers its exit status. */
  run(line: string, print: (text: string) => void): Promise<number>;
  remove(): Promise<void>;
}

export interface WorkshopOptions {
  /** The Node that runs keyctl, and its `bin/keyctl.js`. */
  node: string;
  script: string;
  path: string;
}

export async function makeWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-demo-"));
  const shims = join(folder, ".bin");
  await mkdir(shims, { mode: 0o700 });
  await writeFile(join(shims, "keyctl"), `#!/bin/sh\nexec '${options.node}' '${options.script}' "$@"\n`);
  await chmod(join(shims, "keyctl"), 0o700);
  const env = {
    PATH: `${shims}${delimiter}${options.path}`,
    HOME: folder,
    KEYCTL_HOME: join(folder, "home"),
    LANG: "C.UTF-8",
  };
  return {
    folder,
    write: async (name, content) => await writeFile(join(folder, name), content, { mode: 0o600 }),
    run: async (line, print) => await runLine({ line, cwd: folder, env }, print),
    remove: async () => await rm(folder, { recursive: true, force: true }),
  };
}

async function runLine(
  run: { line: string; cwd: string; env: Record<string, string> },
  print: (text: string) => void,
): Promise<number> {
  return await new Promise((ended, failed) => {
    // One descriptor for both streams, so that they come in the order in which they were written.
    const child = spawn("sh", ["-c", `{ ${run.line}\n} 2>&1`], {
      cwd: run.cwd,
      env: run.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => print(text));
    child.on("error", (cause) =>
      failed(new KeyctlError("unavailable", "there is no sh to run the demo with", { cause })),
    );
    child.on("close", (code) => ended(code ?? 1));
  });
}
