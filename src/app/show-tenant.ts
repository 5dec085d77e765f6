import { assertMay, mayDo } from "../core/access.ts";
import type { Actor, KeyState, Role, Tenant } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import { findTenant, standingIn } from "./find-key.ts";

export interface ShownTenant {
  tenant: Tenant;
  /** By state; null to a role that may see no keys. */
  keys: { state: KeyState; count: number }[] | null;
  actors: { actor: Actor; role: Role }[];
  log: { size: number; signedSize: number; newestCheckpointAt: number | null };
}

/** More keys than this are not counted one by one. */
export const keysCountedMax = 1_000_000;

/** A tenant as its owners, operators and auditors see it; null for the name means the context's. */
export async function showTenant(deps: AttemptDeps, name: string | null): Promise<ShownTenant> {
  return await attempted(deps, { operation: "tenant.show" }, async () => {
    const { store, caller } = deps;
    const tenant = name === null ? caller.tenant : await findTenant(deps, name);
    const stands = await standingIn(deps, tenant);
    assertMay(stands, "audit");
    const checkpoint = await store.newestCheckpoint(tenant.id);
    const { size } = await store.auditHead(tenant.id);
    return {
      tenant,
      keys: mayDo(stands, "read") ? await keysByState(deps, tenant.id) : null,
      actors: await actorsOf(deps, tenant.id),
      log: { size, signedSize: checkpoint?.size ?? 0, newestCheckpointAt: checkpoint?.createdAt ?? null },
    };
  });
}

async function keysByState({ store, clock }: AttemptDeps, tenantId: string): Promise<ShownTenant["keys"]> {
  const totals = await store.keyTotals({ tenantId, ownedBy: null, now: clock.now() }, keysCountedMax);
  const states = Map.groupBy(totals, ({ state }) => state);
  return [...states].map(([state, group]) => ({
    state,
    count: group.reduce((sum, { count }) => sum + count, 0),
  }));
}

async function actorsOf({ store }: AttemptDeps, tenantId: string): Promise<ShownTenant["actors"]> {
  const actors = new Map((await store.actors()).map((actor) => [actor.id, actor]));
  return (await store.memberships({ tenantId })).flatMap(({ actorId, role }) => {
    const actor = actors.get(actorId);
    return actor === undefined ? [] : [{ actor, role }];
  });
}
