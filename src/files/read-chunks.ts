import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { KeyctlError } from "../core/errors.ts";

/** One read; also the longest chunk. */
export const chunkBytes = 262_144;
let spare: Uint8Array | null = null;

export interface ReadOptions {
  /** False refuses a symbolic link in the path's last place; a walk sets it, so that a link put there meanwhile is not followed. */
  followLink: boolean;
}

/**
 * A file's bytes in chunks of at most 256 KB. A chunk is only valid until the next one is asked for: one buffer serves them all.
 * Reads are synchronous, which for many small files is several times faster than the thread pool.
 * Throws `KeyctlError` `unavailable` whose message is the reason (`permission denied`), without the path.
 */
export async function* readChunks(
  path: string,
  options: ReadOptions = { followLink: true },
): AsyncGenerator<Uint8Array> {
  const buffer = spare ?? new Uint8Array(chunkBytes);
  spare = null;
  const file = attempt(() =>
    openSync(path, constants.O_RDONLY | (options.followLink ? 0 : constants.O_NOFOLLOW)),
  );
  try {
    if (attempt(() => fstatSync(file)).isDirectory()) throw new KeyctlError("unavailable", "is a directory");
    for (;;) {
      const length = attempt(() => readSync(file, buffer, 0, buffer.length, null));
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
    spare = buffer;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOENT: "no such file or directory",
  ENOTDIR: "no such file or directory",
  EISDIR: "is a directory",
  ELOOP: "is a symbolic link",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "is a socket or a device",
  EMFILE: "too many open files",
  EIO: "input/output error",
};

/** Why a file or directory cannot be read, in words; the system's own text names paths and is not used. */
export function readFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return reasons[code] ?? `cannot be read${/^[A-Z0-9_]{2,40}$/u.test(code) ? ` (${code})` : ""}`;
}

function attempt<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new KeyctlError("unavailable", readFailure(error), { cause: error });
  }
}
