import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { KeyctlError } from "../core/errors.ts";

/** No configuration is that long; a larger file is a mistake. */
const bytesMax = 1 << 20;

/**
 * A file's text, or null when there is no such file. `unavailable` when it cannot be read or is no plain file (a pipe would
 * let us wait for ever), `usage` when it is too large or not UTF-8.
 */
export async function readConfigFile(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw unreadable(path, "check the file's permissions, and where links lead", error);
  }
  try {
    return decode(await read(file, path), path);
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, path: string): Promise<Uint8Array> {
  const found = await file.stat();
  if (!found.isFile()) throw unreadable(path, "it is no plain file: put one there, or take it away");
  if (found.size > bytesMax) throw new KeyctlError("usage", `${path} is too large to be a configuration`);
  try {
    return await file.readFile();
  } catch (error) {
    throw unreadable(path, "check the disk", error);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KeyctlError("usage", `${path} is not UTF-8`, { hint: "save it as UTF-8" });
  }
}

function unreadable(path: string, hint: string, cause?: unknown): KeyctlError {
  return new KeyctlError("unavailable", `${path} cannot be read`, { hint, cause });
}
