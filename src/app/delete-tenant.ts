import { createHash } from "node:crypto";
import { systemLog } from "../audit/entry.ts";
import { assertMay } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import type { Tenant } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { describeRevocation } from "./describe-revocation.ts";
import type { RevokeResult } from "./describe-revocation.ts";
import { assertTenantLives, findTenant } from "./find-key.ts";
import { defaultTenant } from "./init-store.ts";
import { hashPlan } from "./plan-hash.ts";
import { planFor } from "./plan-revoke.ts";
import type { PlannedKey, RevokeInput, RevokePlan } from "./plan-revoke.ts";
import type { StoreReader, StoreTransaction } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";
import { denyInVault } from "./revoke-keys.ts";
import { signLog } from "./settle.ts";
import { writeRevoke } from "./write-revoke.ts";

export interface DeleteTenantInput {
  name: string;
  options: MutationOptions;
}

export interface PlannedDeletion {
  tenant: Tenant;
  /** Keys that are not denied yet, in every environment. */
  live: PlannedKey[];
  planHash: string;
}

export interface DeletedTenant {
  tenant: Tenant;
  revoked: RevokeResult;
}

/** What deleting a tenant would end. `forbidden` but for its owners; `refused` for the tenant that every store has. */
export async function planDeleteTenant(deps: Deps, input: DeleteTenantInput): Promise<PlannedDeletion> {
  return await attempted(deps, { operation: "tenant.delete" }, async () => {
    const { plan: _, ...planned } = await plan(deps, deps.store, input);
    return planned;
  });
}

/**
 * Denies every key of the tenant (reason cessation) and ends it, in one transaction; then the vault follows, as far as it
 * answers. Records and log stay, and so does the name: nothing else will ever have it. With `planHash` only exactly that plan is
 * done, else `conflict`. Errors as `planDeleteTenant`.
 */
export async function deleteTenant(
  deps: Deps,
  input: DeleteTenantInput & { planHash: string | null },
): Promise<DeletedTenant> {
  return await attempted(deps, { operation: "tenant.delete" }, async () => {
    const operationId = uuidv7(deps.clock.now(), deps.random.bytes(10));
    const { tenant, live, planHash } = await deps.store.transaction(async (tx) => {
      const planned = await plan(deps, tx, input);
      if (input.planHash !== null && input.planHash !== planned.planHash) throw planChanged();
      await end(deps, tx, { ...planned, operationId, options: input.options });
      return planned;
    });
    const keys = live.map(({ key }) => key);
    await denyInVault(deps, keys, revokeOf(input.options));
    const keyIds = keys.map(({ id }) => id);
    const revoked = await describeRevocation(deps, { keyIds, operationId, planHash });
    if (revoked.vault.total > 0 && revoked.vault.pending === 0) await signLog(deps, tenant.id);
    return { tenant: { ...tenant, deletedAt: deps.clock.now() }, revoked };
  });
}

async function plan(
  deps: Deps,
  store: StoreReader,
  { name, options }: DeleteTenantInput,
): Promise<PlannedDeletion & { plan: RevokePlan }> {
  const { actor } = deps.caller;
  const tenant = await findTenant({ store, caller: deps.caller }, name);
  const role = await store.roleOf(actor.id, tenant.id);
  assertMay({ role, actor, tenant: tenant.name }, "administer");
  await assertTenantLives(store, tenant);
  if (tenant.name === defaultTenant) {
    throw new KeyctlError("refused", `the tenant ${defaultTenant} is part of every store`, {
      hint: "keyctl revoke --all --where-tenant default --reason cessation denies its keys",
    });
  }
  const keyIds = await store.selectKeyIds({ tenantId: tenant.id });
  const resolved = { keyIds, only: new Map<string, number[]>(), complete: true };
  const revoke = await planFor(store, deps.clock.now(), { input: revokeOf(options), resolved });
  const live = revoke.planned.filter(({ changes }) => changes.length > 0);
  const planHash = hashPlan({ verb: "tenant-delete", tenant: tenant.id, revoke: revoke.planHash });
  return { tenant, live, planHash, plan: revoke };
}

/** What a deletion does to each key. What an encryption key protects stays readable to who has the vault. */
function revokeOf(options: MutationOptions): RevokeInput {
  return {
    target: { where: {} },
    reason: "cessation",
    severity: null,
    unwrapToo: false,
    planHash: null,
    options: { ...options, reason: null, idempotencyKey: null },
  };
}

async function end(
  deps: Deps,
  tx: StoreTransaction,
  deletion: PlannedDeletion & { plan: RevokePlan; operationId: string; options: MutationOptions },
): Promise<void> {
  const { tenant, live, plan: revoke, operationId, options } = deletion;
  const requestHash = createHash("sha256").update(deletion.planHash).digest();
  await writeRevoke(deps, tx, { plan: revoke, input: revokeOf(options), operationId, requestHash });
  await tx.deleteTenant(tenant.id, deps.clock.now());
  const after = { tenant: tenant.id, keys: live.length };
  const event = {
    operation: "tenant.delete",
    sensitivity: "CRITICAL",
    before: { name: tenant.name },
    after,
    operationId,
    options,
  } as const;
  for (const log of [tenant.id, systemLog].toSorted())
    await tx.appendAudit(log, [auditEntry(deps, event, log)]);
}

function planChanged(): KeyctlError {
  return new KeyctlError(
    "conflict",
    "the tenant has other live keys than the plan showed: nothing was done",
    {
      hint: "run it with --dry-run again, and read what it lists",
      retryable: false,
    },
  );
}
