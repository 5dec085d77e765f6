import { expect } from "vitest";
import { formerStateOf, revocableStates } from "../../src/core/denial.ts";
import { summarise } from "../../src/core/transition.ts";
import { versionStates } from "../../src/core/model.ts";
import type { BulkDenial } from "../../src/app/ports.ts";
import { addKey, addSimpleKey, collect, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import {
  bytes,
  fullKeyRecord,
  fullVersionRecord,
  idOf,
  keyRecord,
  leakTag,
  otherTenant,
  tenant,
  versionRecord,
} from "./records.ts";

const denial: Omit<BulkDenial, "keyIds"> = {
  version: null,
  from: revocableStates("revoked"),
  to: "revoked",
  reason: "cessation",
  at: 500,
};

/** Versions, what belongs to them, and the denial of many. */
export function versionContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("a version comes back as it went in, every field, by key, by keys and by public id", async (store) => {
    const key = fullKeyRecord(1);
    const versions = [fullVersionRecord(key.id, 1), fullVersionRecord(key.id, 2)];
    await addKey(store, key, versions.toReversed());
    await addKey(store, keyRecord(2), [versionRecord(idOf(3, 2), 1)]);
    expect(await store.versions(key.id)).toEqual(versions);
    expect(await store.versionsOfKeys([idOf(3, 2), key.id, idOf(3, 9)])).toEqual([
      ...versions,
      versionRecord(idOf(3, 2), 1),
    ]);
    expect(await store.versionByPublicId("public-001-2")).toEqual({ key, version: versions[1] });
    expect(await store.versionByPublicId("unknown")).toBeNull();
    expect(await store.versions(idOf(3, 9))).toEqual([]);
  });

  test("where a key's values lie is erased for that key and for no other", async (store) => {
    const keys = [keyRecord(1), keyRecord(2)];
    for (const key of keys) {
      await addKey(store, key, [versionRecord(key.id, 1, { vaultReference: `embedded://v/${key.id}/1` })]);
      const wrapped = new Uint8Array([1, 2, 3]);
      const wrap = { keyId: key.id, version: 1, kekReference: "kek/1", algorithm: "RSA-OAEP-256", wrapped };
      await store.transaction(async (tx) => await tx.insertWrappedKey(wrap));
    }
    const [one, other] = keys.map(({ id }) => id);
    await store.transaction(async (tx) => await tx.eraseValues(one ?? ""));
    expect(await store.wrappedKeys(one ?? "", 1)).toEqual([]);
    expect(await store.wrappedKeys(other ?? "", 1)).toHaveLength(1);
  });

  test("a number and a public id are given once", async (store) => {
    const key = await addSimpleKey(store, { publicId: "p-1" });
    const insert = async (version: number, publicId: string) =>
      await store.transaction(
        async (tx) => await tx.insertVersion(versionRecord(key.id, version, { publicId })),
      );
    expect((await failureOf(insert(1, "p-2"))).code).toBe("conflict");
    expect((await failureOf(insert(2, "p-1"))).code).toBe("conflict");
    await insert(2, "p-2");
  });

  test("a version is changed where it is in the expected state, else not at all", async (store) => {
    const key = await addSimpleKey(store);
    const full = fullVersionRecord(key.id, 1);
    const { keyId, version, ...set } = full;
    const patch = { keyId, version, from: "active", set } as const;
    expect(await store.transaction(async (tx) => await tx.updateVersion({ ...patch, from: "pending" }))).toBe(
      false,
    );
    expect(await store.transaction(async (tx) => await tx.updateVersion({ ...patch, version: 2 }))).toBe(
      false,
    );
    expect(await store.versions(key.id)).toEqual([versionRecord(key.id, 1)]);
    expect(await store.transaction(async (tx) => await tx.updateVersion(patch))).toBe(true);
    expect(await store.versions(key.id)).toEqual([full]);
    expect(await store.transaction(async (tx) => await tx.updateVersion(patch))).toBe(false);
  });

  test("a change of some fields leaves the others; of none, it only asks for the state", async (store) => {
    const key = keyRecord(1);
    const full = fullVersionRecord(key.id, 1);
    await addKey(store, key, [full]);
    const change = async (set: { rowMac?: null; graceUntil?: number }) =>
      await store.transaction(
        async (tx) => await tx.updateVersion({ keyId: key.id, version: 1, from: "inactive", set }),
      );
    expect(await change({ rowMac: null, graceUntil: 5 })).toBe(true);
    expect(await change({})).toBe(true);
    expect(await store.versions(key.id)).toEqual([{ ...full, rowMac: null, graceUntil: 5 }]);
  });

  test("wraps of a data key are kept per version and KEK", async (store) => {
    const key = await addSimpleKey(store);
    const wraps = [1, 2].map((kek) => ({
      keyId: key.id,
      version: 1,
      kekReference: `vault://keys/kek/${kek}`,
      algorithm: "RSA-OAEP-256",
      wrapped: bytes(256, kek),
    }));
    await store.transaction(async (tx) => {
      for (const wrap of wraps) await tx.insertWrappedKey(wrap);
    });
    expect(await store.wrappedKeys(key.id, 1)).toEqual(wraps);
    expect(await store.wrappedKeys(key.id, 2)).toEqual([]);
  });

  test("the last use of a version is the key's too, and never goes back", async (store) => {
    const key = await addSimpleKey(store);
    for (const lastUsedAt of [50, 90, 70]) {
      await store.transaction(async (tx) => await tx.touchVersion({ keyId: key.id, version: 1, lastUsedAt }));
    }
    expect((await store.versions(key.id))[0]?.lastUsedAt).toBe(90);
    expect(await store.keyById(key.id)).toEqual({ ...key, lastUsedAt: 90 });
  });

  test("overdue are versions that can expire and whose moment has come, the longest overdue first", async (store) => {
    const key = keyRecord(1);
    const states = versionStates.map((state, place) =>
      versionRecord(key.id, place + 1, { state, expiresAt: 100 - place }),
    );
    const never = versionRecord(key.id, 20);
    const later = versionRecord(key.id, 21, { expiresAt: 101 });
    const graceOver = versionRecord(key.id, 22, { state: "rotated", graceUntil: 1 });
    await addKey(store, key, [...states, never, later, graceOver]);
    const ours = [otherTenant.id, tenant.id];
    const overdue = await store.overdueVersions(100, 10, ours);
    expect(overdue.map(({ version }) => version.state)).toEqual(["inactive", "rotated", "active"]);
    expect(overdue[0]?.key).toEqual(key);
    expect(await store.overdueVersions(100, 1, ours)).toHaveLength(1);
    expect(await store.overdueVersions(50, 10, ours)).toEqual([]);
    expect(await store.overdueVersions(100, 10, [otherTenant.id])).toEqual([]);
  });

  test("a denial follows the lifecycle: state, former state, reason, no row MAC; dated unless the vault must answer", async (store) => {
    const kinds = ["issued", "provider", "secret", "encryption"] as const;
    for (const [place, kind] of kinds.entries()) {
      const key = keyRecord(place + 1, { kind });
      const versions = versionStates.map((state, number) =>
        versionRecord(key.id, number + 1, {
          state,
          rowMac: bytes(32, number),
          rowMacPepperVersion: 1,
          formerState: state === "inactive" || state === "revoked" ? "rotated" : null,
        }),
      );
      await addKey(store, key, versions);
      const result = await store.transaction(
        async (tx) => await tx.denyVersions({ ...denial, keyIds: [key.id] }),
      );
      const hit = versions.filter((version) => denial.from.includes(version.state));
      expect(result).toEqual(hit.map(({ version, state }) => ({ keyId: key.id, version, from: state })));
      expect(await store.versions(key.id)).toEqual(
        versions.map((version) =>
          hit.includes(version)
            ? {
                ...version,
                state: "revoked",
                formerState: formerStateOf(version),
                revokedAt: 500,
                revokedReason: "cessation",
                rowMac: null,
                rowMacPepperVersion: null,
                deniedAt: kind === "secret" ? null : 500,
              }
            : version,
        ),
      );
    }
  });

  test("raising a revoke to compromised keeps the date of the denial that stands, and what came before", async (store) => {
    const key = keyRecord(1, { kind: "secret" });
    const revoked = { state: "revoked", formerState: "active", revokedAt: 300, deniedAt: 310 } as const;
    await addKey(store, key, [versionRecord(key.id, 1, revoked)]);
    const from = revocableStates("compromised");
    const to = "compromised";
    await store.transaction(async (tx) => await tx.denyVersions({ ...denial, from, to, keyIds: [key.id] }));
    expect((await store.versions(key.id))[0]).toMatchObject({
      state: to,
      formerState: "active",
      revokedAt: 500,
      deniedAt: 310,
    });
  });

  test("a denial of one version, of no state and of no key changes just that much", async (store) => {
    const key = keyRecord(1);
    await addKey(store, key, [versionRecord(key.id, 1, { state: "rotated" }), versionRecord(key.id, 2)]);
    await store.transaction(async (tx) => {
      expect(await tx.denyVersions({ ...denial, keyIds: [] })).toEqual([]);
      expect(await tx.denyVersions({ ...denial, from: [], keyIds: [key.id] })).toEqual([]);
      expect(await tx.denyVersions({ ...denial, version: 1, keyIds: [key.id] })).toHaveLength(1);
    });
    expect((await store.versions(key.id)).map((version) => version.state)).toEqual(["revoked", "active"]);
  });

  test("denied keys lose their pointer and what they could roll back to, take the expiry of their newest version, and are one revision on", async (store) => {
    const key = keyRecord(1, { activeVersion: 1, lastVersion: 2, revision: 4, rollbackUntil: 999 });
    const versions = [
      versionRecord(key.id, 1, { expiresAt: 70 }),
      versionRecord(key.id, 2, { state: "rotated", expiresAt: 90 }),
    ];
    await addKey(store, key, versions);
    await addKey(store, keyRecord(2, { activeVersion: 1 }), [versionRecord(idOf(3, 2), 1)]);
    await store.transaction(async (tx) => {
      await tx.denyVersions({ ...denial, keyIds: [key.id] });
      await tx.denyKeys({ keyIds: [key.id], state: "revoked", updatedAt: 501 });
    });
    const summary = summarise(key, await store.versions(key.id));
    expect(summary).toEqual({ state: "revoked", activeVersion: null, expiresAt: 90 });
    const denied = { ...key, ...summary, revision: 5, updatedAt: 501, rollbackUntil: null };
    expect(await store.keyById(key.id)).toEqual(denied);
    expect(await store.keyById(idOf(3, 2))).toEqual(keyRecord(2, { activeVersion: 1 }));
  });

  test("roots are listed by role and version, and dated when the vault was asked for them", async (store) => {
    const root = (version: number) =>
      ({ role: "pepper", version, reference: `vault://secrets/pepper/${version}`, createdAt: 5 }) as const;
    await store.transaction(async (tx) => {
      await tx.insertRootReference(root(2));
      await tx.insertRootReference(root(1));
      for (const at of [70, 60]) await tx.touchReference(root(1).reference, at);
      await tx.touchReference("vault://unknown", 70);
    });
    expect(await store.rootReferences("pepper")).toEqual([
      { ...root(1), lastAccessedAt: 70 },
      { ...root(2), lastAccessedAt: null },
    ]);
    expect(await store.rootReferences("kek")).toEqual([]);
    const again = store.transaction(
      async (tx) => await tx.insertRootReference({ ...root(1), reference: "vault://other" }),
    );
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("a version cannot claim a root's reference as its own", async (store) => {
    const root = { role: "kek", version: 1, reference: "vault://keys/kek/1", createdAt: 5 } as const;
    await store.transaction(async (tx) => await tx.insertRootReference(root));
    await addSimpleKey(store, { vaultReference: root.reference });
    expect(await store.rootReferences("kek")).toEqual([{ ...root, lastAccessedAt: null }]);
  });

  test("leak tags are found by key, by tag and, streamed, by tenant", async (store) => {
    const tags = [1, 2, 3].map((version) => leakTag(idOf(3, 1), version));
    await addKey(
      store,
      keyRecord(1),
      [1, 2, 3].map((version) => versionRecord(idOf(3, 1), version)),
    );
    await store.transaction(async (tx) => {
      for (const tag of tags) await tx.insertLeakTag(tag);
    });
    expect(await store.leakTagsOf(idOf(3, 1))).toEqual(tags);
    expect(await store.matchLeakTag(bytes(32, 2))).toEqual(tags[1]);
    expect(await store.matchLeakTag(bytes(32, 4))).toBeNull();
    expect(await store.matchLeakTag(bytes(10, 2))).toBeNull();
    expect(await collect(store.leakTags(tenant.id))).toEqual(tags);
    expect(await collect(store.leakTags(otherTenant.id))).toEqual([]);
  });

  test("a stream of leak tags goes over its pages without losing or repeating one", async (store) => {
    const key = keyRecord(1);
    const count = 4_001;
    await store.transaction(async (tx) => {
      await tx.insertKey(key);
      for (let version = 1; version <= count; version += 1) {
        await tx.insertVersion(versionRecord(key.id, version, { state: "revoked" }));
        await tx.insertLeakTag(leakTag(key.id, version));
      }
    });
    const versions = (await collect(store.leakTags(tenant.id))).map((tag) => tag.version);
    expect(versions).toEqual(Array.from({ length: count }, (_, place) => place + 1));
  });
}
