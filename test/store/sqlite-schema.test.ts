import { readFile } from "node:fs/promises";
import SqliteDatabase from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { newSqlitePlace } from "./sqlite-place.ts";
import type { SqlitePlace } from "./sqlite-place.ts";

const places: SqlitePlace[] = [];

afterEach(async () => {
  for (const place of places.splice(0)) await place.remove();
});

/** Every statement that makes the schema, in order of name within its kind. */
function dump(path: string): string {
  const database = new SqliteDatabase(path, { readonly: true });
  const rows = database
    .prepare<[], { sql: string }>(
      "select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name",
    )
    .all();
  database.close();
  return `${rows.map((row) => `${row.sql};`).join("\n\n")}\n`;
}

describe("the sqlite schema", () => {
  it("is the one in the reviewed file schema.sql", async () => {
    const place = await newSqlitePlace();
    places.push(place);
    await place.open();
    const reviewed = await readFile(new URL("schema.sql", import.meta.url), "utf8");
    expect(dump(place.path)).toBe(reviewed);
  });
});
