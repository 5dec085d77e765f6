import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Home } from "../fakes/home.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** Runs statements on the store's file as somebody with write access would: around keyctl, without foreign keys. */
export function alterStore(home: Home, statements: string, parameters: Parameters = {}): void {
  const database = new Sqlite(join(home.path, "store.db"), { fileMustExist: true });
  try {
    database.pragma("foreign_keys = OFF");
    for (const statement of statements.split(";"))
      database.prepare(statement).run(used(statement, parameters));
  } finally {
    database.close();
  }
}

/** Rows of the store's file. */
export function readStore(home: Home, query: string, parameters: Parameters = {}): Record<string, unknown>[] {
  const database = new Sqlite(join(home.path, "store.db"), { fileMustExist: true });
  try {
    return database.prepare<unknown[], Record<string, unknown>>(query).all(used(query, parameters));
  } finally {
    database.close();
  }
}

/** SQLite refuses a parameter that the statement does not name. */
function used(statement: string, parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => statement.includes(`:${name}`)));
}

/** Keeps a copy of a database of the home; what it answers puts the copy back, without what was written since. */
export function copyFile(home: Home, name: string): () => void {
  const path = join(home.path, name);
  copyFileSync(path, `${path}.kept`);
  return () => {
    for (const extra of ["-wal", "-shm"]) rmSync(`${path}${extra}`, { force: true });
    copyFileSync(`${path}.kept`, path);
  };
}
