import { reachOf } from "../core/access.ts";
import { systemLog } from "../audit/entry.ts";
import { KeyctlError } from "../core/errors.ts";
import { assertName } from "../core/key-name.ts";
import type { Tenant } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import type { MutationOptions } from "./deps.ts";
import type { StoreReader } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";

export interface CreateTenantInput {
  name: string;
  options: MutationOptions;
}

/** The tenant as it would be recorded; refused where it would be. Nothing is written. */
export async function planCreateTenant(deps: AttemptDeps, input: CreateTenantInput): Promise<Tenant> {
  return await attempted(
    deps,
    { operation: "tenant.create" },
    async () => await plan(deps, deps.store, input),
  );
}

/**
 * Makes a tenant whose owner is the caller; its own log begins with that, and the log `system` tells it too. `forbidden` to who is
 * owner of no tenant; `conflict` when the name is taken, also by a deleted one: logs must not be mistaken for each other.
 */
export async function createTenant(deps: AttemptDeps, input: CreateTenantInput): Promise<Tenant> {
  const work = async (): Promise<Tenant> =>
    await deps.store.transaction(async (tx) => {
      const tenant = await plan(deps, tx, input);
      const actorId = deps.caller.actor.id;
      await tx.insertTenant(tenant);
      await tx.insertMembership({ actorId, tenantId: tenant.id, role: "owner", createdAt: tenant.createdAt });
      const after = { actor: actorId, role: "owner", tenant: tenant.id, name: tenant.name };
      const event = {
        operation: "tenant.create",
        sensitivity: "HIGH",
        after,
        options: input.options,
      } as const;
      for (const log of [systemLog, tenant.id]) await tx.appendAudit(log, [auditEntry(deps, event, log)]);
      return tenant;
    });
  return await attempted(deps, { operation: "tenant.create" }, work);
}

async function plan(deps: AttemptDeps, store: StoreReader, { name }: CreateTenantInput): Promise<Tenant> {
  await assertOwnsSome(deps, store);
  assertName("the tenant's name", name);
  if ((await store.tenantByName(name)) !== null) {
    throw new KeyctlError("conflict", `the name ${name} is taken`, {
      hint: "a tenant's name is never given twice: choose another",
      retryable: false,
    });
  }
  const now = deps.clock.now();
  return { id: uuidv7(now, deps.random.bytes(10)), name, createdAt: now, deletedAt: null };
}

async function assertOwnsSome({ caller }: AttemptDeps, store: StoreReader): Promise<void> {
  const deleted = new Set(
    (await store.tenants()).filter(({ deletedAt }) => deletedAt !== null).map(({ id }) => id),
  );
  const held = await store.memberships({ actorId: caller.actor.id });
  if (held.some(({ role, tenantId }) => reachOf(role, "administer") === "all" && !deleted.has(tenantId)))
    return;
  throw new KeyctlError(
    "forbidden",
    `${caller.actor.login} is owner of no tenant: that does not allow to make one`,
    {
      hint: "an owner of any tenant can do it",
    },
  );
}
