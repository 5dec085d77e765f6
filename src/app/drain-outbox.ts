import { KeyctlError, isKeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { assertOwned } from "./keyring.ts";
import type { OutboxItem, StoreTransaction, Vault } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { ofOperation } from "./version-value.ts";

/** How a drain went. */
export interface Drained {
  done: number;
  /** Still to do: the vault did not answer, or the moment has not come. */
  pending: number;
}

const inUse: ReadonlySet<VersionRecord["state"]> = new Set(["active", "rotated", "inactive"]);
const pageSize = 500;
const retryFirstMs = 5_000;
const retryMostMs = 3_600_000;

/**
 * Does what is due in the vault, at least once each; a task that fails stays queued and is tried again later and later.
 * Never throws because the vault is away: that is what the queue is for.
 */
export async function drainOutbox(
  deps: Deps,
  filter: { keyId: string } | { tenantIds: readonly string[] },
): Promise<Drained> {
  const drained = { done: 0, pending: 0 };
  for (;;) {
    const due = await deps.store.outbox({ ...filter, dueAt: deps.clock.now(), limit: pageSize });
    let deferred = 0;
    for (const item of due) {
      const done = await attempt(deps, item);
      drained.done += done ? 1 : 0;
      deferred += done ? 0 : 1;
    }
    drained.pending += deferred;
    if (due.length < pageSize) return drained;
  }
}

async function attempt(deps: Deps, item: OutboxItem): Promise<boolean> {
  try {
    const denied = await perform(deps, item);
    await finish(deps, item, denied);
    return true;
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    const wait = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(item.attempts, 20));
    await deps.store.transaction(async (tx) => await tx.deferOutbox(item.id, deps.clock.now() + wait));
    return false;
  }
}

/** Whether the vault now refuses the version that the task names. */
async function perform(deps: Deps, item: OutboxItem): Promise<boolean> {
  const vault = await deps.vault();
  if (item.task === "sweep-secret" || item.task === "sweep-key") {
    await sweep(deps, vault, item);
    return false;
  }
  const key = await deps.store.keyById(item.keyId);
  const versions = await deps.store.versions(item.keyId);
  if (key === null || stillNeeded(deps, key, { versions, item })) return false;
  assertOwned(vault, item.reference);
  await disable(item.task === "disable-secret" ? vault.secrets : vault.keys, item.reference);
  return true;
}

/** A version that is not there (lost with a newer copy of the vault) is refused by the vault as well. */
async function disable(room: Pick<Vault["secrets"], "disable">, reference: string): Promise<void> {
  try {
    await room.disable(reference);
  } catch (error) {
    if (!isKeyctlError(error) || error.code !== "not-found") throw error;
  }
}

/** What an accepted version refers to keeps its place in the vault: one that came back meanwhile, by rollback or undo. */
function stillNeeded(
  deps: Pick<Deps, "clock">,
  key: KeyRecord,
  facts: { versions: readonly VersionRecord[]; item: OutboxItem },
): boolean {
  const now = deps.clock.now();
  const holders = facts.versions.filter((version) => version.vaultReference === facts.item.reference);
  return holders.some((version) => judgeVersion(key, version, now) === "accepted");
}

/** Disables what an ended operation left under its tag and no accepted version refers to. Waits while its process lives. */
async function sweep(deps: Deps, vault: Vault, item: OutboxItem): Promise<void> {
  const operation = await deps.store.operationById(item.operationId);
  const owner = operation?.owner;
  if (owner !== undefined && owner.pid !== deps.processes.current().pid && deps.processes.isAlive(owner)) {
    throw new KeyctlError("unavailable", "the operation's process still runs", {
      operationId: item.operationId,
    });
  }
  const room = item.task === "sweep-secret" ? vault.secrets : vault.keys;
  const versions = await deps.store.versions(item.keyId);
  for (const left of await ofOperation(room, item.reference, item.operationId)) {
    const holder = versions.find((version) => version.vaultReference === left.reference);
    if (holder === undefined || !inUse.has(holder.state)) await room.disable(left.reference);
  }
}

async function finish(deps: Deps, item: OutboxItem, denied: boolean): Promise<void> {
  const now = deps.clock.now();
  await deps.store.transaction(async (tx) => {
    await tx.finishOutbox(item.id, now);
    if (!denied) return;
    const key = await tx.keyById(item.keyId);
    const version = (await tx.versions(item.keyId)).find((candidate) => candidate.version === item.version);
    if (version === undefined) return;
    const isRevoked = version.state === "revoked" || version.state === "compromised";
    if (isRevoked && version.deniedAt === null && !(await hasMore(tx, item))) {
      await tx.updateVersion({
        keyId: item.keyId,
        version: item.version,
        from: version.state,
        set: { deniedAt: now },
      });
    }
    await recordAudit(tx, deps, {
      operation: "vault.disable",
      sensitivity: "HIGH",
      key,
      after: { version: item.version },
      operationId: item.operationId,
    });
  });
}

/** Whether the vault may still give the version under another reference: it is denied when the last one is. */
async function hasMore(tx: StoreTransaction, item: OutboxItem): Promise<boolean> {
  const queued = await tx.outbox({ keyId: item.keyId, limit: pageSize });
  return queued.some(
    (other) => other.id !== item.id && other.version === item.version && other.task === item.task,
  );
}
