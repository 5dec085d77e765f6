import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/keyctl.js", import.meta.url));
const built = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const peakMemory = new URL("peak-memory.ts", import.meta.url).href;

/** Throws when the bundle is missing: whole processes are measured as they are shipped. */
export function assertBuilt(): void {
  if (!existsSync(built)) throw new Error("there is no dist/: npm run build first");
}

/** Runs Node to its end, its output thrown away. `accepted` are its good exit codes. */
export function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  accepted: readonly number[] = [0],
): void {
  const { status } = spawnSync(process.execPath, args, { env, stdio: "ignore" });
  if (status === null || !accepted.includes(status))
    throw new Error(`node ${args.join(" ")}: exit ${status ?? "by signal"}`);
}

/** Runs the built command line on a home, its output thrown away. */
export function runKeyctl(home: string, args: readonly string[], accepted: readonly number[] = [0]): void {
  runNode([bin, ...args], { ...process.env, KEYCTL_HOME: home }, accepted);
}

/** As `runKeyctl`; answers the most memory that the process had resident, in MiB. `accepted` are its good exit codes. */
export function peakMemoryMiB(
  home: string,
  args: readonly string[],
  accepted: readonly number[] = [0],
): number {
  const { status, output } = spawnSync(process.execPath, ["--import", peakMemory, bin, ...args], {
    env: { ...process.env, KEYCTL_HOME: home },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (status === null || !accepted.includes(status)) {
    throw new Error(`keyctl ${args.join(" ")}: exit ${status ?? "by signal"}\n${output[2] ?? ""}`);
  }
  return Number(output[3]) / 1024;
}
