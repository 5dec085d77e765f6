import SqliteDatabase from "better-sqlite3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { latestSchema } from "../../src/store/migrate.ts";
import { firstSchema } from "../../src/store/migrations/0001-first-schema.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { sqliteDialect } from "../../src/store/sqlite/dialect.ts";
import { chainTree } from "./records.ts";

type Row = Record<string, unknown>;
interface Column {
  name: string;
  type: string;
}

/** Values that a column's own rules ask for. */
const given: Row = {
  "meta.singleton": 1,
  "meta.schema_version": 1,
  "audit_entries.seq": 0,
  "vault_references.role": null,
  "vault_references.role_version": null,
};

/** A table's parents first. */
function tablesOf(database: SqliteDatabase.Database): string[] {
  const sql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
  const waiting = new Set(database.prepare(sql).pluck().all().map(String));
  const sorted: string[] = [];
  while (waiting.size > 0) {
    const next = [...waiting].find((table) =>
      parentsOf(database, table).every(({ table: parent }) => parent === table || !waiting.has(parent)),
    );
    if (next === undefined) throw new Error("tables refer to each other in a circle");
    waiting.delete(next);
    sorted.push(next);
  }
  return sorted;
}

function parentsOf(
  database: SqliteDatabase.Database,
  table: string,
): { table: string; from: string; to: string }[] {
  return database.pragma(`foreign_key_list(${table})`) as { table: string; from: string; to: string }[];
}

function valueOf(table: string, { name, type }: Column): unknown {
  const column = `${table}.${name}`;
  if (column in given) return given[column];
  if (type.toLowerCase() === "integer") return 1_000 + name.length;
  return type.toLowerCase() === "blob" ? Buffer.alloc(32, name.length) : `a ${name}`;
}

/** One row in every table, every column filled. */
function fill(database: SqliteDatabase.Database): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const table of tablesOf(database)) {
    const columns = database.pragma(`table_info(${table})`) as Column[];
    const parents = parentsOf(database, table);
    const row = Object.fromEntries(
      columns.map((column) => {
        const parent = parents.find(({ from }) => from === column.name);
        const value = parent === undefined ? undefined : rows.get(parent.table)?.[parent.to];
        return [column.name, value ?? valueOf(table, column)];
      }),
    );
    const names = Object.keys(row);
    const marks = names.map((name) => `@${name}`).join(", ");
    database.prepare(`insert into ${table} (${names.join(", ")}) values (${marks})`).run(row);
    rows.set(table, row);
  }
  return rows;
}

it("a store of the first release keeps every row of every table when this release opens it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-upgrade-"));
  const path = join(folder, "store.db");
  try {
    const old = new SqliteDatabase(path);
    for (const statement of firstSchema.statements(sqliteDialect(chainTree).words)) old.exec(statement);
    const rows = fill(old);
    expect(rows.size).toBeGreaterThan(12);
    old.close();
    const random = { bytes: (count: number) => new Uint8Array(count) };
    const options = { path, create: false, tree: chainTree, random, clock: { now: () => 1 } };
    const store = await openSqliteStore(options);
    expect(await store.meta()).toMatchObject({ uuid: "a uuid", schemaVersion: latestSchema });
    expect(await store.tenants()).toMatchObject([{ name: "a name", deletedAt: null }]);
    await store.close();
    const now = new SqliteDatabase(path, { readonly: true });
    for (const [table, row] of rows) {
      const expected = table === "meta" ? { ...row, schema_version: latestSchema } : row;
      // What a later release added is there, and says nothing.
      const [found, ...more] = now.prepare(`select * from ${table}`).all();
      expect(found, table).toMatchObject(expected);
      expect(more, table).toEqual([]);
    }
    expect(now.pragma("foreign_key_check")).toEqual([]);
    expect(now.pragma("integrity_check", { simple: true })).toBe("ok");
    now.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
