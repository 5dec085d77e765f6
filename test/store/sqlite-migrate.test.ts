import SqliteDatabase from "better-sqlite3";
import { Kysely } from "kysely";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { StoreDialect } from "../../src/store/dialect.ts";
import { latestSchema, migrate } from "../../src/store/migrate.ts";
import type { Tables } from "../../src/store/schema.ts";
import { sqliteDialect } from "../../src/store/sqlite/dialect.ts";
import { kyselyDialect } from "../../src/store/sqlite/driver.ts";
import { chainTree, idOf } from "./records.ts";

function connect(path: string): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: kyselyDialect(new SqliteDatabase(path), path) });
}

it("a process that saw no schema, and is overtaken before it has the lock, finds the work done", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-store-"));
  const path = join(folder, "store.db");
  const [slow, fast] = [connect(path), connect(path)];
  try {
    const dialect = sqliteDialect(chainTree);
    const birth = (number: number) => () => ({ uuid: idOf(9, number), createdAt: number });
    let looks = 0;
    const overtaken: StoreDialect = {
      ...dialect,
      hasSchema: async (db) => {
        const found = await dialect.hasSchema(db);
        looks += 1;
        if (looks === 1) await migrate(fast, dialect, birth(1));
        return found;
      },
    };
    await migrate(slow, overtaken, birth(2));
    expect(looks).toBe(2);
    const rows = await slow.selectFrom("meta").select(["uuid", "schema_version"]).execute();
    expect(rows).toEqual([{ uuid: idOf(9, 1), schema_version: latestSchema }]);
  } finally {
    await slow.destroy();
    await fast.destroy();
    await rm(folder, { recursive: true, force: true });
  }
});
