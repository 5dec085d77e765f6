import { lstat, open, readdir, realpath, stat, statfs } from "node:fs/promises";
import type { FileFacts, FileInspector } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";

/** Magic numbers of Linux's statfs(2) whose locks or shared memory other machines do not see. */
const remoteTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
  [0x65735546, "fuse"],
  [0x5346414f, "afs"],
  [0x00c36400, "ceph"],
  [0x0bd00bd0, "lustre"],
  [0x01161970, "gfs2"],
  [0x7461636f, "ocfs2"],
]);

/** Looks at files of this machine. */
export function fileInspector(platform: string): FileInspector {
  return {
    facts: async (path) => await unlessMissing(path, null, async () => await factsOf(path)),
    names: async (folder) => (await unlessMissing(folder, [], async () => await readdir(folder))).toSorted(),
    realPath: async (path) => await orRefusal(path, async () => await realpath(path)),
    head: async (path, bytesMax) => await orRefusal(path, async () => await headOf(path, bytesMax)),
    volume: async (path) => {
      const { type, bavail, bsize } = await orRefusal(path, async () => await statfs(path));
      // The numbers are Linux's; elsewhere the same number is another file system.
      const remote = platform === "linux" ? (remoteTypes.get(type) ?? null) : null;
      return { remote, freeBytes: bavail * bsize };
    },
  };
}

async function factsOf(path: string): Promise<FileFacts> {
  const isLink = (await lstat(path)).isSymbolicLink();
  const found = await stat(path).catch((error: unknown) => {
    if (!isLink || codeOf(error) !== "ENOENT") throw error;
    throw new KeyctlError("unavailable", `${path} is a link that leads nowhere`, {
      hint: "remove the link, or restore what it leads to",
      retryable: false,
    });
  });
  return {
    kind: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other",
    isLink,
    mode: found.mode & 0o7777,
    uid: found.uid,
    bytes: found.size,
  };
}

async function headOf(path: string, bytesMax: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(bytesMax);
    const { bytesRead } = await file.read(head, 0, bytesMax, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function unlessMissing<T>(path: string, missing: T, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return missing;
    throw refusal(error, path);
  }
}

async function orRefusal<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw refusal(error, path);
  }
}

function refusal(error: unknown, path: string): unknown {
  if (error instanceof KeyctlError || codeOf(error) === null) return error;
  return new KeyctlError("unavailable", `${path} cannot be looked at`, {
    hint: "check the owner and permissions of the folders above it",
    retryable: false,
    cause: error,
  });
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
