import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { AuditAppend, Store } from "../../src/app/ports.ts";
import { insertPeople } from "./place.ts";
import { auditAppend, bytes } from "./records.ts";
import { newSqlitePlace } from "./sqlite-place.ts";
import type { SqlitePlace } from "./sqlite-place.ts";

const log = "system";
const places: SqlitePlace[] = [];

async function newPlace(): Promise<SqlitePlace> {
  const place = await newSqlitePlace();
  places.push(place);
  return place;
}

afterEach(async () => {
  for (const place of places.splice(0)) await place.remove();
});

/** A text that is found wherever a piece of it stands: the same sixteen letters over and over. */
function textOf(actorId: string, number: number, length: number): string {
  const mark = `<${actorId}:${String(number).padStart(14 - actorId.length, "0")}>`;
  return mark.repeat(Math.ceil(length / mark.length)).slice(0, length);
}

function marksOf(actorId: string): RegExp {
  return new RegExp(`<${actorId}:[0-9]*>`, "g");
}

/** Everything that lies in the store's folder, as bytes. */
function rawBytes({ path }: SqlitePlace): string {
  const folder = dirname(path);
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).toString("latin1"))
    .join("\n");
}

function entryBy(actorId: string, number: number, length: number): AuditAppend {
  const personal = [{ field: "reason", salt: bytes(32, number), value: textOf(actorId, number, length) }];
  return auditAppend(number, { actorId, personal });
}

async function append(store: Store, entries: AuditAppend[]): Promise<void> {
  await store.transaction(async (tx) => await tx.appendAudit(log, entries));
}

const erase = async (store: Store, actorId: string): Promise<number> =>
  await store.transaction(async (tx) => await tx.erasePersonal({ log, actorId }));

describe("personal data that was erased from a sqlite store", () => {
  it("stands in no byte of its files, whatever the order of entries, erasures and their lengths", async () => {
    const entry = fc.record({
      actorId: fc.constantFrom("ada", "bob", "eve"),
      // Past 8 KiB a value goes on in pages of its own.
      length: fc.oneof({ weight: 49, arbitrary: fc.nat(600) }, { weight: 1, arbitrary: fc.nat(20_000) }),
    });
    const world = fc.record({
      // Many pages: only between those are rows moved when others go.
      entries: fc.array(entry, { minLength: 1, maxLength: 2_000, size: "max" }),
      order: fc.shuffledSubarray(["ada", "bob", "eve"], { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ entries, order }) => {
        const place = await newPlace();
        const store = await place.open();
        await store.transaction(insertPeople);
        await append(
          store,
          entries.map(({ actorId, length }, number) => entryBy(actorId, number, length + 16)),
        );
        for (const actorId of order) {
          await erase(store, actorId);
          expect(await store.scrub()).toBe(true);
          expect(rawBytes(place).match(marksOf(actorId))).toBeNull();
        }
        for (const [seq, { actorId, length }] of entries.entries()) {
          const kept = order.includes(actorId) ? [] : [textOf(actorId, seq, length + 16)];
          expect((await store.auditPersonal(log, seq)).map(({ value }) => value)).toEqual(kept);
        }
        await place.remove();
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it("is still there while another process reads an older state, which scrub tells; after that it is gone", async () => {
    const place = await newPlace();
    const store = await place.open();
    await store.transaction(insertPeople);
    await append(
      store,
      [0, 1, 2, 3].map((number) => entryBy(number % 2 === 0 ? "ada" : "bob", number, 200)),
    );
    const reader = new SqliteDatabase(place.path, { readonly: true });
    reader.exec("begin");
    reader.prepare("select count(*) from audit_entries").get();
    await erase(store, "ada");
    expect(await store.scrub()).toBe(false);
    expect(rawBytes(place)).toMatch(marksOf("ada"));
    reader.close();
    expect(await store.scrub()).toBe(true);
    expect(rawBytes(place)).not.toMatch(marksOf("ada"));
    expect(rawBytes(place)).toMatch(marksOf("bob"));
  });

  it("leaves the schema as it was", async () => {
    const place = await newPlace();
    const store = await place.open();
    const schema = (): unknown => {
      const database = new SqliteDatabase(place.path, { readonly: true });
      try {
        return database.prepare("select sql from sqlite_schema order by name").all();
      } finally {
        database.close();
      }
    };
    const before = schema();
    await store.scrub();
    expect(schema()).toEqual(before);
  });
});
