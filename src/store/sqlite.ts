import type { AuditTree, Clock, Random, Store, StoreLook } from "../app/ports.ts";

/** What opening a store needs. */
export interface SqliteStoreOptions {
  path: string;
  /** Whether a store that is not there is made; its folder too (0700). */
  create: boolean;
  /** A store of an older release is refused (`unavailable`) instead of migrated. */
  asIs?: boolean;
  /** How appended audit entries are hashed. */
  tree: AuditTree;
  random: Random;
  clock: Clock;
  /** How long SQLite waits for another process's lock, each time; 5 seconds by default. */
  busyTimeoutMs?: number;
  /** The largest size the file may grow to, in pages of 8 KiB; unlimited by default. */
  pagesMax?: number;
}

/**
 * Opens the store at `path` and brings it to this release's schema. `unavailable` when it is missing, locked, read-only,
 * out of space or made by a newer keyctl; `integrity` when the file is damaged or no store. The database's libraries are
 * loaded here and not before: a command without a store does not wait for them.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { openStoreFile } = await import("./sqlite/open.ts");
  return await openStoreFile(options);
}

/** What looking at a store needs. */
export interface SqliteLookOptions {
  path: string;
  /** The file's content, with what its write-ahead log adds. */
  image: Buffer;
  tree: AuditTree;
  clock: Clock;
}

/**
 * Reads a store from an image of its file: nothing is made, migrated or written, and no lock is taken. `integrity` when
 * the image is damaged or no store; a store of another release answers its schema only.
 */
export async function lookAtSqliteStore(options: SqliteLookOptions): Promise<StoreLook> {
  const { lookAtStoreImage } = await import("./sqlite/look.ts");
  return await lookAtStoreImage(options);
}
