import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isKeyctlError } from "../../src/core/errors.ts";
import { readDatabaseImage, withLog } from "../../src/files/sqlite-image.ts";
import { failureOf } from "../store/place.ts";

let folder: string;
let path: string;
let open: Database.Database[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyctl-image-"));
  path = join(folder, "it.db");
  open = [];
});
afterEach(() => {
  for (const database of open) database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A database in WAL mode with one table, open, its first state in the file itself. */
function newDatabase(pageSize = 4096): Database.Database {
  const database = new Database(path);
  open.push(database);
  database.pragma(`page_size = ${pageSize}`);
  database.pragma("journal_mode = wal");
  database.pragma("wal_autocheckpoint = 0");
  database.exec("create table t (id integer primary key, filler blob)");
  database.pragma("wal_checkpoint(truncate)");
  return database;
}

function contentOf(image: Buffer): unknown[] {
  const database = new Database(image, { readonly: true });
  try {
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    return database.prepare("select id, length(filler) as length from t order by id").all();
  } finally {
    database.close();
  }
}

const rowsOf = (database: Database.Database): unknown[] =>
  database.prepare("select id, length(filler) as length from t order by id").all();

interface Change {
  id: number;
  bytes: number;
  how: "put" | "remove" | "shrink" | "checkpoint";
}

const changes = fc.array(
  fc.record<Change>({
    id: fc.integer({ min: 0, max: 20 }),
    bytes: fc.integer({ min: 0, max: 9000 }),
    how: fc.constantFrom("put", "put", "put", "remove", "shrink", "checkpoint"),
  }),
  { minLength: 1, maxLength: 12 },
);

function apply(database: Database.Database, { id, bytes, how }: Change): void {
  if (how === "put") database.prepare("insert or replace into t values (?, zeroblob(?))").run(id, bytes);
  else if (how === "remove") database.prepare("delete from t where id = ?").run(id);
  else if (how === "shrink") database.exec("vacuum");
  else database.pragma("wal_checkpoint(passive)");
}

describe("the image of a database", () => {
  it("holds what SQLite itself would read, whatever was written, checkpointed or shrunk", async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom(512, 4096, 65536), async (made, pageSize) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        const database = newDatabase(pageSize);
        for (const change of made) apply(database, change);
        const image = await readDatabaseImage(path);
        expect(image).not.toBeNull();
        expect(contentOf(image ?? Buffer.alloc(0))).toEqual(rowsOf(database));
        database.close();
      }),
      { numRuns: 40 },
    );
  });

  it("of a log that was cut off anywhere is a state that was committed", () => {
    const database = newDatabase();
    const states: string[] = [JSON.stringify(rowsOf(database))];
    for (let id = 0; id < 6; id++) {
      apply(database, { id, bytes: 3000, how: "put" });
      states.push(JSON.stringify(rowsOf(database)));
    }
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    let last = 0;
    for (let cut = 0; cut <= log.length; cut += 509) {
      const state = states.indexOf(JSON.stringify(contentOf(withLog(file, log.subarray(0, cut)))));
      expect(state).toBeGreaterThanOrEqual(last);
      last = state;
    }
    expect(contentOf(withLog(file, log))).toEqual(rowsOf(database));
  });

  it("leaves out everything from the first flipped bit of a log", () => {
    const database = newDatabase();
    const before = rowsOf(database);
    apply(database, { id: 1, bytes: 100, how: "put" });
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Math.min(log.length, 32 + 24 + 4096) - 1 }), (at) => {
        const flipped = Buffer.from(log);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        expect(contentOf(withLog(file, flipped))).toEqual(before);
      }),
    );
  });

  it("is of one piece while another process writes, checkpoints and empties the log all the time", async () => {
    const database = newDatabase();
    // The first and the last row always say the same, with some MiB between them.
    for (let id = 0; id < 60; id++)
      database.prepare("insert into t values (?, zeroblob(?))").run(id, id % 59 === 0 ? 10 : 100_000);
    database.pragma("wal_checkpoint(truncate)");
    const writer = spawn(
      process.execPath,
      [fileURLToPath(new URL("image-child.ts", import.meta.url)), path],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      await once(writer.stdout, "data");
      let read = 0;
      // A busy machine may meet the writer at work many times before the file stands still for long enough.
      for (let count = 0; count < 15 || (read === 0 && count < 1_000); count++) {
        const image = await readDatabaseImage(path).catch((error: unknown) => {
          if (isKeyctlError(error) && error.code === "incomplete") return null;
          throw error;
        });
        if (image === null) continue;
        read += 1;
        const rows = contentOf(image);
        expect(rows).toHaveLength(60);
        expect(rows.at(-1)).toEqual({ ...Object(rows[0]), id: 59 });
      }
      expect(read).toBeGreaterThan(0);
    } finally {
      const ended = once(writer, "exit");
      writer.kill("SIGKILL");
      await ended;
    }
  });

  it("of anything else is that thing itself, and never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (file, log) => {
        expect([...withLog(Buffer.from(file), Buffer.from(log))]).toEqual([...file]);
      }),
    );
  });

  it("is null where there is no file, and says why where it cannot be read", async () => {
    expect(await readDatabaseImage(join(folder, "nothing"))).toBeNull();
    expect((await failureOf(readDatabaseImage(folder))).message).toBe(`${folder} is not a file`);
    newDatabase();
    const failure = await failureOf(readDatabaseImage(path, 100));
    expect(failure.code).toBe("incomplete");
    expect(failure.message).toContain("is larger than");
  });

  it("is read without a file being made beside it, also where a log of a dead process lies", async () => {
    const database = newDatabase();
    apply(database, { id: 1, bytes: 10, how: "put" });
    const copy = join(folder, "copy.db");
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    expect(contentOf((await readDatabaseImage(copy)) ?? Buffer.alloc(0))).toHaveLength(1);
    expect(existsSync(`${copy}-shm`)).toBe(false);
    writeFileSync(`${copy}-wal`, "");
    expect(contentOf((await readDatabaseImage(copy)) ?? Buffer.alloc(0))).toHaveLength(0);
  });
});
