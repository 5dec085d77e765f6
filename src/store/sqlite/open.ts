import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import SqliteDatabase from "better-sqlite3";
import type { Database } from "better-sqlite3";
import { Kysely } from "kysely";
import type { Store } from "../../app/ports.ts";
import { uuidv7 } from "../../core/uuid.ts";
import { assertMigrated, migrate } from "../migrate.ts";
import type { Tables } from "../schema.ts";
import type { SqliteStoreOptions } from "../sqlite.ts";
import { storeOver } from "../store.ts";
import { applicationId, sqliteDialect } from "./dialect.ts";
import { kyselyDialect } from "./driver.ts";
import {
  damagedStore,
  emptyStore,
  isLockFailure,
  missingStore,
  storeFailure,
  withoutWal,
} from "./failures.ts";

const busyTimeoutDefaultMs = 5_000;
/** An audit entry of common length lies within a page of this size, not across two. */
const pageSizeBytes = 8_192;
const walKeptBytes = 64 * 1024 * 1024;
/** How long a file may be empty because another process is just making the store. */
const birthWaitMs = 50;
const birthWaits = 10;

/** Opens, and with `create` first makes, the store; see `openSqliteStore`. */
export async function openStoreFile(options: SqliteStoreOptions): Promise<Store> {
  const { path } = options;
  await openFile(options);
  let database: Database;
  try {
    database = new SqliteDatabase(path, { timeout: options.busyTimeoutMs ?? busyTimeoutDefaultMs });
  } catch (error) {
    throw storeFailure(error, path);
  }
  try {
    return await openDatabase(database, options);
  } catch (error) {
    database.close();
    throw storeFailure(error, path);
  }
}

/** Makes the file before SQLite does, so that nobody else can ever read it; SQLite gives its other files the same mode. */
async function openFile({ path, create }: SqliteStoreOptions): Promise<void> {
  try {
    if (create) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const flags = create ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR;
    await (await open(path, flags, 0o600)).close();
  } catch (error) {
    const isMissing = !create && error instanceof Error && "code" in error && error.code === "ENOENT";
    throw isMissing ? missingStore(path) : storeFailure(error, path);
  }
}

async function openDatabase(database: Database, options: SqliteStoreOptions): Promise<Store> {
  const { path, random, clock } = options;
  await recognise(database, options);
  await configure(database, options);
  const dialect = sqliteDialect(options.tree);
  const db = new Kysely<Tables>({ dialect: kyselyDialect(database, path) });
  if (options.asIs === true) await assertMigrated(db, dialect);
  await migrate(db, dialect, () => ({ uuid: uuidv7(clock.now(), random.bytes(10)), createdAt: clock.now() }));
  return storeOver({ url: `sqlite:${path}`, db, dialect, clock });
}

/**
 * Refuses a database of something else, and an empty one where none may be made, before anything is written. Tables and
 * mark appear in one commit, so the mark is read after the tables: another process may be making the store right now.
 */
async function recognise(database: Database, { path, create }: SqliteStoreOptions): Promise<void> {
  const isEmpty = () => database.prepare("select 1 from sqlite_schema limit 1").get() === undefined;
  for (let waits = 0; isEmpty(); waits += 1) {
    if (create) return;
    if (waits >= birthWaits) throw emptyStore(path);
    await pause(birthWaitMs);
  }
  if (database.pragma("application_id", { simple: true }) !== applicationId) throw damagedStore(path);
}

async function configure(database: Database, { path, pagesMax }: SqliteStoreOptions): Promise<void> {
  database.pragma(`page_size = ${pageSizeBytes}`);
  await switchToWal(database, path);
  database.pragma("synchronous = full");
  database.pragma("foreign_keys = on");
  // Statement journals would put changed pages into files outside of our folder.
  database.pragma("temp_store = memory");
  // What is erased (personal data) must not stay readable in free pages.
  database.pragma("secure_delete = on");
  database.pragma("cell_size_check = on");
  database.pragma("trusted_schema = off");
  database.pragma(`journal_size_limit = ${walKeptBytes}`);
  if (pagesMax !== undefined) database.pragma(`max_page_count = ${pagesMax}`);
}

/** Only the first opening switches, and SQLite does not wait for a lock while it does: so we wait. */
async function switchToWal(database: Database, path: string): Promise<void> {
  for (let waits = 0; waits < birthWaits; waits += 1) {
    try {
      if (database.pragma("journal_mode = wal", { simple: true }) === "wal") return;
    } catch (error) {
      const failure = storeFailure(error, path);
      if (!isLockFailure(failure) || waits === birthWaits - 1) throw failure;
    }
    await pause(birthWaitMs);
  }
  throw withoutWal(path);
}
