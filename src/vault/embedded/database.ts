import type Sqlite from "better-sqlite3";
import { KeyctlError } from "../../core/errors.ts";
import { damagedVault } from "./failures.ts";

/** Opens an existing file. Tests give one whose disk is full; everything else uses `openSqlite`. */
export type OpenDatabase = (path: string) => Promise<Sqlite.Database>;

/** How long a write waits for another process's write. */
const busyTimeoutMs = 5_000;

/** SQLite's application id of a vault: "kcv1". */
const applicationId = 0x6b637631;

/** Raised when the tables change; a vault with a larger one was made by a newer keyctl. */
export const schemaVersion = 1;

// Exactly one row in `meta`. What is small stands before `sealed`, so that reading it touches no overflow page.
const tables = [
  `CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uuid TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  unlock_method TEXT NOT NULL,
  unlock_parameters TEXT NOT NULL,
  key_check BLOB NOT NULL,
  generation INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT`,
  `CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  deleted_at INTEGER,
  UNIQUE (kind, name)
) STRICT`,
  `CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  object_id INTEGER NOT NULL REFERENCES objects (id),
  version INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  tags TEXT NOT NULL,
  salt BLOB NOT NULL,
  nonce BLOB NOT NULL,
  tag BLOB NOT NULL,
  sealed BLOB NOT NULL,
  UNIQUE (object_id, version)
) STRICT`,
] as const;

/** The real thing. better-sqlite3 is loaded here, at the first use, because it costs start-up time. */
export const openSqlite: OpenDatabase = async (path) => {
  const { default: Database } = await import("better-sqlite3");
  return new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
};

/** Opens a file's content, read-only, in memory. */
export function openImage(image: Buffer): OpenDatabase {
  return async () => {
    const { default: Database } = await import("better-sqlite3");
    return new Database(image, { readonly: true });
  };
}

function harden(database: Sqlite.Database): void {
  database.pragma("trusted_schema = OFF");
  database.pragma("cell_size_check = ON");
  database.pragma("foreign_keys = ON");
  database.pragma("synchronous = FULL");
  // What is purged must not stay readable in free pages.
  database.pragma("secure_delete = ON");
  // Statement journals would put changed pages into files outside of our folder.
  database.pragma("temp_store = MEMORY");
}

/** Makes the tables in an empty file. */
export function layOutVault(database: Sqlite.Database): void {
  harden(database);
  database.pragma("journal_mode = WAL");
  database.pragma(`application_id = ${applicationId}`);
  database.pragma(`user_version = ${schemaVersion}`);
  for (const table of tables) database.exec(table);
}

function schemaText(database: Sqlite.Database): unknown[] {
  return database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").pluck().all();
}

/**
 * Sets the connection up and refuses what is no vault of ours: `refused` for one of a newer keyctl, `integrity` for
 * another database or other tables, so that no foreign trigger or view ever runs.
 */
export function assertVaultDatabase(database: Sqlite.Database, path: string): void {
  harden(database);
  if (database.pragma("application_id", { simple: true }) !== applicationId) throw damagedVault(path);
  const version = database.pragma("user_version", { simple: true });
  if (typeof version === "number" && version > schemaVersion) {
    throw new KeyctlError("refused", `the vault ${path} was made by a newer keyctl`, {
      hint: "update keyctl",
    });
  }
  const schema = schemaText(database);
  const same = schema.length === tables.length && tables.every((table) => schema.includes(table));
  if (version !== schemaVersion || !same) throw damagedVault(path);
  // A copy made by a backup tool may have left this mode.
  database.pragma("journal_mode = WAL");
}
