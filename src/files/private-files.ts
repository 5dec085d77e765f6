import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { PrivateFiles, WriteFile } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";

type Content = AsyncIterable<Uint8Array> | Uint8Array;

/** Files and folders that only their owner reads, and that appear whole or not at all. */
export const privateFiles: PrivateFiles = {
  async writePrivate(path, content) {
    const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    await assertReplaceable(path);
    try {
      await writeSynced(temporary, content);
      await rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true });
      throw refusedWrite(error, path);
    }
  },

  async writeFolder(path, fill) {
    if (await this.exists(path)) throw taken(path);
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
    const write: WriteFile = async (name, content) => await writeSynced(join(temporary, name), content);
    try {
      await mkdir(temporary, { mode: 0o700 });
      await fill(write);
      await syncFolder(temporary);
      // rename onto an empty folder would replace it: it was asked for above, and a full one fails.
      await rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true, recursive: true });
      throw refusedWrite(error, path);
    }
  },

  async exists(path) {
    try {
      await lstat(path);
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw refusedWrite(error, path);
    }
  },
};

/**
 * Only a plain file is replaced: the rename would put an ordinary file in the place of a device, a pipe or a link
 * (`--out /dev/stdout`), for every program of the machine when root runs it.
 */
async function assertReplaceable(path: string): Promise<void> {
  let isOther: boolean;
  try {
    const found = await lstat(path);
    isOther = !found.isFile() && !found.isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw refusedWrite(error, path);
  }
  if (!isOther) return;
  throw new KeyctlError(
    "unavailable",
    `${path} cannot be written: it is a device, a pipe or a link, not a file`,
    {
      hint: "name a file; without one the answer goes to stdout",
      retryable: false,
    },
  );
}

/** Writes and syncs a new file, 0600; answers the SHA-256 of its bytes. */
async function writeSynced(path: string, content: Content): Promise<Uint8Array> {
  const sum = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of content instanceof Uint8Array ? [content] : content) {
      sum.update(chunk);
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return sum.digest();
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
}

/** A renamed file is there after a power cut only when its folder was synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function taken(path: string): KeyctlError {
  return new KeyctlError("conflict", `${path} exists already`, {
    hint: "choose another path",
    retryable: false,
  });
}

const reasons: Readonly<Record<string, { why: string; hint: string }>> = {
  ENOENT: { why: "its folder does not exist", hint: "create the folder first" },
  ENOTDIR: { why: "its folder is not a folder", hint: "choose another path" },
  EACCES: { why: "its folder may not be written", hint: "choose a folder of your own" },
  EPERM: { why: "its folder may not be written", hint: "choose a folder of your own" },
  EROFS: { why: "the file system is read-only", hint: "choose a folder that can be written" },
  ENOSPC: { why: "no space is left", hint: "free some space, then run the command again" },
  EDQUOT: { why: "the quota is used up", hint: "free some space, then run the command again" },
  EISDIR: { why: "it is a folder", hint: "name a file" },
};

function refusedWrite(error: unknown, path: string): unknown {
  if (error instanceof KeyctlError) return error;
  const code = codeOf(error);
  if (code === "ENOTEMPTY" || code === "EEXIST") return taken(path);
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  return new KeyctlError(
    "unavailable",
    `${path} cannot be written: ${reason?.why ?? `the system answered ${code || "an error"}`}`,
    {
      hint: reason?.hint ?? "choose another path",
      cause: error,
    },
  );
}
