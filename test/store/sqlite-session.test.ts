import SqliteDatabase from "better-sqlite3";
import { Kysely } from "kysely";
import { describe, expect, it } from "vitest";
import type { Tables } from "../../src/store/schema.ts";
import { CompiledQueries } from "../../src/store/session.ts";
import type { FixedQuery } from "../../src/store/session.ts";
import { kyselyDialect } from "../../src/store/sqlite/driver.ts";
import { collect, failureOf } from "./place.ts";

const byId: FixedQuery<{ id: string }> = (db) => db.selectFrom("tenants").select("id").where("id", "=", "");

function openMemory(): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: kyselyDialect(new SqliteDatabase(":memory:"), ":memory:") });
}

describe("queries of fixed shape", () => {
  it("are built once and bound anew each time", () => {
    let built = 0;
    const query: FixedQuery<{ id: string }> = (db) => {
      built += 1;
      return byId(db);
    };
    const compiled = new CompiledQueries();
    const db = openMemory();
    expect(compiled.bind(db, query, ["a"]).parameters).toEqual(["a"]);
    expect(compiled.bind(db, query, ["b"]).parameters).toEqual(["b"]);
    expect(built).toBe(1);
  });

  it("refuse another number of parameters than they have places for", async () => {
    const bind = async (parameters: string[]) => new CompiledQueries().bind(openMemory(), byId, parameters);
    expect((await failureOf(bind([]))).code).toBe("failure");
    expect((await failureOf(bind(["a", "b"]))).code).toBe("failure");
  });
});

describe("the sqlite driver", () => {
  it("forgets prepared statements rather than keep every one it ever saw", async () => {
    const database = new SqliteDatabase(":memory:");
    const db = new Kysely<Tables>({ dialect: kyselyDialect(database, ":memory:") });
    database.exec("create table tenants (id text, name text, name_folded text, created_at integer)");
    for (let limit = 1; limit <= 700; limit += 1) {
      const names = Array.from({ length: limit }, (_, place) => String(place));
      expect(await db.selectFrom("tenants").select("id").where("name", "in", names).execute()).toEqual([]);
    }
  });

  it("refuses to stream by cursor: lists are read in pages", async () => {
    const stream = openMemory().selectFrom("tenants").selectAll().stream();
    expect((await failureOf(collect(stream))).code).toBe("failure");
  });

  it("sees through a value that cannot be bound without repeating it", async () => {
    const odd = { secret: "hidden-value" } as unknown as string;
    const database = new SqliteDatabase(":memory:");
    database.exec("create table tenants (id text)");
    const db = new Kysely<Tables>({ dialect: kyselyDialect(database, ":memory:") });
    const failure = await failureOf(db.selectFrom("tenants").select("id").where("id", "=", odd).execute());
    expect(failure.code).toBe("failure");
    expect(failure.message).not.toContain("hidden-value");
  });
});
