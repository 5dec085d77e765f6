import { systemLog } from "../audit/entry.ts";
import { Secret } from "../core/secret.ts";
import type { Actor, Tenant } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { rootName } from "./keyring.ts";
import type { Clock, Random, RootRole, Store, StoreTransaction, Vault, VaultVersion } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";
import type { AuditEvent } from "./record-audit.ts";

export interface InitDeps {
  clock: Clock;
  random: Random;
  store: Store;
  vault: () => Promise<Vault>;
  login: string;
  auth: string;
  tool: string;
  personal: Record<string, string>;
}

const rootRoles: readonly RootRole[] = ["pepper", "k-auth", "kek", "checkpoint-key"];

/** The tenant that every store has. */
export const defaultTenant = "default";

/**
 * Makes a store usable: root secrets and keys in the vault, the default tenant, its owner. Each part that exists is left
 * as it is, so an interrupted set-up is finished by the next, and of two at once both end with the same roots. Answers
 * whether anything was made.
 */
export async function initStore(deps: InitDeps): Promise<{ created: boolean }> {
  const missing: RootRole[] = [];
  for (const role of rootRoles) {
    if ((await deps.store.rootReferences(role)).length === 0) missing.push(role);
  }
  const tenant = await deps.store.tenantByName(defaultTenant);
  if (missing.length === 0 && tenant !== null) return { created: false };
  const { uuid } = await deps.store.meta();
  const made: { role: RootRole; reference: string }[] = [];
  for (const role of missing) made.push({ role, reference: await ensureRoot(deps, role, uuid) });
  const generation = missing.length === 0 ? null : await (await deps.vault()).generation();
  const now = deps.clock.now();
  await deps.store.transaction(async (tx) => {
    for (const { role, reference } of made) {
      if ((await tx.rootReferences(role)).length === 0)
        await tx.insertRootReference({ role, version: 1, reference, createdAt: now });
    }
    if (generation !== null) await tx.rememberVaultGeneration(generation);
    if ((await tx.tenantByName(defaultTenant)) === null) await makeTenant(deps, tx, now);
  });
  return { created: true };
}

async function ensureRoot(deps: InitDeps, role: RootRole, storeUuid: string): Promise<string> {
  const vault = await deps.vault();
  const name = rootName(role, storeUuid);
  const tags = { "keyctl-store": storeUuid, "keyctl-role": role };
  if (role === "pepper" || role === "k-auth") {
    const existing = oldest(await vault.secrets.versions(name));
    return (existing ?? (await vault.secrets.put(name, Secret.fromBytes(deps.random.bytes(32)), { tags })))
      .reference;
  }
  const existing = oldest(await vault.keys.versions(name));
  const type = role === "kek" ? "rsa-3072" : "p-256";
  return (existing ?? (await createOrAdopt(vault, name, { type, tags }))).reference;
}

async function createOrAdopt(
  vault: Vault,
  name: string,
  options: Parameters<Vault["keys"]["create"]>[1],
): Promise<VaultVersion> {
  try {
    return await vault.keys.create(name, options);
  } catch (error) {
    // Another first start was faster: its key serves both.
    const existing = oldest(await vault.keys.versions(name));
    if (existing === null) throw error;
    return existing;
  }
}

function oldest(versions: readonly VaultVersion[]): VaultVersion | null {
  return (
    versions.toSorted((a, b) => a.createdAt - b.createdAt || (a.reference < b.reference ? -1 : 1))[0] ?? null
  );
}

async function makeTenant(deps: InitDeps, tx: StoreTransaction, now: number): Promise<void> {
  const tenant: Tenant = {
    id: uuidv7(now, deps.random.bytes(10)),
    name: defaultTenant,
    createdAt: now,
    deletedAt: null,
  };
  const known = await tx.actorByLogin(deps.login);
  const actor: Actor = known ?? {
    id: uuidv7(now, deps.random.bytes(10)),
    name: deps.login,
    login: deps.login,
    createdAt: now,
  };
  await tx.insertTenant(tenant);
  if (known === null) await tx.insertActor(actor);
  await tx.insertMembership({ actorId: actor.id, tenantId: tenant.id, role: "owner", createdAt: now });
  const caller = {
    actor,
    auth: deps.auth,
    role: "owner" as const,
    tenant,
    env: "",
    service: null,
    correlationId: uuidv7(now, deps.random.bytes(10)),
    personal: deps.personal,
  };
  const entry = (log: string, event: AuditEvent): Parameters<StoreTransaction["appendAudit"]>[1] => [
    auditEntry({ ...deps, caller }, event, log),
  ];
  await tx.appendAudit(
    systemLog,
    entry(systemLog, { operation: "store.create", sensitivity: "HIGH", after: { tenant: tenant.id } }),
  );
  const grant = { actor: actor.id, role: "owner", tenant: tenant.id };
  await tx.appendAudit(
    tenant.id,
    entry(tenant.id, { operation: "tenant.create", sensitivity: "HIGH", after: grant }),
  );
}
