import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Random } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import { placeNewFile } from "./placing.ts";

/** Where the unlock key's file is, and who must own it. */
export interface UnlockFile {
  path: string;
  /** The running user's id; null where the system has none, then owner and permissions are not looked at. */
  uid: number | null;
}

const magic = "keyctl-unlock-v1";
const keyBytes = 32;
/** Magic line, newline, 44 characters of base64, newline; a byte more than that is read to notice a longer file. */
const fileBytesMax = magic.length + 1 + 44 + 1;

function missing(path: string): KeyctlError {
  return new KeyctlError("unavailable", `the unlock key ${path} is missing`, {
    hint: "restore it from its backup: without it nobody can open the vault",
    retryable: false,
  });
}

function unreadable(path: string): KeyctlError {
  return new KeyctlError("integrity", `${path} is not an unlock key of the form ${magic}`, {
    hint: "restore the unlock key from its backup",
  });
}

async function openExisting(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw missing(path);
    throw error;
  }
}

/** Looks at the opened file, not at the path, so that nothing can be swapped between the check and the read. */
async function assertPrivate(handle: FileHandle, { path, uid }: UnlockFile): Promise<void> {
  const status = await handle.stat();
  if (!status.isFile()) throw unreadable(path);
  if (uid === null) return;
  if (status.uid !== uid) {
    // Whoever makes it their own locks its owner out: that is no cure.
    throw new KeyctlError(
      "refused",
      `the unlock key ${path} belongs to user ${status.uid}, and this is user ${uid}: an embedded vault is for one account of the system`,
      { hint: `run keyctl as user ${status.uid}, or with files of your own: KEYCTL_HOME=FOLDER keyctl init` },
    );
  }
  if ((status.mode & 0o077) !== 0) {
    throw new KeyctlError("refused", `the unlock key ${path} can be read by others`, {
      hint: `chmod 600 ${path}`,
    });
  }
}

function parseUnlockKey(content: Buffer, path: string): KeyObject {
  const match = /^keyctl-unlock-v1\n([A-Za-z0-9+/]{43}=)\n$/.exec(content.toString("latin1"));
  const base64 = match?.[1];
  if (base64 === undefined) throw unreadable(path);
  const key = Buffer.from(base64, "base64");
  // The last character of 32 bytes in base64 has two spare bits: only one spelling of a key is taken.
  if (key.toString("base64") !== base64) throw unreadable(path);
  return createSecretKey(key);
}

/**
 * Reads the unlock key. `unavailable` when there is no file, `refused` (with the command that cures it) when others can
 * read it or it belongs to somebody else, `integrity` when it is no unlock key.
 */
export async function loadUnlockFile(file: UnlockFile): Promise<KeyObject> {
  const handle = await openExisting(file.path);
  try {
    await assertPrivate(handle, file);
    const content = Buffer.alloc(fileBytesMax + 1);
    const { bytesRead } = await handle.read(content, 0, content.length, 0);
    return parseUnlockKey(content.subarray(0, bytesRead), file.path);
  } finally {
    await handle.close();
  }
}

/**
 * Makes a new unlock key of 32 random bytes, or takes the one that is there: a former run may have died between key and
 * vault. File and folder are on the disk when it returns, so a vault is never older than its key.
 */
export async function makeUnlockFile(file: UnlockFile, random: Random): Promise<KeyObject> {
  const text = `${magic}\n${Buffer.from(random.bytes(keyBytes)).toString("base64")}\n`;
  try {
    return await loadUnlockFile(file);
  } catch (error) {
    if (!(error instanceof KeyctlError && error.code === "unavailable")) throw error;
  }
  await placeNewFile(file.path, random, async (temporaryPath) => {
    await writeFile(temporaryPath, text);
  });
  return await loadUnlockFile(file);
}
