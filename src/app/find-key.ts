import { assertMay } from "../core/access.ts";
import type { Action, Standing } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { parsePublicId } from "../core/issued-key.ts";
import { parseKeyPath } from "../core/key-name.ts";
import type { KeyWithVersions } from "../core/transition.ts";
import type { KeyRecord, Tenant, VersionRecord } from "../core/model.ts";
import { isUuid } from "../core/uuid.ts";
import type { Caller } from "./deps.ts";
import type { StoreReader } from "./ports.ts";

/** How a person names a key: `[tenant/][env/]name`, a key's UUID, or an issued version's public id. */
export type KeySelector = { path: string } | { id: string };

export interface FoundKey extends KeyWithVersions {
  versions: VersionRecord[];
  /** Set when the selector was the public id of one version. */
  version: number | null;
}

/** The tenant a caller means; unknown is `not-found`. */
export async function findTenant(store: StoreReader, name: string): Promise<Tenant> {
  const tenant = await store.tenantByName(name);
  if (tenant === null)
    throw new KeyctlError("not-found", `no tenant ${name}`, { hint: "check --tenant and the profile" });
  return tenant;
}

/** The caller's standing in a tenant: its own context, or another that it may have a role in. */
export async function standingIn(
  deps: { store: StoreReader; caller: Caller },
  tenant: Pick<Tenant, "id" | "name">,
): Promise<Standing> {
  const { actor, role } = deps.caller;
  const isOwn = tenant.id === deps.caller.tenant.id;
  return { role: isOwn ? role : await deps.store.roleOf(actor.id, tenant.id), actor, tenant: tenant.name };
}

/** The caller's standing in its context's tenant. */
export function standing({ actor, role, tenant }: Caller): Standing {
  return { role, actor, tenant: tenant.name };
}

/**
 * The key with all its versions, and the caller's right to do `action` with it: `not-found` when there is none, or when it
 * belongs to a tenant in which the caller has no role; `forbidden` when the role does not reach that far.
 */
export async function findKey(
  deps: { store: StoreReader; caller: Caller },
  selector: KeySelector,
  action: Action,
): Promise<FoundKey> {
  const { store, caller } = deps;
  const { key, version } =
    "path" in selector ? await byPath(store, caller, selector.path) : await byId(store, selector.id);
  const tenant = key.tenantId === caller.tenant.id ? caller.tenant : await tenantOf(store, key);
  const stands = await standingIn(deps, tenant);
  if (stands.role === null && tenant.id !== caller.tenant.id) {
    throw unknown("path" in selector ? selector.path : selector.id);
  }
  assertMay(stands, action, key.owner);
  return { key, version, versions: await store.versions(key.id) };
}

async function tenantOf(store: StoreReader, key: KeyRecord): Promise<Tenant> {
  const tenant = (await store.tenants()).find((candidate) => candidate.id === key.tenantId);
  if (tenant !== undefined) return tenant;
  throw new KeyctlError("integrity", "a key belongs to a tenant that does not exist", {
    hint: "keyctl audit-verify --state",
  });
}

/** Where a path points: tenant and environment from the path, else from the caller. */
export async function placeOf(
  deps: { store: StoreReader; caller: Caller },
  path: string,
): Promise<{ tenantId: string; tenant: Tenant; env: string; name: string }> {
  const parts = parseKeyPath(path);
  const { caller, store } = deps;
  const tenant = parts.tenant === undefined ? caller.tenant : await findTenant(store, parts.tenant);
  return { tenantId: tenant.id, tenant, env: parts.env ?? caller.env, name: parts.name };
}

async function byPath(
  store: StoreReader,
  caller: Caller,
  path: string,
): Promise<{ key: KeyRecord; version: null }> {
  const place = await placeOf({ store, caller }, path);
  const key = await store.keyByName(place);
  if (key === null) throw unknown(path, place.env);
  return { key, version: null };
}

async function byId(store: StoreReader, id: string): Promise<{ key: KeyRecord; version: number | null }> {
  if (isUuid(id)) {
    const key = await store.keyById(id.toLowerCase());
    if (key === null) throw unknown(id);
    return { key, version: null };
  }
  if (parsePublicId(id) === null) {
    throw new KeyctlError("usage", "--id takes a key's UUID or the 14-character id inside an issued key", {
      hint: "keyctl list -o wide",
    });
  }
  const found = await store.versionByPublicId(id);
  if (found === null) throw unknown(id);
  return { key: found.key, version: found.version.version };
}

function unknown(what: string, env?: string): KeyctlError {
  return new KeyctlError("not-found", `no key ${what}${env === undefined ? "" : ` in environment ${env}`}`, {
    hint: "keyctl list",
  });
}
