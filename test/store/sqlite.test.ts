import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { latestSchema } from "../../src/store/migrate.ts";
import { isKeyctlError } from "../../src/core/errors.ts";
import type { Store } from "../../src/app/ports.ts";
import { describeStoreContract } from "./contract.ts";
import { addKey, collect, failureOf, insertPeople } from "./place.ts";
import { auditAppend, fullVersionRecord, idOf, keyRecord, tenant } from "./records.ts";
import { newSqlitePlace } from "./sqlite-place.ts";
import type { SqlitePlace } from "./sqlite-place.ts";

describeStoreContract("sqlite", newSqlitePlace);

const places: SqlitePlace[] = [];

async function newPlace(): Promise<SqlitePlace> {
  const place = await newSqlitePlace();
  places.push(place);
  return place;
}

/** The file as something other than keyctl sees it. */
function tamper(path: string, sql: string): unknown[] {
  const database = new SqliteDatabase(path);
  try {
    const statement = database.prepare(sql);
    return statement.reader ? statement.all() : [statement.run()];
  } finally {
    database.close();
  }
}

/** A closed store with a key, versions and a log in it. */
async function filledPlace(): Promise<SqlitePlace> {
  const place = await newPlace();
  const store = await place.open();
  await store.transaction(insertPeople);
  for (const number of [1, 2, 3]) {
    const id = idOf(3, number);
    await addKey(
      store,
      keyRecord(number),
      [1, 2].map((version) => fullVersionRecord(id, version)),
    );
  }
  const tail = Buffer.alloc(500, 66);
  const entries = Array.from({ length: 60 }, (_, number) => auditAppend(number, { tail }));
  await store.transaction(async (tx) => await tx.appendAudit("system", entries));
  await store.close();
  return place;
}

async function readEverything(store: Store): Promise<void> {
  await store.meta();
  await store.tenants();
  await store.actors();
  const page = { tenantId: tenant.id, env: null, filter: {}, now: 1, limit: 100, after: null };
  for (const key of await store.listKeys(page)) await store.versions(key.id);
  await store.versionByPublicId("public-001-1");
  await store.overdueVersions(1_000, 100, [tenant.id]);
  await store.openOperations();
  await collect(store.auditEntries({ log: "system" }));
  await store.auditHead("system");
}

afterEach(async () => {
  for (const place of places.splice(0)) await place.remove();
});

describe("the sqlite file", () => {
  it("is readable by its owner alone, with its log and shared memory, in a folder of the owner's", async () => {
    const place = await newPlace();
    const store = await place.open();
    await store.transaction(insertPeople);
    const home = dirname(place.path);
    const files = await readdir(home);
    expect(files.toSorted()).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
    for (const file of files) expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  it("keeps its permissions whatever the process's mask is", async () => {
    const before = process.umask(0);
    try {
      const place = await newPlace();
      await place.open();
      expect((await stat(place.path)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(place.path))).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it("has a write-ahead log, and says what it is", async () => {
    const place = await newPlace();
    const store = await place.open();
    expect(store.url).toBe(`sqlite:${place.path}`);
    expect(tamper(place.path, "pragma journal_mode")).toEqual([{ journal_mode: "wal" }]);
    expect(tamper(place.path, "pragma application_id")).toEqual([{ application_id: 0x6b63746c }]);
  });

  it("refuses to change or remove audit entries and checkpoints, also by other programs", async () => {
    const place = await newPlace();
    const store = await place.open();
    await store.transaction(async (tx) => {
      await tx.appendAudit("system", [auditAppend(1)]);
      await tx.insertCheckpoint({ log: "system", size: 1, note: "n", createdAt: 1 });
    });
    for (const table of ["audit_entries", "audit_checkpoints"]) {
      expect(() => tamper(place.path, `delete from ${table}`)).toThrow("append-only");
      expect(() => tamper(place.path, `update ${table} set log = 'x'`)).toThrow("append-only");
    }
    expect(await collect(store.auditEntries({ log: "system" }))).toHaveLength(1);
  });
});

describe("opening a sqlite store", () => {
  it("that is not there is unavailable, names the place and the cure, and makes nothing", async () => {
    const place = await newPlace();
    const failure = await failureOf(place.openWith({ create: false }));
    expect(failure).toMatchObject({ code: "unavailable", hint: "keyctl init", retryable: false });
    expect(failure.message).toBe(`no store at ${place.path}`);
    expect(await readdir(place.folder)).toEqual([]);
  });

  it("that is there changes nothing, with or without leave to make one", async () => {
    const place = await filledPlace();
    const uuid = (await (await place.open()).meta()).uuid;
    expect((await (await place.openWith({ create: false })).meta()).uuid).toBe(uuid);
  });

  it("of a newer keyctl is refused before anything is changed", async () => {
    const place = await filledPlace();
    tamper(place.path, "update meta set schema_version = 99");
    const failure = await failureOf(place.openWith({ create: false }));
    expect(failure).toMatchObject({ code: "unavailable", retryable: false });
    expect(failure.hint).toContain("upgrade keyctl");
    expect(tamper(place.path, "select schema_version from meta")).toEqual([{ schema_version: 99 }]);
  });

  it("without its record of itself is an integrity failure", async () => {
    const place = await filledPlace();
    tamper(place.path, "delete from meta");
    expect((await failureOf(place.openWith({ create: false }))).code).toBe("integrity");
  });

  it("whose record of itself is lost while it is open is an integrity failure", async () => {
    const place = await filledPlace();
    const store = await place.openWith({ create: false });
    tamper(place.path, "delete from meta");
    expect((await failureOf(store.meta())).code).toBe("integrity");
  });

  it("in a folder that is a file, or at a path that is a folder, is unavailable", async () => {
    const place = await newPlace();
    await writeFile(join(place.folder, "home"), "");
    expect((await failureOf(place.open())).code).toBe("unavailable");
    expect((await failureOf(place.openWith({ create: false }))).code).toBe("unavailable");
    const failure = await failureOf(place.openWith({ path: place.folder }));
    expect(failure.code).toBe("unavailable");
    expect(failure.message).not.toMatch(/EISDIR|SQLITE|illegal/);
  });

  it("that may not be written, or in a folder that may not, is unavailable and left alone", async () => {
    const place = await filledPlace();
    const home = dirname(place.path);
    await chmod(place.folder, 0o755);
    await chmod(place.path, 0o444);
    await chmod(home, 0o555);
    const before = await readFile(place.path);
    await asOrdinaryUser(async () => {
      for (const options of [
        { create: false },
        {},
        { path: join(home, "new.db") },
        { path: join(home, "new", "new.db") },
      ]) {
        const failure = await failureOf(place.openWith(options));
        expect(failure).toMatchObject({ code: "unavailable", retryable: false });
        expect(failure.message).toContain("may not be read or written");
      }
    });
    await chmod(home, 0o755);
    expect(await readFile(place.path)).toEqual(before);
  });
});

/** Runs the work without root's powers, which no permission stops. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe("a damaged sqlite file", () => {
  it("that is empty or cut to nothing is an integrity failure, unless a store may be made", async () => {
    const place = await newPlace();
    await mkdir(dirname(place.path));
    await writeFile(place.path, "");
    const failure = await failureOf(place.openWith({ create: false }));
    expect(failure.code).toBe("integrity");
    expect(failure.hint).toContain("keyctl init");
    expect((await (await place.open()).meta()).schemaVersion).toBe(latestSchema);
  });

  it("that is no database, or another program's, is an integrity failure and left alone", async () => {
    const place = await newPlace();
    await mkdir(dirname(place.path));
    await writeFile(
      place.path,
      "not a database, but long enough to be read as the header of one ".repeat(40),
    );
    expect((await failureOf(place.open())).code).toBe("integrity");
    const other = join(place.folder, "other.db");
    tamper(other, "create table cookies (id integer)");
    const before = await readFile(other);
    expect((await failureOf(place.openWith({ path: other }))).code).toBe("integrity");
    expect(await readFile(other)).toEqual(before);
  });

  it("that is cut off anywhere fails with integrity, now or when it is read", async () => {
    const place = await filledPlace();
    const whole = await readFile(place.path);
    for (const share of [0.05, 0.3, 0.6, 0.9]) {
      await writeFile(place.path, whole);
      await truncate(place.path, Math.floor(whole.length * share));
      const reading = async () => await readEverything(await place.openWith({ create: false }));
      expect((await failureOf(reading())).code).toBe("integrity");
      await place.closeAll();
    }
  });

  it("with any byte flipped is read, or fails with a code: never a crash, never the driver's words", async () => {
    const place = await filledPlace();
    const whole = await readFile(place.path);
    const flip = fc.record({ at: fc.nat(whole.length - 1), bit: fc.nat(7) });
    let failures = 0;
    await fc.assert(
      fc.asyncProperty(flip, async ({ at, bit }) => {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at);
        await writeFile(place.path, damaged);
        try {
          await readEverything(await place.openWith({ create: false, busyTimeoutMs: 1 }));
        } catch (error) {
          expect(isKeyctlError(error)).toBe(true);
          expect(String(error)).not.toMatch(/SQLITE|malformed|JSON|syntax|token/);
          failures += 1;
        } finally {
          await place.closeAll();
        }
      }),
      {
        numRuns: 150,
        examples: [[{ at: 0, bit: 0 }], [{ at: 18, bit: 1 }], [{ at: 100, bit: 3 }], [{ at: 60, bit: 0 }]],
      },
    );
    expect(failures).toBeGreaterThan(0);
  });

  it("holding words that keyctl does not write is an integrity failure", async () => {
    const changes = [
      "update keys set state = 'open'",
      "update keys set kind = 'other'",
      "update keys set tags = '['",
      "update keys set tags = '{\"a\": 1}'",
      "update keys set tags = '[]'",
      "update keys set tags = 'null'",
      "update keys set tags = '{\"a\": {}}'",
      "update keys set scopes = '{}'",
      "update keys set scopes = '[1]'",
      "update key_versions set state = 'deleted'",
      "update key_versions set former_state = 'x'",
      "update key_versions set revoked_reason = 'x'",
    ];
    for (const change of changes) {
      const place = await filledPlace();
      tamper(place.path, change);
      const failure = await failureOf(readEverything(await place.openWith({ create: false })));
      expect([change, failure.code]).toEqual([change, "integrity"]);
    }
  });

  it("with a table missing is an integrity failure", async () => {
    const place = await filledPlace();
    const store = await place.openWith({ create: false });
    tamper(place.path, "drop table vault_references");
    expect((await failureOf(store.rootReferences("kek"))).code).toBe("integrity");
  });
});

describe("a full disk", () => {
  it("fails the transaction with unavailable, loses nothing committed and takes new work when there is space", async () => {
    const place = await newPlace();
    const store = await place.openWith({ pagesMax: 120 });
    await store.transaction(insertPeople);
    await store.transaction(async (tx) => await tx.appendAudit("system", [auditAppend(1)]));
    const tail = Buffer.alloc(60_000, 65);
    const entries = Array.from({ length: 40 }, (_, number) => auditAppend(number, { tail }));
    const failure = await failureOf(store.transaction(async (tx) => await tx.appendAudit("system", entries)));
    expect(failure).toMatchObject({ code: "unavailable", retryable: false });
    expect(failure.message).toContain("no space left");
    expect((await store.auditHead("system")).size).toBe(1);
    await store.transaction(async (tx) => await tx.appendAudit("system", [auditAppend(2)]));
    await store.close();
    const roomy = await place.openWith({ create: false });
    expect(await roomy.transaction(async (tx) => await tx.appendAudit("system", entries))).toBe(2);
    expect(await collect(roomy.auditEntries({ log: "system" }))).toHaveLength(42);
  });

  it("while the store is made leaves nothing that looks like one", async () => {
    const place = await newPlace();
    const failure = await failureOf(place.openWith({ pagesMax: 5 }));
    expect(failure.message).toContain("no space left");
    expect((await failureOf(place.openWith({ create: false }))).code).toBe("integrity");
    expect((await (await place.open()).meta()).schemaVersion).toBe(latestSchema);
  });
});
