import { expect } from "vitest";
import { addKey, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { actor, fullKeyRecord, idOf, keyRecord, otherTenant, tenant } from "./records.ts";

/** Tenants, actors, roles, the store's own record, single keys. */
export function keyContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("a new store has an identity of its own and no vault generation", async (store, place) => {
    const meta = await store.meta();
    expect(meta.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(meta).toMatchObject({ vaultGeneration: null, maintainedAt: null });
    expect(await (await place.open()).meta()).toEqual(meta);
  });

  test("the largest vault generation and the last maintenance are remembered", async (store) => {
    for (const generation of [3, 7, 5]) {
      await store.transaction(async (tx) => await tx.rememberVaultGeneration(generation));
    }
    await store.transaction(async (tx) => await tx.recordMaintenance(123));
    expect(await store.meta()).toMatchObject({ vaultGeneration: 7, maintainedAt: 123 });
  });

  test("an older vault generation is taken only when somebody decides so", async (store) => {
    await store.transaction(async (tx) => await tx.rememberVaultGeneration(7));
    await store.transaction(async (tx) => await tx.acceptVaultGeneration(3));
    expect((await store.meta()).vaultGeneration).toBe(3);
  });

  test("tenants are listed by name and found without case; a second of the same name is a conflict", async (store) => {
    expect(await store.tenants()).toEqual([tenant, otherTenant]);
    expect(await store.tenantByName("DEFAULT")).toEqual(tenant);
    expect(await store.tenantByName("nobody")).toBeNull();
    const again = store.transaction(
      async (tx) => await tx.insertTenant({ ...tenant, id: idOf(1, 3), name: "dEFAULT" }),
    );
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("actors are found by login, exactly; a second of the same login is a conflict", async (store) => {
    expect(await store.actors()).toEqual([actor]);
    expect(await store.actorByLogin("ada")).toEqual(actor);
    expect(await store.actorByLogin("Ada")).toBeNull();
    const again = store.transaction(async (tx) => await tx.insertActor({ ...actor, id: idOf(2, 3) }));
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("an actor has one role in a tenant and none elsewhere", async (store) => {
    const membership = { actorId: actor.id, tenantId: tenant.id, role: "operator", createdAt: 5 } as const;
    await store.transaction(async (tx) => await tx.insertMembership(membership));
    expect(await store.roleOf(actor.id, tenant.id)).toBe("operator");
    expect(await store.roleOf(actor.id, otherTenant.id)).toBeNull();
    const again = store.transaction(
      async (tx) => await tx.insertMembership({ ...membership, role: "owner" }),
    );
    expect((await failureOf(again)).code).toBe("conflict");
  });

  test("a key comes back as it went in, every field", async (store) => {
    const key = fullKeyRecord(1);
    await addKey(store, key);
    expect(await store.keyById(key.id)).toEqual(key);
    expect(await store.keyById(idOf(3, 9))).toBeNull();
  });

  test("a key is found by its name without case, in its tenant and environment alone", async (store) => {
    const key = keyRecord(1, { name: "Billing-API" });
    await addKey(store, key);
    const place = { tenantId: tenant.id, env: "prod", name: "bILLING-api" };
    expect(await store.keyByName(place)).toEqual(key);
    expect(await store.keyByName({ ...place, env: "dev" })).toBeNull();
    const named = { tenantId: place.tenantId, name: place.name, limit: 5 };
    expect(await store.keysNamed(named)).toEqual([key]);
    expect(await store.keysNamed({ ...named, tenantId: otherTenant.id })).toEqual([]);
    expect(await store.keysNamed({ ...named, limit: 0 })).toEqual([]);
    expect(await store.keyByName({ ...place, tenantId: otherTenant.id })).toBeNull();
    expect(await store.keyByName({ ...place, name: "billing" })).toBeNull();
  });

  test("a name is taken once per tenant and environment, without case", async (store) => {
    await addKey(store, keyRecord(1, { name: "same" }));
    await addKey(store, keyRecord(2, { name: "same", env: "dev" }));
    await addKey(store, keyRecord(3, { name: "same", tenantId: otherTenant.id }));
    const failure = await failureOf(addKey(store, keyRecord(4, { name: "SAME" })));
    expect(failure.code).toBe("conflict");
    expect(failure.message).toContain("SAME");
    expect(await store.keyById(idOf(3, 4))).toBeNull();
  });

  test("a conflict that the work catches leaves the transaction usable", async (store) => {
    await addKey(store, keyRecord(1, { name: "same" }));
    await store.transaction(async (tx) => {
      expect((await failureOf(tx.insertKey(keyRecord(2, { name: "same" })))).code).toBe("conflict");
      await tx.insertKey(keyRecord(3));
    });
    expect(await store.keyById(idOf(3, 3))).not.toBeNull();
  });

  test("keys are fetched by their ids, sorted by id, unknown and odd ids left out", async (store) => {
    for (const number of [3, 1, 2]) await addKey(store, keyRecord(number));
    const found = await store.keysByIds([idOf(3, 3), "'] or 1=1 --", idOf(3, 1), idOf(3, 9)]);
    expect(found.map((key) => key.id)).toEqual([idOf(3, 1), idOf(3, 3)]);
    expect(await store.keysByIds([])).toEqual([]);
  });

  test("a key is written whole where its revision is the expected one, else not at all", async (store) => {
    await addKey(store, keyRecord(1));
    const changed = { ...fullKeyRecord(1), revision: 2 };
    expect(await store.transaction(async (tx) => await tx.updateKey(changed, 1))).toBe(true);
    expect(await store.keyById(changed.id)).toEqual(changed);
    const late = { ...changed, revision: 2, description: "late" };
    expect(await store.transaction(async (tx) => await tx.updateKey(late, 1))).toBe(false);
    expect(await store.keyById(changed.id)).toEqual(changed);
    const missing = keyRecord(9);
    expect(await store.transaction(async (tx) => await tx.updateKey(missing, 1))).toBe(false);
  });

  test("a bulk revoke means the keys that match all that is asked, deleted ones left out", async (store) => {
    await addKey(
      store,
      keyRecord(1, { owner: "user:1", provider: "openai", tags: { team: "a", tier: "x" } }),
    );
    await addKey(store, keyRecord(2, { owner: "user:1", tenantId: otherTenant.id, tags: { team: "a" } }));
    await addKey(store, keyRecord(3, { owner: "user:2", provider: "openai", state: "revoked" }));
    await addKey(store, keyRecord(4, { owner: "user:1", state: "deleted", tags: { team: "a" } }));
    const select = async (selector: Parameters<typeof store.selectKeyIds>[0]) =>
      (await store.selectKeyIds(selector)).map((id) => Number(id.slice(-2)));
    expect(await select({})).toEqual([1, 2, 3]);
    expect(await select({ tenantId: tenant.id })).toEqual([1, 3]);
    expect(await select({ owner: "user:1" })).toEqual([1, 2]);
    expect(await select({ provider: "openai" })).toEqual([1, 3]);
    expect(await select({ tags: { team: "a" } })).toEqual([1, 2]);
    expect(await select({ tags: { team: "a", tier: "x" } })).toEqual([1]);
    expect(await select({ tags: {} })).toEqual([1, 2, 3]);
    expect(await select({ tenantId: otherTenant.id, owner: "user:1", tags: { team: "a" } })).toEqual([2]);
    expect(await select({ owner: "user:1", provider: "anthropic" })).toEqual([]);
  });
}
