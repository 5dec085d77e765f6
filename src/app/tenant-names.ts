import type { KeyRecord } from "../core/model.ts";
import type { StoreReader } from "./ports.ts";

/** The name of the tenant that a key is in; its id when there is none. */
export type TenantOf = (key: Pick<KeyRecord, "tenantId">) => string;

/** Names for keys that may be in other tenants than the context's: a path or an id leads there. */
export async function tenantNames({ store }: { store: StoreReader }): Promise<TenantOf> {
  const names = new Map((await store.tenants()).map(({ id, name }) => [id, name]));
  return ({ tenantId }) => names.get(tenantId) ?? tenantId;
}
