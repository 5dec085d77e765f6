import { reachOf } from "../core/access.ts";
import type { Caller } from "./deps.ts";
import type { StoreReader } from "./ports.ts";

/**
 * Ids of the tenants that the caller maintains: the context's, and every other in which the role reaches all keys. A deleted
 * tenant is among them, because the vault may still have to deny what it had.
 */
export async function maintainedTenants(deps: { store: StoreReader; caller: Caller }): Promise<string[]> {
  const { store, caller } = deps;
  const held = await store.memberships({ actorId: caller.actor.id });
  const more = held.filter(({ role }) => reachOf(role, "manage") === "all").map(({ tenantId }) => tenantId);
  return [...new Set([caller.tenant.id, ...more])];
}
