import { isKeyctlError, KeyctlError } from "../../core/errors.ts";

type Meaning =
  | "locked"
  | "full"
  | "read-only"
  | "unreachable"
  | "input-output"
  | "damaged"
  | "exists"
  | "contradiction";

/** By SQLite's result code (an extended code falls back to its family) or the system's error name. */
const meanings: Readonly<Record<string, Meaning>> = {
  SQLITE_BUSY: "locked",
  SQLITE_LOCKED: "locked",
  SQLITE_PROTOCOL: "locked",
  SQLITE_FULL: "full",
  ENOSPC: "full",
  EDQUOT: "full",
  SQLITE_READONLY: "read-only",
  SQLITE_PERM: "read-only",
  SQLITE_AUTH: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
  EROFS: "read-only",
  SQLITE_CANTOPEN: "unreachable",
  ENOENT: "unreachable",
  ENOTDIR: "unreachable",
  EEXIST: "unreachable",
  EISDIR: "unreachable",
  ELOOP: "unreachable",
  ENAMETOOLONG: "unreachable",
  SQLITE_IOERR: "input-output",
  EIO: "input-output",
  SQLITE_CORRUPT: "damaged",
  SQLITE_NOTADB: "damaged",
  SQLITE_SCHEMA: "damaged",
  SQLITE_ERROR: "damaged",
  SQLITE_IOERR_SHORT_READ: "damaged",
  SQLITE_IOERR_CORRUPTFS: "damaged",
  SQLITE_CONSTRAINT_PRIMARYKEY: "exists",
  SQLITE_CONSTRAINT_UNIQUE: "exists",
  SQLITE_CONSTRAINT_ROWID: "exists",
  SQLITE_CONSTRAINT: "contradiction",
};

/** The driver's or system's code of an error; empty when it has none. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

function meaningOf(error: unknown): Meaning | undefined {
  const code = codeOf(error);
  const family = code.split("_").slice(0, 2).join("_");
  return meanings[code] ?? meanings[family];
}

/** True for a failure, as `storeFailure` answers it, that another process's lock caused. */
export function isLockFailure(error: unknown): boolean {
  return isKeyctlError(error) && meaningOf(error.cause) === "locked";
}

/** The error for a store that does not exist. */
export function missingStore(path: string): KeyctlError {
  return new KeyctlError("unavailable", `no store at ${path}`, { hint: "keyctl init", retryable: false });
}

/** The error for a file that is no store any more, or never was one. */
export function damagedStore(path: string, cause?: unknown): KeyctlError {
  return new KeyctlError(
    "integrity",
    `the store ${path} is damaged or was changed by something other than keyctl`,
    {
      hint: "restore it from a backup, then run keyctl audit-verify",
      cause,
    },
  );
}

/** The error for a file with nothing in it: one that was never finished, or was cut off. */
export function emptyStore(path: string): KeyctlError {
  return new KeyctlError("integrity", `the store ${path} is empty`, {
    hint: "restore it from a backup, or keyctl init to begin a new one",
  });
}

/** The error for a file system on which SQLite's processes cannot share memory, such as a network drive. */
export function withoutWal(path: string): KeyctlError {
  return new KeyctlError("unavailable", `the folder of the store ${path} does not allow a write-ahead log`, {
    hint: "keep the store on a local disk",
    retryable: false,
  });
}

/**
 * Turns whatever SQLite or the file system threw into the error that a person can act on. This is the only place that
 * looks at their codes; their text is kept as `cause` and never shown, because it can hold data.
 */
export function storeFailure(error: unknown, path: string): KeyctlError {
  if (isKeyctlError(error)) return error;
  const unavailable = (message: string, hint: string, retryable: boolean) =>
    new KeyctlError("unavailable", message, { hint, retryable, cause: error });
  switch (meaningOf(error)) {
    case "locked":
      return unavailable(
        "the store is locked by another process",
        "try again when the other keyctl has finished",
        true,
      );
    case "full":
      return unavailable(
        `no space left for the store ${path}`,
        "free some disk space, then try again",
        false,
      );
    case "read-only":
      return unavailable(
        `the store ${path} may not be read or written by this user`,
        "check the owner and permissions of the file and its folder",
        false,
      );
    case "unreachable":
      return unavailable(`the store ${path} cannot be opened`, "check that the path leads to a file", false);
    case "input-output":
      return unavailable(
        `the disk failed while reading or writing the store ${path}`,
        "check the disk, then run keyctl reconcile",
        false,
      );
    case "damaged":
      return damagedStore(path, error);
    case "exists":
      return new KeyctlError("conflict", "what was to be added is in the store already", {
        retryable: false,
        cause: error,
      });
    case "contradiction":
      return new KeyctlError("integrity", "a change contradicts what the store holds, and was refused", {
        hint: "keyctl audit-verify --state tells whether a row was changed behind keyctl",
        cause: error,
      });
    case undefined:
      return new KeyctlError("failure", `the store ${path} failed in an unexpected way`, { cause: error });
  }
}
