import { expect } from "vitest";
import { addKey, failureOf, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { actor, idOf, keyRecord, otherTenant, outboxItem, tenant } from "./records.ts";

const grace = { id: idOf(2, 2), name: "Grace", login: "grace", createdAt: 1_002 };

/** Who is in which tenant as what, and tenants that end. */
export function teamContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("actors are found by id, exactly, and listed by id", async (store) => {
    await store.transaction(async (tx) => await tx.insertActor(grace));
    expect(await store.actorById(grace.id)).toEqual(grace);
    expect(await store.actorById(grace.login)).toBeNull();
    expect(await store.actors()).toEqual([actor, grace]);
  });

  test("roles are listed of an actor, of a tenant, of both, or all, by tenant and actor", async (store) => {
    const role = (actorId: string, tenantId: string, name: "owner" | "user", createdAt: number) => ({
      actorId,
      tenantId,
      role: name,
      createdAt,
    });
    const [one, two, three] = [
      role(actor.id, tenant.id, "owner", 5),
      role(grace.id, tenant.id, "user", 6),
      role(actor.id, otherTenant.id, "user", 7),
    ];
    await store.transaction(async (tx) => {
      await tx.insertActor(grace);
      for (const membership of [three, two, one]) await tx.insertMembership(membership);
    });
    expect(await store.memberships({})).toEqual([one, two, three]);
    expect(await store.memberships({ actorId: actor.id })).toEqual([one, three]);
    expect(await store.memberships({ tenantId: tenant.id })).toEqual([one, two]);
    expect(await store.memberships({ actorId: grace.id, tenantId: otherTenant.id })).toEqual([]);
  });

  test("a role is taken away once, in that tenant alone, and can be given again", async (store) => {
    const at = { actorId: actor.id, tenantId: tenant.id };
    const elsewhere = { actorId: actor.id, tenantId: otherTenant.id };
    await store.transaction(async (tx) => {
      await tx.insertMembership({ ...at, role: "operator", createdAt: 5 });
      await tx.insertMembership({ ...elsewhere, role: "owner", createdAt: 5 });
    });
    const take = async (): Promise<boolean> =>
      await store.transaction(async (tx) => await tx.removeMembership(at));
    expect([await take(), await take()]).toEqual([true, false]);
    expect(await store.roleOf(actor.id, tenant.id)).toBeNull();
    expect(await store.roleOf(actor.id, otherTenant.id)).toBe("owner");
    await store.transaction(
      async (tx) => await tx.insertMembership({ ...at, role: "auditor", createdAt: 9 }),
    );
    expect(await store.memberships(at)).toEqual([{ ...at, role: "auditor", createdAt: 9 }]);
  });

  test("a role needs an actor and a tenant that are there", async (store) => {
    for (const wrong of [{ actorId: idOf(2, 9) }, { tenantId: idOf(1, 9) }]) {
      const membership = {
        actorId: actor.id,
        tenantId: tenant.id,
        role: "user",
        createdAt: 5,
        ...wrong,
      } as const;
      const given = store.transaction(async (tx) => await tx.insertMembership(membership));
      await expect(given).rejects.toThrow();
    }
    expect(await store.memberships({})).toEqual([]);
  });

  test("a role that is given or taken in a transaction that fails was never given or taken", async (store) => {
    const at = { actorId: actor.id, tenantId: tenant.id };
    const broken = store.transaction(async (tx) => {
      await tx.insertMembership({ ...at, role: "owner", createdAt: 5 });
      expect(await tx.roleOf(actor.id, tenant.id)).toBe("owner");
      throw new Error("no");
    });
    await expect(broken).rejects.toThrow("no");
    expect(await store.roleOf(actor.id, tenant.id)).toBeNull();
  });

  test("a tenant ends once; its record, name and keys stay", async (store) => {
    await addKey(store, keyRecord(1, { tenantId: otherTenant.id }));
    const end = async (at: number): Promise<boolean> =>
      await store.transaction(async (tx) => await tx.deleteTenant(otherTenant.id, at));
    expect([await end(50), await end(60)]).toEqual([true, false]);
    const ended = { ...otherTenant, deletedAt: 50 };
    expect(await store.tenants()).toEqual([tenant, ended]);
    expect(await store.tenantByName(otherTenant.name)).toEqual(ended);
    expect((await store.keyById(idOf(3, 1)))?.tenantId).toBe(otherTenant.id);
    const again = store.transaction(
      async (tx) => await tx.insertTenant({ ...otherTenant, id: idOf(1, 3), deletedAt: null }),
    );
    expect((await failureOf(again)).code).toBe("conflict");
    expect(await store.transaction(async (tx) => await tx.deleteTenant(idOf(1, 9), 70))).toBe(false);
  });

  test("tasks of the vault are found by their tenants", async (store) => {
    await addKey(store, keyRecord(1));
    await addKey(store, keyRecord(2, { tenantId: otherTenant.id }));
    const items = [outboxItem(1), outboxItem(2, { tenantId: otherTenant.id, keyId: idOf(3, 2) })];
    await store.transaction(async (tx) => await tx.insertOutbox(items));
    const ids = async (tenantIds: string[]): Promise<string[]> =>
      (await store.outbox({ tenantIds, limit: 10 })).map(({ id }) => id);
    expect(await ids([tenant.id])).toEqual([idOf(5, 1)]);
    expect(await ids([otherTenant.id])).toEqual([idOf(5, 2)]);
    expect(await ids([tenant.id, otherTenant.id])).toEqual([idOf(5, 1), idOf(5, 2)]);
    expect(await ids([])).toEqual([]);
  });
}
