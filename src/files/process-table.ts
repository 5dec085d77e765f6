import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ProcessIdentity, ProcessTable } from "../app/ports.ts";

/** How the system tells a boot and a process's start apart from later ones. */
interface System {
  platform: string;
  /** Our own process. */
  pid: number;
}

/**
 * Processes of this machine. Linux: the kernel's boot id, and the start time in `/proc/PID/stat` (proc(5), field 22).
 * Elsewhere: `ps -o lstart=`, which is there on macOS and the BSDs; the start time tells boots apart as well.
 */
export function processTable(system: System): ProcessTable {
  const isLinux = system.platform === "linux";
  const boot = isLinux ? readBoot() : "";
  const startOf = isLinux ? linuxStart : psStart;
  return {
    current: () => ({ boot, pid: system.pid, startedAt: startOf(system.pid) ?? "" }),
    isAlive: (process: ProcessIdentity) => {
      if (process.boot !== boot) return false;
      const start = startOf(process.pid);
      return start !== null && start === process.startedAt;
    },
  };
}

function readBoot(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

function linuxStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command's name is in parentheses and may hold anything; fields are counted after its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    return state === "Z" || state === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function psStart(pid: number): string | null {
  try {
    return (
      execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
        encoding: "latin1",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim() || null
    );
  } catch {
    return null;
  }
}
