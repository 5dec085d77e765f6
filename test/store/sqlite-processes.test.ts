import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { latestSchema } from "../../src/store/migrate.ts";
import { addSimpleKey, collect, failureOf, insertPeople } from "./place.ts";
import { idOf } from "./records.ts";
import { newSqlitePlace } from "./sqlite-place.ts";
import type { SqlitePlace } from "./sqlite-place.ts";

const childScript = fileURLToPath(new URL("child.ts", import.meta.url));
const places: SqlitePlace[] = [];
const children: ChildProcess[] = [];

async function newPlace(): Promise<SqlitePlace> {
  const place = await newSqlitePlace();
  places.push(place);
  return place;
}

function start(what: string, path: string, number = 0): ChildProcess {
  const child = spawn(process.execPath, [childScript, what, path, String(number)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

/** What the child printed, and how it ended. */
async function run(
  what: string,
  path: string,
  number = 0,
): Promise<{ out: string; code: number | null; signal: string | null }> {
  const child = start(what, path, number);
  let out = "";
  child.stdout?.on("data", (chunk) => (out += String(chunk)));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { out, code, signal };
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const place of places.splice(0)) await place.remove();
});

describe("several processes on one sqlite store", () => {
  it("twenty that start at once make one store between them", async () => {
    const place = await newPlace();
    const runs = await Promise.all(Array.from({ length: 20 }, async () => await run("open", place.path)));
    expect(runs.map((each) => each.code)).toEqual(Array.from({ length: 20 }, () => 0));
    const uuids = new Set(runs.map((each) => each.out));
    const store = await place.open();
    expect([...uuids]).toEqual([(await store.meta()).uuid]);
  });

  it("a process killed in the middle of a transaction leaves nothing of it", async () => {
    const place = await newPlace();
    expect((await run("die-in-transaction", place.path)).signal).toBe("SIGKILL");
    const store = await place.openWith({ create: false });
    expect(await store.tenants()).toEqual([]);
    expect(await store.keyById(idOf(3, 1))).toBeNull();
    expect((await store.auditHead("system")).size).toBe(0);
    await store.transaction(insertPeople);
  });

  it("what was committed is there after the process is killed", async () => {
    const place = await newPlace();
    expect((await run("die-after-commit", place.path)).signal).toBe("SIGKILL");
    const store = await place.openWith({ create: false });
    expect(await store.tenants()).toHaveLength(2);
  });

  it("a store that another process has locked is unavailable for writing, can be tried again, and can be read", async () => {
    const place = await newPlace();
    const store = await place.open();
    const holder = start("hold-lock", place.path);
    if (holder.stdout !== null) await once(holder.stdout, "data");
    const failure = await failureOf(store.transaction(insertPeople));
    expect(failure).toMatchObject({ code: "unavailable", retryable: true });
    expect(failure.message).toBe("the store is locked by another process");
    expect((await store.meta()).schemaVersion).toBe(latestSchema);
    holder.kill("SIGKILL");
    await once(holder, "close");
    await store.transaction(insertPeople);
  });

  it("of processes that compare and set the same revision exactly one wins each time", async () => {
    const place = await newPlace();
    const store = await place.open();
    await store.transaction(insertPeople);
    const key = await addSimpleKey(store);
    const runs = await Promise.all([1, 2, 3].map(async () => await run("race", place.path)));
    const won = runs.map((each) => Number(each.out)).reduce((sum, each) => sum + each, 0);
    expect(runs.map((each) => each.code)).toEqual([0, 0, 0]);
    expect((await store.keyById(key.id))?.revision).toBe(1 + won);
    expect(won).toBeGreaterThanOrEqual(25);
    const seqs = (await collect(store.auditEntries({ log: "system" }))).map((row) => row.seq);
    expect(seqs).toEqual(Array.from({ length: won }, (_, place_) => place_));
  });

  it("of processes that begin an operation on one key at once exactly one has it", async () => {
    const place = await newPlace();
    const store = await place.open();
    await store.transaction(insertPeople);
    await addSimpleKey(store);
    const runs = await Promise.all(
      [1, 2, 3, 4].map(async (number) => await run("begin", place.path, number)),
    );
    expect(runs.map((each) => each.out).toSorted()).toEqual(["begun", "refused", "refused", "refused"]);
    expect(await store.openOperations()).toHaveLength(1);
  });
});
