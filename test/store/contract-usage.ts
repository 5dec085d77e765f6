import { expect } from "vitest";
import type { UsageEvent } from "../../src/app/ports.ts";
import { addSimpleKey, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { idOf, tenant } from "./records.ts";

const event = (at: number, requestId: string | null = null): UsageEvent => ({
  keyId: idOf(3, 1),
  version: 1,
  at,
  requestId,
});

/** What the library writes: validations by the entry that counts them, and the data keys that were wrapped. */
export function usageContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("a batch's validations come back in their order, and no other batch's", async (store) => {
    await addSimpleKey(store);
    const first = Array.from({ length: 123 }, (_, place) =>
      event(900 - place, place % 2 ? `r-${place}` : null),
    );
    await store.transaction(async (tx) => {
      await tx.insertUsage({ log: tenant.id, seq: 7, events: first });
      await tx.insertUsage({ log: tenant.id, seq: 8, events: [event(5)] });
      await tx.insertUsage({ log: "other", seq: 7, events: [] });
    });
    expect(await store.usageEvents({ log: tenant.id, seq: 7 })).toEqual(first);
    expect(await store.usageEvents({ log: tenant.id, seq: 8 })).toEqual([event(5)]);
    expect(await store.usageEvents({ log: "other", seq: 7 })).toEqual([]);
  });

  test("a batch is written once", async (store) => {
    await addSimpleKey(store);
    const batch = { log: tenant.id, seq: 7, events: [event(5)] };
    await store.transaction(async (tx) => await tx.insertUsage(batch));
    const again = store.transaction(async (tx) => await tx.insertUsage(batch));
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("data keys are counted by the version that wrapped them", async (store) => {
    await addSimpleKey(store);
    const dataKey = (number: number) => ({
      id: idOf(7, number),
      tenantId: tenant.id,
      keyId: idOf(3, 1),
      version: 1,
      createdAt: 5,
    });
    await store.transaction(async (tx) => {
      await tx.insertDataKey(dataKey(1));
      await tx.insertDataKey(dataKey(2));
    });
    expect(await store.countDataKeys({ keyId: idOf(3, 1), version: 1 })).toBe(2);
    expect(await store.countDataKeys({ keyId: idOf(3, 1), version: 2 })).toBe(0);
    const ofNoVersion = store.transaction(
      async (tx) => await tx.insertDataKey({ ...dataKey(3), version: 9 }),
    );
    expect((await failureOf(ofNoVersion)).code).toBe("integrity");
  });
}
