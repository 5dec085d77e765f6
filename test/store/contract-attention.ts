import fc from "fast-check";
import { expect } from "vitest";
import type { KeyScope, Store } from "../../src/app/ports.ts";
import {
  hasCondition,
  keyConditions,
  versionConditions,
  versionHasCondition,
} from "../../src/core/key-health.ts";
import { keyKinds, keyStates, versionStates } from "../../src/core/model.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { addKey, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { auditAppend, idOf, keyRecord, otherTenant, outboxItem, tenant, versionRecord } from "./records.ts";

const dayMs = 24 * 3_600_000;
const now = 1_000 * dayMs;

/** Around the moments at which something changes, and exactly on them. */
const past = fc
  .tuple(fc.constantFrom(0, 1, 6, 7, 20, 30, 60, 89, 90, 91, 200), fc.constantFrom(-1, 0, 1))
  .map(([days, ms]) => now - days * dayMs + ms);
const future = fc
  .tuple(fc.constantFrom(0, 1, 2, 6, 7, 8, 100), fc.constantFrom(-1, 0, 1))
  .map(([days, ms]) => now + days * dayMs + ms);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const anyKey = fc.record({
  tenantId: fc.constantFrom(tenant.id, tenant.id, otherTenant.id),
  env: fc.constantFrom("prod", "dev"),
  kind: fc.constantFrom(...keyKinds),
  owner: fc.constantFrom("app", "user:1", "user:2"),
  state: fc.oneof(fc.constant("active" as const), fc.constantFrom(...keyStates)),
  createdAt: past,
  rotatedAt: orNull(past),
  rotateEveryMs: orNull(fc.constantFrom(dayMs, 7 * dayMs + 1, 200 * dayMs)),
  expiresAt: orNull(fc.oneof(past, future)),
  lastUsedAt: orNull(past),
  anomalyAt: orNull(past),
  purgedAt: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, past),
});

const anyVersion = fc.record({
  state: fc.oneof(fc.constantFrom("active" as const, "rotated" as const), fc.constantFrom(...versionStates)),
  expiresAt: orNull(fc.oneof(past, future)),
  graceUntil: orNull(fc.oneof(past, future)),
  seenAt: orNull(past),
});

/** Purged keys are deleted ones; no other state has a moment of it. */
function drawnKeys(count: number): KeyRecord[] {
  return fc.sample(anyKey, { numRuns: count, seed: 11 }).map((set, number) => {
    const purgedAt = set.state === "deleted" ? set.purgedAt : null;
    const deletedAt = set.state === "deleted" ? now - dayMs : null;
    return keyRecord(number, { ...set, purgedAt, deletedAt });
  });
}

const scopes: KeyScope[] = [
  { tenantId: tenant.id, ownedBy: null, now },
  { tenantId: otherTenant.id, ownedBy: null, now },
  { tenantId: tenant.id, ownedBy: ["user:1", "user:9"], now },
];

function isIn(key: KeyRecord, { tenantId, ownedBy }: KeyScope): boolean {
  return key.tenantId === tenantId && (ownedBy === null || ownedBy.includes(key.owner));
}

async function fill(store: Store, keys: readonly KeyRecord[], versions: readonly VersionRecord[] = []) {
  await store.transaction(async (tx) => {
    for (const key of keys) await tx.insertKey(key);
    for (const version of versions) await tx.insertVersion(version);
  });
}

/** What a person should look at: the store finds it by the rules of core/key-health.ts. */
export function attentionContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("every condition finds the keys for which the rule holds, in the whole tenant or of some owners", async (store) => {
    const keys = drawnKeys(600);
    await fill(store, keys);
    for (const scope of scopes) {
      for (const condition of keyConditions) {
        const expected = keys.filter((key) => isIn(key, scope) && hasCondition(key, condition, now));
        const found = await store.keysInCondition(scope, condition, 1_000);
        const ids = (some: readonly KeyRecord[]) => some.map((key) => key.id).toSorted();
        expect([condition, ids(found)]).toEqual([condition, ids(expected)]);
        // A condition that no key has would prove nothing.
        if (scope.ownedBy === null) expect([condition, expected.length > 0]).toEqual([condition, true]);
        expect(await store.countKeys(scope, condition, 1_000)).toBe(expected.length);
        expect(await store.countKeys(scope, condition, 2)).toBe(Math.min(2, expected.length));
        expect(await store.keysInCondition(scope, condition, 2)).toEqual(found.slice(0, 2));
      }
    }
  });

  test("what presses most comes first", async (store) => {
    const aged = (number: number, days: number) =>
      keyRecord(number, { createdAt: now - days * dayMs, rotatedAt: null });
    await fill(store, [aged(1, 91), aged(2, 300), aged(3, 100)]);
    const [scope] = scopes;
    if (scope === undefined) throw new Error("no scope");
    const names = async (limit: number) =>
      (await store.keysInCondition(scope, "rotation-required", limit)).map((key) => key.name);
    expect(await names(2)).toEqual(["Key-2", "Key-3"]);
    expect(await names(9)).toEqual(["Key-2", "Key-3", "Key-1"]);
  });

  test("totals count keys by kind and state as they are written, without purged ones, up to a limit", async (store) => {
    const keys = drawnKeys(300);
    await fill(store, keys);
    for (const scope of scopes) {
      const mine = keys.filter((key) => isIn(key, scope) && key.purgedAt === null);
      const groups = Map.groupBy(mine, (key) => `${key.kind} ${key.state}`);
      for (const max of [1_000, 2]) {
        const totals = await store.keyTotals(scope, max);
        const counted = new Map(totals.map(({ kind, state, count }) => [`${kind} ${state}`, count]));
        const expected = new Map([...groups].map(([group, some]) => [group, Math.min(max, some.length)]));
        expect(counted).toEqual(expected);
      }
    }
  });

  test("graces that run and values that a person saw are found by the rule, of keys that are not deleted", async (store) => {
    const keys = drawnKeys(200);
    const versions = fc
      .sample(anyVersion, { numRuns: 400, seed: 5 })
      .map((set, number) => versionRecord(idOf(3, number % keys.length), Math.floor(number / 200) + 1, set));
    await fill(store, keys, versions);
    for (const scope of scopes) {
      for (const condition of versionConditions) {
        const expected = versions.filter((version) => {
          const key = keys.find(({ id }) => id === version.keyId);
          if (key === undefined || key.deletedAt !== null) return false;
          return isIn(key, scope) && versionHasCondition(version, condition, now);
        });
        expect(expected.length).toBeGreaterThan(0);
        const found = await store.versionsInCondition(scope, condition, 1_000);
        const names = (some: readonly VersionRecord[]) =>
          some.map(({ keyId, version }) => `${keyId} ${version}`).toSorted();
        expect(names(found.map(({ version }) => version))).toEqual(names(expected));
        for (const { key, version } of found)
          expect(key).toEqual(keys.find(({ id }) => id === version.keyId));
        const moments = found.map(({ version }) =>
          condition === "seen" ? version.seenAt : version.graceUntil,
        );
        expect(moments).toEqual(moments.toSorted((a, b) => Number(a) - Number(b)));
        expect(await store.countVersions(scope, condition, 1_000)).toBe(expected.length);
        expect(await store.countVersions(scope, condition, 1)).toBe(1);
        expect(await store.versionsInCondition(scope, condition, 1)).toHaveLength(1);
      }
    }
  });

  test("a task for the vault is due when its time has come or when it was tried in vain, and until it is done", async (store) => {
    await addKey(store, keyRecord(1));
    await addKey(store, keyRecord(2, { tenantId: otherTenant.id }));
    await store.transaction(async (tx) => {
      await tx.insertOutbox([
        outboxItem(1, { notBefore: 10 }),
        outboxItem(2, { notBefore: 11 }),
        outboxItem(3, { notBefore: 99, attempts: 2 }),
        outboxItem(4, { notBefore: 1, doneAt: 5 }),
        outboxItem(5, { notBefore: 1, attempts: 1, doneAt: 5 }),
        outboxItem(6, { tenantId: otherTenant.id, keyId: idOf(3, 2), notBefore: 1 }),
      ]);
    });
    const due = async (limit: number) =>
      (await store.dueOutbox({ tenantId: tenant.id, now: 10, limit })).map(({ id }) => id).toSorted();
    expect(await due(10)).toEqual([idOf(5, 1), idOf(5, 3)]);
    expect(await due(1)).toHaveLength(1);
  });

  test("refusals are the entries that did not succeed, newest first, of one log and since a moment", async (store) => {
    const outcomes = ["success", "denied", "failure", "partial", "success", "denied"];
    await store.transaction(async (tx) => {
      await tx.appendAudit(
        tenant.id,
        outcomes.map((outcome, number) => auditAppend(number, { outcome, ts: 100 + number })),
      );
      await tx.appendAudit(otherTenant.id, [auditAppend(1, { outcome: "denied", ts: 103 })]);
    });
    const seqs = async (since: number, limit: number) =>
      (await store.refusals({ log: tenant.id, since, limit })).map(({ seq }) => seq);
    expect(await seqs(0, 10)).toEqual([5, 3, 2, 1]);
    expect(await seqs(102, 10)).toEqual([5, 3, 2]);
    expect(await seqs(0, 2)).toEqual([5, 3]);
    expect(await store.countRefusals({ log: tenant.id, since: 102, max: 10 })).toBe(3);
    expect(await store.countRefusals({ log: tenant.id, since: 0, max: 2 })).toBe(2);
  });
}
