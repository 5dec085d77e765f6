import type { Role, Tenant } from "../core/model.ts";
import type { AttemptDeps } from "./attempt.ts";

export interface ListedTenant {
  tenant: Tenant;
  /** The caller's. */
  role: Role;
}

/** The tenants in which the caller has a role, by name; deleted ones left out. Every role may ask. */
export async function listTenants({
  store,
  caller,
}: Pick<AttemptDeps, "store" | "caller">): Promise<ListedTenant[]> {
  const held = await store.memberships({ actorId: caller.actor.id });
  const roles = new Map(held.map(({ tenantId, role }) => [tenantId, role]));
  return (await store.tenants()).flatMap((tenant) => {
    const role = roles.get(tenant.id);
    return role === undefined || tenant.deletedAt !== null ? [] : [{ tenant, role }];
  });
}
