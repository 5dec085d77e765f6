import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import type { LoadServices } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";

/** The process's own command line; answers the exit code. The only place that reads `process`. */
export async function runProcess(): Promise<number> {
  const argv = process.argv.slice(2);
  // Before anything else is loaded: what asks for the version waits for nothing.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    // A reader that went away is no reason for a stack trace.
    process.stdout.on("error", () => undefined);
    process.stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  // Files that libraries make (SQLite's WAL) are as private as ours.
  process.umask(0o077);
  const { processIo } = await import("./cli/process-io.ts");
  return await runMain(argv, processIo(process));
}

const loadServices: LoadServices = async (io, talk) => {
  const { composeServices } = await import("./compose.ts");
  const { pid, platform } = process;
  const system = {
    pid,
    platform,
    uid: process.getuid?.() ?? null,
    tool: `keyctl/${packageJson.version}`,
    node: process.execPath,
    script: fileURLToPath(new URL("../bin/keyctl.js", import.meta.url)),
    nodeVersion: process.versions.node,
    nodeRange: packageJson.engines.node,
    signals: process,
  };
  return composeServices({ io, talk, system });
};

/** Runs a command line on these streams, in this process; answers the exit code. Tests give it a fake `Io`. */
export async function runMain(argv: readonly string[], io: Io): Promise<number> {
  const [{ runProgram }, { commands }] = await Promise.all([
    import("./cli/program.ts"),
    import("./cli/tree.ts"),
  ]);
  return await runProgram(argv, io, { commands, loadServices, version: packageJson.version });
}
