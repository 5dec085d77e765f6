import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Random } from "../../app/ports.ts";

/** Makes names in a folder durable: a file's own fsync does not cover its directory entry. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder, 0700, and whatever is missing above it; durable when it returns. An existing one is left as it is. */
async function makePrivateFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const last = dirname(first);
  for (let made = folder; made !== last && made !== dirname(made); made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

async function linkUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

/**
 * Puts a new private file (0600) in its place whole or not at all, and never over another: `fill` writes it under a
 * temporary name in the same folder, it is synced, then linked (a rename would replace what another process has just
 * made). Answers false when the place was taken meanwhile. A killed process leaves at most a file ending in `.new`.
 */
export async function placeNewFile(
  path: string,
  random: Random,
  fill: (temporaryPath: string) => Promise<void>,
): Promise<boolean> {
  const folder = dirname(path);
  await makePrivateFolder(folder);
  const temporaryPath = `${path}.${Buffer.from(random.bytes(8)).toString("hex")}.new`;
  try {
    await (await open(temporaryPath, "wx", 0o600)).close();
    await fill(temporaryPath);
    await syncFile(temporaryPath);
    const placed = await linkUnlessTaken(temporaryPath, path);
    await syncFolder(folder);
    return placed;
  } finally {
    await rm(temporaryPath, { force: true });
  }
}
