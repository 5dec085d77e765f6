import { expect } from "vitest";
import type { StoreTransaction } from "../../src/app/ports.ts";
import { addKey, addSimpleKey, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import {
  idOf,
  keyRecord,
  leakTag,
  operation,
  outboxItem,
  revocation,
  tenant,
  versionRecord,
} from "./records.ts";

/** All or nothing, one after the other, and nothing beside it. */
export function transactionContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("a transaction answers what its work answers", async (store) => {
    expect(await store.transaction(async (tx) => (await tx.tenants()).length)).toBe(2);
  });

  test("a throw undoes everything the transaction wrote, and the same error comes out", async (store) => {
    const thrown = new Error("on purpose");
    const work = store.transaction(async (tx) => {
      await tx.insertKey(keyRecord(1));
      await tx.insertVersion(versionRecord(idOf(3, 1), 1));
      await tx.appendAudit("system", []);
      throw thrown;
    });
    await expect(work).rejects.toBe(thrown);
    expect(await store.keyById(idOf(3, 1))).toBeNull();
    expect(await store.versions(idOf(3, 1))).toEqual([]);
  });

  test("a transaction sees its own writes, another reader only what was committed", async (store, place) => {
    const other = await place.open();
    await store.transaction(async (tx) => {
      await tx.insertKey(keyRecord(1));
      expect(await tx.keyById(idOf(3, 1))).not.toBeNull();
      expect(await other.keyById(idOf(3, 1))).toBeNull();
    });
    expect(await other.keyById(idOf(3, 1))).not.toBeNull();
  });

  test("reads beside a running transaction of the same process see nothing of it before its end", async (store) => {
    const running = store.transaction(async (tx) => {
      await tx.insertKey(keyRecord(1));
      await new Promise((resolve) => setImmediate(resolve));
      await tx.insertVersion(versionRecord(idOf(3, 1), 1));
    });
    const seen = await store.keyById(idOf(3, 1));
    await running;
    // Either before it or after it, never in the middle: after it, the version is there too.
    if (seen !== null) expect(await store.versions(idOf(3, 1))).toHaveLength(1);
  });

  test("transactions of one process run one after the other", async (store) => {
    await addSimpleKey(store);
    const raise = async () =>
      await store.transaction(async (tx) => {
        const key = await tx.keyById(idOf(3, 1));
        if (key === null) throw new Error("the key is gone");
        await new Promise((resolve) => setImmediate(resolve));
        return await tx.updateKey({ ...key, revision: key.revision + 1 }, key.revision);
      });
    expect(await Promise.all(Array.from({ length: 20 }, raise))).toEqual(
      Array.from({ length: 20 }, () => true),
    );
    expect((await store.keyById(idOf(3, 1)))?.revision).toBe(21);
  });

  test("a transaction inside a transaction, and a read beside it, are refused instead of waiting for ever", async (store) => {
    await store.transaction(async () => {
      const nested = await failureOf(store.transaction(async () => {}));
      expect(nested.code).toBe("failure");
      expect((await failureOf(store.meta())).code).toBe("failure");
    });
    expect((await store.meta()).schemaVersion).toBeGreaterThan(0);
  });

  test("a transaction cannot be used after its end", async (store) => {
    let kept: StoreTransaction | null = null;
    await store.transaction(async (tx) => {
      kept = tx;
    });
    const late = kept as StoreTransaction | null;
    if (late === null) throw new Error("the work did not run");
    expect((await failureOf(late.insertKey(keyRecord(1)))).code).toBe("failure");
    expect(await store.keyById(idOf(3, 1))).toBeNull();
  });

  test("a closed store refuses, and closing again is nothing", async (store) => {
    await store.close();
    await store.close();
    expect((await failureOf(store.meta())).code).toBe("failure");
    expect((await failureOf(store.transaction(async () => {}))).code).toBe("failure");
  });

  test("what refers to nothing is refused: foreign keys hold", async (store) => {
    await addKey(store, keyRecord(1), []);
    const missing = idOf(3, 99);
    const writes: ((tx: StoreTransaction) => Promise<unknown>)[] = [
      async (tx) => await tx.insertKey(keyRecord(2, { tenantId: idOf(1, 9) })),
      async (tx) => await tx.insertKey(keyRecord(2, { createdBy: idOf(2, 9) })),
      async (tx) => await tx.insertVersion(versionRecord(missing, 1)),
      async (tx) => await tx.insertLeakTag(leakTag(idOf(3, 1), 7)),
      async (tx) => await tx.insertOperation(operation(1, { keyId: missing })),
      async (tx) => await tx.insertOutbox([outboxItem(1, { keyId: missing })]),
      async (tx) => await tx.insertRevocations([revocation(1, { keyId: missing })]),
      async (tx) =>
        await tx.insertWrappedKey({
          keyId: idOf(3, 1),
          version: 7,
          kekReference: "vault://kek/1",
          algorithm: "RSA-OAEP-256",
          wrapped: new Uint8Array(4),
        }),
      async (tx) =>
        await tx.insertMembership({ actorId: idOf(2, 9), tenantId: tenant.id, role: "owner", createdAt: 1 }),
    ];
    for (const write of writes) {
      const failure = await failureOf(store.transaction(write));
      expect(failure.code).toBe("integrity");
      expect(failure.message).not.toMatch(/constraint|foreign|sql/i);
    }
  });
}
