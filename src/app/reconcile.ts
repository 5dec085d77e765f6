import { systemLog } from "../audit/entry.ts";
import { assertMay } from "../core/access.ts";
import { isKeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { operationWork } from "./operation-work.ts";
import { acceptOlderVault } from "./accept-vault.ts";
import type { LostVersion } from "./accept-vault.ts";
import { attempted } from "./attempt.ts";
import type { Deps } from "./deps.ts";
import { retryOutbox } from "./drain-outbox.ts";
import { standing } from "./find-key.ts";
import { maintainedTenants } from "./maintained-tenants.ts";
import { purgeAnswers, writeExpiries } from "./maintain.ts";
import type { Operation, OutboxItem, Revocation, VaultVersion } from "./ports.ts";
import { takeOver } from "./run-operation.ts";
import { signCheckpoint } from "./sign-checkpoint.ts";
import { outboxItem } from "./vault-tasks.ts";
import { vaultHeldKeys } from "./vault-held-keys.ts";
import { vaultName } from "./version-value.ts";

/** An operation that was found open. `action` is what was done with it, or what `--fix` would do. */
export interface FoundOperation {
  operation: Operation;
  key: KeyRecord | null;
  action: "running" | "finished" | "abandoned" | "would-end";
}

/** A place where vault and store disagree. */
export interface Drift {
  key: KeyRecord;
  version: number;
  /** `denied-but-enabled`: our records deny it, the vault still gives it. `accepted-but-missing`: the reverse. */
  what: "denied-but-enabled" | "accepted-but-disabled" | "accepted-but-missing";
  mended: boolean;
}

/** What the vault still has to do; `key` is the one that it is for. */
export interface WaitingTask {
  item: OutboxItem;
  key: KeyRecord | null;
}

export interface ReconcileReport {
  operations: FoundOperation[];
  outbox: { done: number; due: WaitingTask[]; waiting: number };
  expired: number;
  drift: Drift[];
  /** Provider keys that were revoked here and are still accepted by their provider. */
  upstreams: Revocation[];
  /** Versions whose value an older vault does not have; they were revoked. */
  lost: LostVersion[];
  fixed: boolean;
}

export interface ReconcileInput {
  fix: boolean;
  /** The generation of an older vault that is to be accepted for good; null without one. */
  acceptVault: number | null;
}

/** Whether anything is left: `ok`, `pending` when something waits, `integrity` on drift that stands. */
export function reconcileOutcome(report: ReconcileReport): "ok" | "pending" | "integrity" {
  if (report.drift.some((drift) => !drift.mended)) return "integrity";
  const waits = report.operations.some(({ action }) => action === "running" || action === "would-end");
  return waits || report.outbox.due.length > 0 ? "pending" : "ok";
}

/**
 * Looks for what crashes and outages left behind; with `fix` it finishes or gives up operations of dead processes, does
 * the queue, writes expiries, disables in the vault what our records deny, and signs the logs. It never deletes. It does so
 * for every tenant that the caller maintains; drift is looked for in the context's.
 */
export async function reconcile(deps: Deps, input: ReconcileInput): Promise<ReconcileReport> {
  return await attempted(deps, { operation: "store.reconcile" }, async () => {
    assertMay(standing(deps.caller), "manage");
    const lost = input.acceptVault === null ? [] : await acceptOlderVault(deps, input.acceptVault);
    return { ...(await repair(deps, input.fix, await maintainedTenants(deps))), lost };
  });
}

async function repair(
  deps: Deps,
  fix: boolean,
  tenantIds: readonly string[],
): Promise<Omit<ReconcileReport, "lost">> {
  const operations = await openOperations(deps, fix, tenantIds);
  const expired = fix
    ? await writeExpiries(deps, tenantIds)
    : (await deps.store.overdueVersions(deps.clock.now(), 1000, tenantIds)).length;
  const drift = await findDrift(deps, fix);
  const drained = fix ? await retryOutbox(deps, tenantIds) : { done: 0 };
  const now = deps.clock.now();
  const queue = await deps.store.outbox({ tenantIds, limit: 1000 });
  // After an attempt that failed a task is due later, and still waits: what was never to be done yet (a running grace) does not.
  const items = queue.filter((item) => item.notBefore <= now || item.attempts > 0);
  const due: WaitingTask[] = [];
  for (const item of items) due.push({ item, key: await deps.store.keyById(item.keyId) });
  if (fix) await finishMaintenance(deps, now, tenantIds);
  return {
    operations,
    outbox: { done: drained.done, due, waiting: queue.length - due.length },
    expired,
    drift,
    upstreams: await deps.store.openUpstreams(deps.caller.tenant.id),
    fixed: fix,
  };
}

async function openOperations(
  deps: Deps,
  fix: boolean,
  tenantIds: readonly string[],
): Promise<FoundOperation[]> {
  const found: FoundOperation[] = [];
  const open = await deps.store.openOperations();
  for (const operation of open.filter(({ tenantId }) => tenantIds.includes(tenantId))) {
    const key = await deps.store.keyById(operation.keyId);
    if (deps.processes.isAlive(operation.owner)) found.push({ operation, key, action: "running" });
    else if (!fix || key === null) found.push({ operation, key, action: "would-end" });
    else found.push({ operation, key, action: await end(deps, key, operation) });
  }
  return found;
}

/** Ends a dead process's operation; another `reconcile` or command that is faster has it now. */
async function end(deps: Deps, key: KeyRecord, operation: Operation): Promise<FoundOperation["action"]> {
  try {
    return await takeOver(deps, operation, operationWork(deps, key, operation));
  } catch (error) {
    if (isKeyctlError(error) && error.code === "conflict") return "running";
    throw error;
  }
}

async function finishMaintenance(deps: Deps, now: number, tenantIds: readonly string[]): Promise<void> {
  await purgeAnswers(deps);
  for (const log of [systemLog, ...tenantIds]) await signCheckpoint(deps, log, { onlyWhenStale: false });
  const generation = await (await deps.vault()).generation();
  await deps.store.transaction(async (tx) => {
    await tx.recordMaintenance(now);
    if (generation !== null) await tx.rememberVaultGeneration(generation);
  });
}

/** Compares every vault-held version of the tenant with the vault. */
async function findDrift(deps: Deps, fix: boolean): Promise<Drift[]> {
  const found: Drift[] = [];
  for await (const key of vaultHeldKeys(deps, deps.caller.tenant.id))
    found.push(...(await driftOf(deps, key, fix)));
  return found;
}

async function driftOf(deps: Deps, key: KeyRecord, fix: boolean): Promise<Drift[]> {
  const vault = await deps.vault();
  const room = key.kind === "secret" ? vault.secrets : vault.keys;
  const held = await room.versions(await vaultName(deps.store, key));
  const queued = new Set(
    (await deps.store.outbox({ keyId: key.id, limit: 1000 })).map((item) => item.reference),
  );
  const found: Drift[] = [];
  const versions = await deps.store.versions(key.id);
  const now = deps.clock.now();
  const inUse = new Set(
    versions
      .filter((version) => judgeVersion(key, version, now) === "accepted")
      .map((version) => version.vaultReference),
  );
  for (const version of versions) {
    const what = disagreement(deps, key, { version, held, inUse });
    if (what === null || (version.vaultReference !== null && queued.has(version.vaultReference))) continue;
    const mended = fix && what === "denied-but-enabled" && (await queueDenial(deps, key, version));
    found.push({ key, version: version.version, what, mended });
  }
  return found;
}

function disagreement(
  deps: Pick<Deps, "clock">,
  key: KeyRecord,
  facts: { version: VersionRecord; held: readonly VaultVersion[]; inUse: ReadonlySet<string | null> },
): Drift["what"] | null {
  const { version, held, inUse } = facts;
  if (version.vaultReference === null) return null;
  const inVault = held.find((candidate) => candidate.reference === version.vaultReference);
  const judged = judgeVersion(key, version, deps.clock.now());
  if (judged === "accepted") {
    if (inVault === undefined) return "accepted-but-missing";
    return inVault.enabled ? null : "accepted-but-disabled";
  }
  const isHeld = version.state === "active" || version.state === "rotated";
  const denied =
    version.state === "revoked" ||
    version.state === "compromised" ||
    version.state === "inactive" ||
    (isHeld && key.deletedAt !== null);
  const isOpen = denied && inVault?.enabled === true && !inUse.has(version.vaultReference);
  return key.kind === "secret" && isOpen ? "denied-but-enabled" : null;
}

async function queueDenial(deps: Deps, key: KeyRecord, version: VersionRecord): Promise<boolean> {
  const now = deps.clock.now();
  const operationId = uuidv7(now, deps.random.bytes(10));
  const item = outboxItem(deps, { key, version, operationId, notBefore: now });
  if (item === null) return false;
  await deps.store.transaction(async (tx) => await tx.insertOutbox([item]));
  return true;
}
