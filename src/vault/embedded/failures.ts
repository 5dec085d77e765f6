import { isKeyctlError, KeyctlError } from "../../core/errors.ts";

type Meaning = "locked" | "full" | "read-only" | "unreachable" | "damaged" | "input-output";

/** By SQLite's result code (extended codes fall back to their family) or the system's error name. */
const meanings: Readonly<Record<string, Meaning>> = {
  SQLITE_BUSY: "locked",
  SQLITE_LOCKED: "locked",
  SQLITE_PROTOCOL: "locked",
  SQLITE_FULL: "full",
  ENOSPC: "full",
  EDQUOT: "full",
  SQLITE_READONLY: "read-only",
  SQLITE_PERM: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
  EROFS: "read-only",
  SQLITE_CANTOPEN: "unreachable",
  ENOENT: "unreachable",
  ENOTDIR: "unreachable",
  EISDIR: "unreachable",
  ELOOP: "unreachable",
  ENAMETOOLONG: "unreachable",
  SQLITE_CORRUPT: "damaged",
  SQLITE_NOTADB: "damaged",
  SQLITE_SCHEMA: "damaged",
  SQLITE_ERROR: "damaged",
  SQLITE_CONSTRAINT: "damaged",
  SQLITE_MISMATCH: "damaged",
  SQLITE_RANGE: "damaged",
  SQLITE_TOOBIG: "damaged",
  SQLITE_IOERR_SHORT_READ: "damaged",
  SQLITE_IOERR: "input-output",
  EIO: "input-output",
};

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** The error for a vault file that is not what was written: the same whether by accident or on purpose. */
export function damagedVault(path: string, cause?: unknown): KeyctlError {
  return new KeyctlError(
    "integrity",
    `the vault ${path} is damaged or was changed by something other than keyctl`,
    {
      hint: "restore the vault file from a backup, then run keyctl reconcile",
      cause,
    },
  );
}

/** The error for a vault that does not exist. */
export function missingVault(path: string): KeyctlError {
  return new KeyctlError("unavailable", `there is no vault at ${path}`, {
    hint: "restore the vault file and its unlock key from their backups; keyctl init makes a vault for a store that has no keys",
    retryable: false,
  });
}

function failureOf(meaning: Meaning, path: string, cause: unknown): KeyctlError {
  switch (meaning) {
    case "locked":
      return new KeyctlError("unavailable", `the vault ${path} is locked by another process`, {
        hint: "try again when the other keyctl has finished",
        retryable: true,
        cause,
      });
    case "full":
      return new KeyctlError("unavailable", `no space left for ${path}`, {
        hint: "free some disk space and try again; nothing was changed",
        retryable: false,
        cause,
      });
    case "read-only":
      return new KeyctlError("unavailable", `${path} may not be read or written by this user`, {
        hint: "check the owner and permissions of the file and its folder",
        retryable: false,
        cause,
      });
    case "unreachable":
      return new KeyctlError("unavailable", `${path} cannot be opened`, {
        hint: "check that the path and its folder exist",
        retryable: false,
        cause,
      });
    case "input-output":
      return new KeyctlError("unavailable", `the disk failed while reading or writing ${path}`, {
        hint: "check the disk and its free space, then run keyctl reconcile",
        retryable: false,
        cause,
      });
    case "damaged":
      return damagedVault(path, cause);
  }
}

/**
 * Turns whatever SQLite or the file system threw into the error that a person can act on. The driver's own text is
 * kept as `cause` only. Nothing is retried here: SQLite has waited for locks already.
 */
export function vaultFailure(error: unknown, path: string): KeyctlError {
  if (isKeyctlError(error)) return error;
  const code = codeOf(error);
  const family = code.split("_").slice(0, 2).join("_");
  const meaning = meanings[code] ?? meanings[family];
  if (meaning !== undefined) return failureOf(meaning, path, error);
  return new KeyctlError("failure", `the vault ${path} failed in an unexpected way`, { cause: error });
}
