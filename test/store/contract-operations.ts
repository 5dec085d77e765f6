import { expect } from "vitest";
import { addKey, addSimpleKey, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import {
  actor,
  idempotentRequest,
  idOf,
  keyRecord,
  operation,
  otherProcess,
  outboxItem,
  revocation,
  someProcess,
  tenant,
} from "./records.ts";

/** What outlives a process: operations, answered requests, tasks for the vault, revocations. */
export function operationContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("an operation comes back as it went in", async (store) => {
    await addSimpleKey(store);
    await store.transaction(async (tx) => await tx.insertOperation(operation(1)));
    expect(await store.operationById(idOf(4, 1))).toEqual(operation(1));
    expect(await store.openOperationOf(idOf(3, 1))).toEqual(operation(1));
    expect(await store.openOperations()).toEqual([operation(1)]);
    expect(await store.operationById(idOf(4, 9))).toBeNull();
    expect(await store.openOperationOf(idOf(3, 9))).toBeNull();
  });

  test("a key has one open operation; the conflict names it", async (store) => {
    await addSimpleKey(store);
    await store.transaction(async (tx) => {
      await tx.insertOperation(operation(1, { status: "done" }));
      await tx.insertOperation(operation(2));
    });
    const failure = await failureOf(store.transaction(async (tx) => await tx.insertOperation(operation(3))));
    expect(failure).toMatchObject({ code: "conflict", operationId: idOf(4, 2), retryable: true });
    expect(failure.hint).toContain("reconcile");
    const same = await failureOf(
      store.transaction(async (tx) => await tx.insertOperation(operation(1, { status: "done" }))),
    );
    expect(same.code).toBe("conflict");
  });

  test("of two processes that begin at once on one key, one has it", async (store, place) => {
    await addSimpleKey(store);
    const stores = [store, await place.open()];
    const begin = stores.map(async (each, number) => {
      await each.transaction(async (tx) => await tx.insertOperation(operation(number + 1)));
    });
    const results = await Promise.allSettled(begin);
    expect(results.map((result) => result.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await store.openOperations()).toHaveLength(1);
  });

  test("a step is taken by its owner, from the step before, while the operation is open", async (store) => {
    await addSimpleKey(store);
    await store.transaction(async (tx) => await tx.insertOperation(operation(1)));
    const change = {
      id: idOf(4, 1),
      owner: someProcess,
      from: "record",
      to: "note",
      status: "open",
      at: 9_000,
    } as const;
    const advance = async (
      set: Partial<Parameters<Parameters<Parameters<typeof store.transaction>[0]>[0]["advanceOperation"]>[0]>,
    ) => await store.transaction(async (tx) => await tx.advanceOperation({ ...change, ...set }));
    expect(await advance({ owner: otherProcess })).toBe(false);
    expect(await advance({ owner: { ...someProcess, boot: "boot-2" } })).toBe(false);
    expect(await advance({ owner: { ...someProcess, startedAt: "t9" } })).toBe(false);
    expect(await advance({ from: "publish" })).toBe(false);
    expect(await advance({ id: idOf(4, 9) })).toBe(false);
    expect(await store.operationById(idOf(4, 1))).toEqual(operation(1));
    expect(await advance({})).toBe(true);
    expect(await store.operationById(idOf(4, 1))).toEqual({
      ...operation(1),
      step: "note",
      updatedAt: 9_000,
    });
    expect(await advance({})).toBe(false);
    expect(await advance({ from: "note", to: "point", status: "done", input: { delivered: true } })).toBe(
      true,
    );
    expect(await store.operationById(idOf(4, 1))).toMatchObject({
      status: "done",
      input: { delivered: true },
    });
    expect(await advance({ from: "point" })).toBe(false);
    expect(await store.openOperations()).toEqual([]);
  });

  test("a dead process's operation is taken over once; its former owner goes no further", async (store) => {
    await addSimpleKey(store);
    await store.transaction(async (tx) => await tx.insertOperation(operation(1)));
    const take = { id: idOf(4, 1), from: someProcess, to: otherProcess, at: 9_000 };
    expect(await store.transaction(async (tx) => await tx.takeOperation(take))).toBe(true);
    expect(await store.transaction(async (tx) => await tx.takeOperation(take))).toBe(false);
    expect(await store.operationById(idOf(4, 1))).toEqual({
      ...operation(1),
      owner: otherProcess,
      updatedAt: 9_000,
    });
    const step = {
      id: idOf(4, 1),
      owner: someProcess,
      from: "record",
      to: "note",
      status: "open",
      at: 1,
    } as const;
    expect(await store.transaction(async (tx) => await tx.advanceOperation(step))).toBe(false);
  });

  test("open operations of many keys are closed at once, and answered", async (store) => {
    for (const number of [1, 2, 3]) await addKey(store, keyRecord(number));
    await store.transaction(async (tx) => {
      await tx.insertOperation(operation(1));
      await tx.insertOperation(operation(2, { keyId: idOf(3, 2) }));
      await tx.insertOperation(operation(3, { keyId: idOf(3, 3), status: "done" }));
    });
    const change = { keyIds: [idOf(3, 1), idOf(3, 3)], status: "superseded" as const, at: 9_000 };
    const closed = await store.transaction(async (tx) => await tx.closeOperations(change));
    expect(closed).toEqual([{ ...operation(1), status: "superseded", updatedAt: 9_000 }]);
    expect((await store.openOperations()).map((open) => open.id)).toEqual([idOf(4, 2)]);
    expect(await store.operationById(idOf(4, 3))).toMatchObject({ status: "done" });
  });

  test("an answered request is found again by tenant, actor, verb and key", async (store) => {
    await addSimpleKey(store);
    const request = idempotentRequest();
    await store.transaction(async (tx) => await tx.insertIdempotentRequest(request));
    const id = { tenantId: tenant.id, actorId: actor.id, verb: "create", key: "request-1" };
    expect(await store.idempotentRequest(id)).toEqual(request);
    expect(await store.idempotentRequest({ ...id, verb: "rotate" })).toBeNull();
    expect(await store.idempotentRequest({ ...id, key: "request-2" })).toBeNull();
    const again = store.transaction(async (tx) => await tx.insertIdempotentRequest(request));
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("requests older than a moment are forgotten, and counted", async (store) => {
    await store.transaction(async (tx) => {
      await tx.insertIdempotentRequest(idempotentRequest({ createdAt: 10 }));
      await tx.insertIdempotentRequest(idempotentRequest({ key: "request-2", createdAt: 20, version: null }));
      expect(await tx.purgeIdempotentRequests(20)).toBe(1);
      expect(await tx.purgeIdempotentRequests(20)).toBe(0);
    });
    const id = { tenantId: tenant.id, actorId: actor.id, verb: "create", key: "request-2" };
    expect(await store.idempotentRequest(id)).toMatchObject({ version: null });
  });

  test("the outbox gives what is not done, oldest first, of one key or all, when it is due", async (store) => {
    for (const number of [1, 2]) await addKey(store, keyRecord(number));
    const items = [
      outboxItem(3),
      outboxItem(1, { notBefore: 9_000 }),
      outboxItem(2, { keyId: idOf(3, 2), operationId: idOf(4, 2) }),
    ];
    await store.transaction(async (tx) => await tx.insertOutbox(items));
    const numbers = async (filter: Parameters<typeof store.outbox>[0]) =>
      (await store.outbox(filter)).map((item) => Number(item.id.slice(-2)));
    expect(await numbers({ limit: 10 })).toEqual([1, 2, 3]);
    expect(await numbers({ limit: 2 })).toEqual([1, 2]);
    expect(await numbers({ dueAt: 5_000, limit: 10 })).toEqual([2, 3]);
    expect(await numbers({ keyId: idOf(3, 1), limit: 10 })).toEqual([1, 3]);
    expect(await numbers({ keyId: idOf(3, 1), dueAt: 5_000, limit: 10 })).toEqual([3]);
    expect(await store.outboxOfOperation(idOf(4, 2))).toEqual([items[2]]);
  });

  test("a task is done once, deferred with one more attempt, or cancelled with its kind", async (store) => {
    await addSimpleKey(store);
    const items = [
      outboxItem(1),
      outboxItem(2),
      outboxItem(3, { task: "sweep-secret" }),
      outboxItem(4, { version: 2 }),
    ];
    await store.transaction(async (tx) => {
      await tx.insertOutbox(items);
      await tx.finishOutbox(idOf(5, 1), 70);
      await tx.finishOutbox(idOf(5, 1), 80);
      await tx.deferOutbox(idOf(5, 1), 99);
      await tx.deferOutbox(idOf(5, 2), 9_999);
      await tx.cancelOutbox({ keyId: idOf(3, 1), version: 2, task: "disable-secret", at: 90 });
    });
    const expected = [{ doneAt: 70 }, { notBefore: 9_999, attempts: 1 }, {}, { doneAt: 90 }];
    expect(await store.outboxOfOperation(idOf(4, 1))).toEqual(
      items.map((item, place) => ({ ...item, ...expected[place] })),
    );
  });

  test("many tasks and many revocations go in at once, all or none", async (store) => {
    await addSimpleKey(store);
    const numbers = Array.from({ length: 1_201 }, (_, place) => place);
    await store.transaction(async (tx) => {
      await tx.insertOutbox(numbers.map((number) => outboxItem(number)));
      await tx.insertRevocations(numbers.map((number) => revocation(number)));
      await tx.insertOutbox([]);
      await tx.insertRevocations([]);
    });
    expect(await store.outbox({ limit: 2_000 })).toHaveLength(1_201);
    expect(await store.revocationsOfOperation(idOf(4, 1))).toHaveLength(1_201);
  });

  test("revocations are told newest first, by key and by operation, as they went in", async (store) => {
    await addSimpleKey(store);
    const first = revocation(1, { upstream: "open", upstreamUrl: "https://provider.example/keys" });
    const second = revocation(2, { version: 3, severity: null, undoUntil: null, operationId: idOf(4, 2) });
    await store.transaction(async (tx) => await tx.insertRevocations([first, second]));
    expect(await store.revocations(idOf(3, 1))).toEqual([second, first]);
    expect(await store.revocationsOfOperation(idOf(4, 2))).toEqual([second]);
    expect(await store.revocations(idOf(3, 9))).toEqual([]);
  });

  test("an upstream is open until it is done or the revoke is undone", async (store) => {
    await addSimpleKey(store);
    const all = [1, 2, 3].map((number) => revocation(number, { upstream: "open" }));
    await store.transaction(async (tx) => {
      await tx.insertRevocations([...all, revocation(4)]);
      await tx.updateRevocation(idOf(6, 1), { upstream: "done" });
      await tx.updateRevocation(idOf(6, 2), { undoneAt: 77 });
      await tx.updateRevocation(idOf(6, 3), {});
    });
    expect(await store.openUpstreams(tenant.id)).toEqual([all[2]]);
    expect(await store.openUpstreams(idOf(1, 2))).toEqual([]);
    expect((await store.revocations(idOf(3, 1))).map((each) => [each.upstream, each.undoneAt])).toEqual([
      [null, null],
      ["open", null],
      ["open", 77],
      ["done", null],
    ]);
  });
}
