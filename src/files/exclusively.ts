import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { KeyctlError } from "../core/errors.ts";

const pauseMs = 20;
const waitMs = 5_000;

/**
 * Runs the work while no other process does so for the same path; makes its folder (0700). The lock is SQLite's, on an empty
 * file beside it: the system lets go of it when a process dies, so nothing is ever left locked. `unavailable` when the folder
 * cannot be written, or when others hold the lock for longer than a change takes.
 */
export async function exclusively<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unavailable(`${dirname(path)} cannot be made`, error);
  }
  const lock = await acquire(path);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(path: string): Promise<Database> {
  const { default: SqliteDatabase } = await import("better-sqlite3");
  for (let waited = 0; ; waited += pauseMs) {
    let lock: Database | null = null;
    try {
      // It would wait by itself, but then this whole process would.
      lock = new SqliteDatabase(`${path}.lock`, { timeout: 0 });
      lock.exec("begin exclusive");
      return lock;
    } catch (error) {
      lock?.close();
      const isBusy = error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
      if (!isBusy) throw unavailable(`${path} cannot be changed`, error);
      if (waited >= waitMs) throw busy(path);
    }
    await pause(pauseMs);
  }
}

function unavailable(message: string, cause: unknown): KeyctlError {
  return new KeyctlError("unavailable", message, {
    hint: "check the path, and the permissions of its folder",
    retryable: false,
    cause,
  });
}

function busy(path: string): KeyctlError {
  return new KeyctlError("unavailable", `another keyctl is changing ${path}`, {
    hint: "try again when it has ended",
  });
}
