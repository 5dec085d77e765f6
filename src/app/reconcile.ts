import { assertMay } from "../core/access.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { operationWork } from "./operation-work.ts";
import type { Deps } from "./deps.ts";
import { drainOutbox } from "./drain-outbox.ts";
import { purgeAnswers, writeExpiries } from "./maintain.ts";
import type { Operation, OutboxItem, Revocation, VaultVersion } from "./ports.ts";
import { takeOver } from "./run-operation.ts";
import { signCheckpoint } from "./sign-checkpoint.ts";
import { outboxItem } from "./vault-tasks.ts";
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

export interface ReconcileReport {
  operations: FoundOperation[];
  outbox: { done: number; due: OutboxItem[]; waiting: number };
  expired: number;
  drift: Drift[];
  /** Provider keys that were revoked here and are still accepted by their provider. */
  upstreams: Revocation[];
  fixed: boolean;
}

/** Whether anything is left: `ok`, `pending` when something waits, `integrity` on drift that stands. */
export function reconcileOutcome(report: ReconcileReport): "ok" | "pending" | "integrity" {
  if (report.drift.some((drift) => !drift.mended)) return "integrity";
  const waits = report.operations.some(({ action }) => action === "running" || action === "would-end");
  return waits || report.outbox.due.length > 0 ? "pending" : "ok";
}

/**
 * Looks for what crashes and outages left behind; with `fix` it finishes or gives up operations of dead processes, does
 * the queue, writes expiries, disables in the vault what our records deny, and signs every log. It never deletes.
 */
export async function reconcile(deps: Deps, input: { fix: boolean }): Promise<ReconcileReport> {
  const { caller } = deps;
  assertMay("manage", { role: caller.role, login: caller.actor.login, tenant: caller.tenant.name });
  const operations = await openOperations(deps, input.fix);
  const expired = input.fix
    ? await writeExpiries(deps)
    : (await deps.store.overdueVersions(deps.clock.now(), 1000)).length;
  const drift = await findDrift(deps, input.fix);
  const drained = input.fix ? await drainOutbox(deps) : { done: 0 };
  const now = deps.clock.now();
  const queue = await deps.store.outbox({ limit: 1000 });
  // After an attempt that failed a task is due later, and still waits: what was never to be done yet (a running grace) does not.
  const due = queue.filter((item) => item.notBefore <= now || item.attempts > 0);
  if (input.fix) await finishMaintenance(deps, now);
  return {
    operations,
    outbox: { done: drained.done, due, waiting: queue.length - due.length },
    expired,
    drift,
    upstreams: await deps.store.openUpstreams(caller.tenant.id),
    fixed: input.fix,
  };
}

async function openOperations(deps: Deps, fix: boolean): Promise<FoundOperation[]> {
  const found: FoundOperation[] = [];
  for (const operation of await deps.store.openOperations()) {
    const key = await deps.store.keyById(operation.keyId);
    if (deps.processes.isAlive(operation.owner)) found.push({ operation, key, action: "running" });
    else if (!fix || key === null) found.push({ operation, key, action: "would-end" });
    else
      found.push({
        operation,
        key,
        action: await takeOver(deps, operation, operationWork(deps, key, operation)),
      });
  }
  return found;
}

async function finishMaintenance(deps: Deps, now: number): Promise<void> {
  await purgeAnswers(deps);
  for (const log of await deps.store.auditLogs()) await signCheckpoint(deps, log, { onlyWhenStale: false });
  const generation = await (await deps.vault()).generation();
  await deps.store.transaction(async (tx) => {
    await tx.recordMaintenance(now);
    if (generation !== null) await tx.rememberVaultGeneration(generation);
  });
}

const pageSize = 500;

/** Compares every vault-held version of the tenant with the vault. */
async function findDrift(deps: Deps, fix: boolean): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const kind of ["secret", "encryption"] as const) {
    let after: { name: string; id: string } | null = null;
    for (;;) {
      const page = {
        tenantId: deps.caller.tenant.id,
        env: null,
        filter: { kind },
        now: deps.clock.now(),
        limit: pageSize,
        after,
      };
      const keys: KeyRecord[] = await deps.store.listKeys(page);
      for (const key of keys) found.push(...(await driftOf(deps, key, fix)));
      const last = keys.at(-1);
      if (last === undefined || keys.length < pageSize) break;
      after = { name: last.name, id: last.id };
    }
  }
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
  for (const version of await deps.store.versions(key.id)) {
    const what = disagreement(deps, key, { version, held });
    if (what === null || (version.vaultReference !== null && queued.has(version.vaultReference))) continue;
    const mended = fix && what === "denied-but-enabled" && (await queueDenial(deps, key, version));
    found.push({ key, version: version.version, what, mended });
  }
  return found;
}

function disagreement(
  deps: Pick<Deps, "clock">,
  key: KeyRecord,
  facts: { version: VersionRecord; held: readonly VaultVersion[] },
): Drift["what"] | null {
  const { version, held } = facts;
  if (version.vaultReference === null) return null;
  const inVault = held.find((candidate) => candidate.reference === version.vaultReference);
  const judged = judgeVersion(key, version, deps.clock.now());
  if (judged === "accepted") {
    if (inVault === undefined) return "accepted-but-missing";
    return inVault.enabled ? null : "accepted-but-disabled";
  }
  const denied = version.state === "revoked" || version.state === "compromised";
  return key.kind === "secret" && denied && inVault?.enabled === true ? "denied-but-enabled" : null;
}

async function queueDenial(deps: Deps, key: KeyRecord, version: VersionRecord): Promise<boolean> {
  const now = deps.clock.now();
  const operationId = uuidv7(now, deps.random.bytes(10));
  const item = outboxItem(deps, { key, version, operationId, notBefore: now });
  if (item === null) return false;
  await deps.store.transaction(async (tx) => await tx.insertOutbox([item]));
  return true;
}
