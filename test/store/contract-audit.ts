import fc from "fast-check";
import { expect } from "vitest";
import type { AuditAppend, AuditQuery, Store } from "../../src/app/ports.ts";
import { collect, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { auditAppend, bytes, chainTree, idOf } from "./records.ts";

const log = "system";

async function append(store: Store, entries: AuditAppend[], to = log): Promise<number> {
  return await store.transaction(async (tx) => await tx.appendAudit(to, entries));
}

function bytesOf(entry: AuditAppend, seq: number): Uint8Array {
  return Buffer.concat([entry.head, Buffer.from(String(seq)), entry.tail]);
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

async function sequence(store: Store, query: Omit<AuditQuery, "log">): Promise<number[]> {
  return (await collect(store.auditEntries({ log, ...query }))).map((row) => row.seq);
}

/** The log: gap-free, exact bytes, one tree per log, streamed. */
export function auditContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("entries get the next numbers of their log, and the exact bytes and leaf come back", async (store) => {
    const entries = [0, 1, 2].map((number) => auditAppend(number));
    expect(await append(store, entries.slice(0, 2))).toBe(0);
    expect(await append(store, entries.slice(0, 1), "another")).toBe(0);
    expect(await append(store, entries.slice(2))).toBe(2);
    expect(await append(store, [])).toBe(3);
    const rows = await collect(store.auditEntries({ log }));
    expect(rows.map(({ seq, bytes: entry, leaf }) => [seq, hex(entry), hex(leaf)])).toEqual(
      entries.map((entry, seq) => [
        seq,
        hex(bytesOf(entry, seq)),
        hex(chainTree.leafHash(bytesOf(entry, seq))),
      ]),
    );
    expect(await store.auditLogs()).toEqual(["another", log]);
  });

  test("bytes that are no text come back as they are", async (store) => {
    const entry = auditAppend(1, { head: Uint8Array.of(0, 255, 128, 39), tail: Uint8Array.of(0, 0, 34) });
    await append(store, [entry]);
    const [row] = await collect(store.auditEntries({ log }));
    expect(hex(row?.bytes ?? new Uint8Array(0))).toBe(hex(bytesOf(entry, 0)));
  });

  test("the head is the tree over all leaves, whatever the portions they came in", async (store) => {
    const entries = Array.from({ length: 25 }, (_, number) => auditAppend(number));
    await append(store, entries.slice(0, 7));
    await append(store, entries.slice(7));
    let frontier: Uint8Array = new Uint8Array(0);
    for (const [seq, entry] of entries.entries()) {
      frontier = chainTree.append(frontier, chainTree.leafHash(bytesOf(entry, seq)));
    }
    const head = await store.auditHead(log);
    expect([head.size, hex(head.frontier)]).toEqual([25, hex(frontier)]);
    expect(await store.auditHead("unknown")).toEqual({ size: 0, frontier: new Uint8Array(0) });
  });

  test("a transaction that fails leaves no gap and no fork", async (store) => {
    await append(store, [auditAppend(0)]);
    const before = await store.auditHead(log);
    const failed = store.transaction(async (tx) => {
      await tx.appendAudit(log, [auditAppend(1), auditAppend(2)]);
      throw new Error("on purpose");
    });
    await expect(failed).rejects.toThrow("on purpose");
    expect(await store.auditHead(log)).toEqual(before);
    expect(await append(store, [auditAppend(3)])).toBe(1);
    expect(await sequence(store, {})).toEqual([0, 1]);
  });

  test("two connections that append at once share one line of numbers", async (store, place) => {
    const stores = [store, await place.open()];
    const firsts: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      firsts.push(
        ...(await Promise.all(stores.map(async (each) => await append(each, [auditAppend(round)])))),
      );
    }
    expect(firsts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, place_) => place_));
  });

  test("personal data stands beside its entry", async (store) => {
    const personal = [
      { field: "reason", salt: bytes(32, 1), value: "because" },
      { field: "ip", salt: bytes(32, 2), value: "192.0.2.1" },
    ];
    await append(store, [auditAppend(0), auditAppend(1, { personal })]);
    expect(await store.auditPersonal(log, 1)).toEqual(personal.toReversed());
    expect(await store.auditPersonal(log, 0)).toEqual([]);
  });

  test("an actor's personal data is counted and erased in one log only; entries, tree and other actors' data stay", async (store) => {
    const said = (value: string): AuditAppend["personal"] => [
      { field: "login", salt: bytes(32, 1), value },
      { field: "reason", salt: bytes(32, 2), value: `because of ${value}` },
    ];
    const by = (number: number, actorId: string): AuditAppend =>
      auditAppend(number, { actorId, personal: said(actorId) });
    await append(store, [by(0, "ada"), by(1, "bob"), auditAppend(2, { actorId: "ada" }), by(3, "ada")]);
    await append(store, [by(0, "ada")], "another");
    const before = [await collect(store.auditEntries({ log })), await store.auditHead(log)];
    const ofAda = { log, actorId: "ada" };
    expect(await store.countPersonal(ofAda)).toEqual({ entries: 2, fields: 4 });
    const erase = async (): Promise<number> =>
      await store.transaction(async (tx) => {
        const fields = await tx.erasePersonal(ofAda);
        expect(await tx.countPersonal(ofAda)).toEqual({ entries: 0, fields: 0 });
        return fields;
      });
    expect(await erase()).toBe(4);
    expect(await erase()).toBe(0);
    expect(await store.scrub()).toBe(true);
    expect([await collect(store.auditEntries({ log })), await store.auditHead(log)]).toEqual(before);
    expect(await store.auditPersonal(log, 0)).toEqual([]);
    expect(await store.auditPersonal(log, 1)).toEqual(said("bob"));
    expect(await store.auditPersonal("another", 0)).toEqual(said("ada"));
    expect(await store.countPersonal({ log, actorId: "nobody" })).toEqual({ entries: 0, fields: 0 });
  });

  test("checkpoints are listed by size; the newest is the largest; the same one again is nothing new", async (store) => {
    const checkpoint = (size: number) => ({ log, size, note: `note ${size}`, createdAt: 100 - size });
    await store.transaction(async (tx) => {
      for (const size of [5, 9, 2, 5]) await tx.insertCheckpoint(checkpoint(size));
    });
    expect(await store.checkpoints(log)).toEqual([2, 5, 9].map(checkpoint));
    expect(await store.newestCheckpoint(log)).toEqual(checkpoint(9));
    expect(await store.newestCheckpoint("unknown")).toBeNull();
  });

  test("every filter, range, limit and direction streams what a plain reading of it gives", async (store) => {
    const labels = fc.record({
      ts: fc.integer({ min: 0, max: 40 }),
      actorId: fc.constantFrom("x", "y"),
      keyId: fc.constantFrom(null, idOf(3, 1), idOf(3, 2)),
      operation: fc.constantFrom("key.rotate", "key.revoke"),
      operationId: fc.constantFrom(null, idOf(4, 1)),
    });
    const entries = fc
      .sample(labels, { numRuns: 700, seed: 3 })
      .map((set, number) => auditAppend(number, set));
    await append(store, entries);
    const place = fc.integer({ min: 0, max: 720 });
    const moment = fc.integer({ min: -1, max: 42 });
    const condition: fc.Arbitrary<Omit<AuditQuery, "log">> = fc.oneof(
      fc.record({ fromSeq: place }),
      fc.record({ toSeq: place }),
      fc.record({ since: moment }),
      fc.record({ until: moment }),
      fc.record({ actorId: fc.constantFrom("x", "z") }),
      fc.record({ keyId: fc.constant(idOf(3, 2)) }),
      fc.record({ operation: fc.constant("key.revoke") }),
      fc.record({ operationId: fc.constant(idOf(4, 1)) }),
      fc.record({ newestFirst: fc.boolean() }),
      fc.record({ limit: fc.constantFrom(0, 1, 201, 650) }),
    );
    const query = fc
      .array(condition, { maxLength: 4 })
      .map((conditions): Omit<AuditQuery, "log"> => Object.assign({}, ...conditions));
    await fc.assert(
      fc.asyncProperty(query, async (wanted) => {
        const expected = entries
          .map((entry, seq) => ({ entry, seq }))
          .filter(({ seq }) => seq >= (wanted.fromSeq ?? 0) && seq < (wanted.toSeq ?? 1_000))
          .filter(({ entry }) => entry.ts >= (wanted.since ?? -9) && entry.ts < (wanted.until ?? 99))
          .filter(({ entry }) => [undefined, entry.actorId].includes(wanted.actorId))
          .filter(({ entry }) => [undefined, entry.keyId].includes(wanted.keyId))
          .filter(({ entry }) => [undefined, entry.operation].includes(wanted.operation))
          .filter(({ entry }) => [undefined, entry.operationId].includes(wanted.operationId))
          .map(({ seq }) => seq);
        const ordered = wanted.newestFirst === true ? expected.toReversed() : expected;
        expect(await sequence(store, wanted)).toEqual(ordered.slice(0, wanted.limit ?? 1_000));
      }),
      { numRuns: 200 },
    );
  });

  test("a stream holds a page, not the log: what is appended behind it while it runs still comes", async (store) => {
    await append(
      store,
      Array.from({ length: 300 }, (_, number) => auditAppend(number)),
    );
    const seen: number[] = [];
    for await (const row of store.auditEntries({ log })) {
      seen.push(row.seq);
      if (row.seq === 0) await append(store, [auditAppend(300)]);
    }
    expect(seen).toEqual(Array.from({ length: 301 }, (_, place) => place));
  });

  test("entries of the largest size stream too", async (store) => {
    const tail = Buffer.alloc(65_000, 65);
    await append(
      store,
      Array.from({ length: 250 }, (_, number) => auditAppend(number, { tail })),
    );
    let length = 0;
    for await (const row of store.auditEntries({ log })) length += row.bytes.length;
    expect(length).toBeGreaterThan(250 * 65_000);
  });
}
