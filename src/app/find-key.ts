import { assertMay, mayDo } from "../core/access.ts";
import type { Action, Standing } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { parsePublicId } from "../core/issued-key.ts";
import { parseKeyPath } from "../core/key-name.ts";
import type { KeyWithVersions } from "../core/transition.ts";
import type { KeyRecord, Role, Tenant, VersionRecord } from "../core/model.ts";
import { isUuid } from "../core/uuid.ts";
import type { Caller, Deps } from "./deps.ts";
import type { StoreReader } from "./ports.ts";
import { Trespass } from "./trespass.ts";

/** How a person names a key: `[tenant/][env/]name`, a key's UUID, or an issued version's public id. */
export type KeySelector = { path: string } | { id: string };

export interface FoundKey extends KeyWithVersions {
  versions: VersionRecord[];
  /** Set when the selector was the public id of one version. */
  version: number | null;
}

type FindDeps = Pick<Deps, "caller"> & { store: StoreReader };

/**
 * The tenant that a caller names. `not-found`, in the same words, for one that is not there, one that was deleted, and one in
 * which the caller has no role.
 */
export async function findTenant(deps: FindDeps, name: string): Promise<Tenant> {
  const tenant = await deps.store.tenantByName(name);
  if (tenant === null) throw unknownTenant(name);
  if (tenant.id === deps.caller.tenant.id) return deps.caller.tenant;
  if ((await roleIn(deps, tenant.id)) === null)
    throw new Trespass(unknownTenant(name), { tenantId: tenant.id, keyId: null });
  if (tenant.deletedAt !== null) throw unknownTenant(name);
  return tenant;
}

/** What everybody is told of a tenant that is not there for them. */
export function unknownTenant(name: string): KeyctlError {
  return new KeyctlError("not-found", `no tenant ${name}`, {
    hint: "keyctl tenant list names yours; check --tenant, KEYCTL_TENANT and the profile",
  });
}

/** Inside the transaction that adds to a tenant: it may have been deleted since it was found. */
export async function assertTenantLives(store: StoreReader, { name }: Pick<Tenant, "name">): Promise<void> {
  const tenant = await store.tenantByName(name);
  if (tenant === null || tenant.deletedAt !== null) throw unknownTenant(name);
}

/** The caller's role in a tenant: its own context, or another that it may have one in. */
export async function roleIn({ store, caller }: FindDeps, tenantId: string): Promise<Role | null> {
  return tenantId === caller.tenant.id ? caller.role : await store.roleOf(caller.actor.id, tenantId);
}

/** The caller's standing in a tenant. */
export async function standingIn(deps: FindDeps, tenant: Pick<Tenant, "id" | "name">): Promise<Standing> {
  return { role: await roleIn(deps, tenant.id), actor: deps.caller.actor, tenant: tenant.name };
}

/** The caller's standing in its context's tenant. */
export function standing({ actor, role, tenant }: Caller): Standing {
  return { role, actor, tenant: tenant.name };
}

/**
 * The key with all its versions, and the caller's right to do `action` with it: `not-found` when there is none, or when it
 * belongs to a tenant that is deleted or in which the caller has no role; `forbidden` when the role does not reach that far.
 */
export async function findKey(deps: FindDeps, selector: KeySelector, action: Action): Promise<FoundKey> {
  const { store, caller } = deps;
  const { key, version } =
    "path" in selector ? await byPath(deps, selector.path) : await byId(deps, selector.id);
  const tenant = key.tenantId === caller.tenant.id ? caller.tenant : await tenantOf(store, key);
  assertMay(await standingIn(deps, tenant), action, key.owner);
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
  deps: FindDeps,
  path: string,
): Promise<{ tenantId: string; tenant: Tenant; env: string; name: string }> {
  const parts = parseKeyPath(path);
  const { caller } = deps;
  const tenant = parts.tenant === undefined ? caller.tenant : await findTenant(deps, parts.tenant);
  return { tenantId: tenant.id, tenant, env: parts.env ?? caller.env, name: parts.name };
}

async function byPath(deps: FindDeps, path: string): Promise<{ key: KeyRecord; version: null }> {
  const place = await placeOf(deps, path);
  const key = await deps.store.keyByName(place);
  if (key === null) {
    const { env, tenant } = deps.caller;
    const elsewhere = [
      ...(place.tenantId === tenant.id ? [] : [" --tenant ", place.tenant.name]),
      ...(place.env === env ? [] : [" --env ", place.env]),
    ];
    throw unknownKey(
      `${path} in environment ${place.env}`,
      (await namesakeHint(deps, place)) ?? `keyctl list${elsewhere.join("")}`,
    );
  }
  return { key, version: null };
}

async function byId(deps: FindDeps, id: string): Promise<{ key: KeyRecord; version: number | null }> {
  const { store, caller } = deps;
  const found = await withId(store, id);
  if (found === null) throw unknownKey(id);
  const { tenantId } = found.key;
  if (tenantId === caller.tenant.id) return found;
  if ((await roleIn(deps, tenantId)) === null)
    throw new Trespass(unknownKey(id), { tenantId, keyId: found.key.id });
  if ((await tenantOf(store, found.key)).deletedAt !== null) throw unknownKey(id);
  return found;
}

async function withId(
  store: StoreReader,
  id: string,
): Promise<{ key: KeyRecord; version: number | null } | null> {
  if (isUuid(id)) {
    const key = await store.keyById(id.toLowerCase());
    return key === null ? null : { key, version: null };
  }
  if (parsePublicId(id) === null) {
    throw new KeyctlError("usage", "--id takes a key's UUID or the 14-character id inside an issued key", {
      hint: "keyctl list -o wide",
    });
  }
  const found = await store.versionByPublicId(id);
  return found === null ? null : { key: found.key, version: found.version.version };
}

/** More environments than this have no name in common. */
const namesakesMax = 20;

/** Where a key of that name is, when it is in another environment and the caller may see it; else null. */
async function namesakeHint(
  deps: FindDeps,
  { tenant, name }: { tenant: Tenant; name: string },
): Promise<string | null> {
  const asking = await standingIn(deps, tenant);
  const keys = await deps.store.keysNamed({ tenantId: tenant.id, name, limit: namesakesMax });
  const seen = keys.filter((key) => key.deletedAt === null && mayDo(asking, "read", key.owner));
  const [first] = seen;
  if (first === undefined) return null;
  const lead = tenant.id === deps.caller.tenant.id ? "" : `${tenant.name}/`;
  const where = seen.map(({ env }) => env).join(", ");
  return `it is in ${where}: keyctl show ${lead}${first.env}/${first.name}`;
}

function unknownKey(what: string, hint = "keyctl list"): KeyctlError {
  return new KeyctlError("not-found", `no key ${what}`, { hint });
}
