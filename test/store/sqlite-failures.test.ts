import { describe, expect, it } from "vitest";
import { KeyctlError } from "../../src/core/errors.ts";
import { isLockFailure, storeFailure, withoutWal } from "../../src/store/sqlite/failures.ts";

/** An error as the driver or the system throws it, with data in its text. */
function thrown(code: string): Error {
  return Object.assign(new Error(`${code}: near secret-value`), { code });
}

const expected: [string, string, boolean][] = [
  ["SQLITE_BUSY", "unavailable", true],
  ["SQLITE_BUSY_RECOVERY", "unavailable", true],
  ["SQLITE_LOCKED_SHAREDCACHE", "unavailable", true],
  ["SQLITE_FULL", "unavailable", false],
  ["ENOSPC", "unavailable", false],
  ["SQLITE_READONLY_DIRECTORY", "unavailable", false],
  ["EROFS", "unavailable", false],
  ["SQLITE_CANTOPEN_ISDIR", "unavailable", false],
  ["ENOTDIR", "unavailable", false],
  ["SQLITE_IOERR_FSYNC", "unavailable", false],
  ["EIO", "unavailable", false],
  ["SQLITE_CORRUPT_INDEX", "integrity", false],
  ["SQLITE_NOTADB", "integrity", false],
  ["SQLITE_ERROR", "integrity", false],
  ["SQLITE_IOERR_SHORT_READ", "integrity", false],
  ["SQLITE_CONSTRAINT_UNIQUE", "conflict", false],
  ["SQLITE_CONSTRAINT_PRIMARYKEY", "conflict", false],
  ["SQLITE_CONSTRAINT_FOREIGNKEY", "integrity", false],
  ["SQLITE_CONSTRAINT_TRIGGER", "integrity", false],
  ["SQLITE_NOMEM", "failure", false],
  ["", "failure", false],
];

describe("failures of sqlite", () => {
  it.each(expected)("%s becomes %s, and its text is not shown", (code, meaning, retryable) => {
    const failure = storeFailure(thrown(code), "/home/a/store.db");
    expect(failure).toMatchObject({ code: meaning, retryable });
    expect(`${failure.message} ${failure.hint ?? ""}`).not.toMatch(/secret-value|SQLITE/);
    expect(failure.message).not.toMatch(/^[A-Z]|\.$/);
  });

  it("what is no error at all is a failure too", () => {
    for (const odd of [null, undefined, "text", { code: 7 }]) {
      expect(storeFailure(odd, "/store.db").code).toBe("failure");
      expect(isLockFailure(odd)).toBe(false);
    }
  });

  it("what is a keyctl error already stays as it is", () => {
    const error = new KeyctlError("refused", "no");
    expect(storeFailure(error, "/store.db")).toBe(error);
  });

  it("only a lock is worth another try of the transaction", () => {
    expect(isLockFailure(storeFailure(thrown("SQLITE_BUSY_SNAPSHOT"), "/store.db"))).toBe(true);
    expect(isLockFailure(storeFailure(thrown("SQLITE_FULL"), "/store.db"))).toBe(false);
    expect(isLockFailure(thrown("SQLITE_BUSY"))).toBe(false);
  });

  it("a folder without shared memory is named with its cure", () => {
    expect(withoutWal("/net/store.db")).toMatchObject({ code: "unavailable", retryable: false });
  });
});
