import { KeyctlError, isKeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { assertOwned } from "./keyring.ts";
import type { OutboxItem, StoreTransaction, Vault } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { keyTag, ofOperation } from "./version-value.ts";

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

/**
 * As `drainOutbox`, and tries at once what only waits because an attempt failed: who asks for it knows that the vault is back,
 * the wait does not.
 */
export async function retryOutbox(deps: Deps, tenantIds: readonly string[]): Promise<Drained> {
  const now = deps.clock.now();
  const retried = { done: 0, pending: 0 };
  for (const tenantId of tenantIds) {
    const tasks = await deps.store.dueOutbox({ tenantId, now, limit: pageSize });
    for (const item of tasks.filter(({ notBefore }) => notBefore > now)) {
      if (await attempt(deps, item)) retried.done += 1;
      else retried.pending += 1;
    }
  }
  const drained = await drainOutbox(deps, { tenantIds });
  return { done: retried.done + drained.done, pending: retried.pending + drained.pending };
}

async function attempt(deps: Deps, item: OutboxItem): Promise<boolean> {
  try {
    await finish(deps, item, await perform(deps, item));
    return true;
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    const wait = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(item.attempts, 20));
    await deps.store.transaction(async (tx) => await tx.deferOutbox(item.id, deps.clock.now() + wait));
    return false;
  }
}

/** What the vault did: it refuses the version that the task names, or has nothing of the key any more. */
type Done = "vault.disable" | "vault.purge" | null;

async function perform(deps: Deps, item: OutboxItem): Promise<Done> {
  const vault = await deps.vault();
  if (item.task === "sweep-secret" || item.task === "sweep-key") {
    await sweep(deps, vault, item);
    return null;
  }
  if (item.task === "purge-secret" || item.task === "purge-key") return await purge(deps, vault, item);
  const key = await deps.store.keyById(item.keyId);
  const versions = await deps.store.versions(item.keyId);
  if (key === null || stillNeeded(deps, key, { versions, item })) return null;
  assertOwned(vault, item.reference);
  await disable(item.task === "disable-secret" ? vault.secrets : vault.keys, item.reference);
  return "vault.disable";
}

/**
 * Takes the object away, unless the name is another key's by now. Waits while a process lives that may still write to it. A
 * task alone is not enough: the key itself must be purged, which no row can say in secret (`audit-verify --state`).
 */
async function purge(deps: Deps, vault: Vault, item: OutboxItem): Promise<Done> {
  const key = await deps.store.keyById(item.keyId);
  if (key === null || key.purgedAt === null) return null;
  await assertOwnerGone(deps, item);
  const room = item.task === "purge-secret" ? vault.secrets : vault.keys;
  const held = await room.versions(item.reference);
  if (held.length === 0 || held.some(({ tags }) => tags[keyTag] !== item.keyId)) return null;
  await room.purge(item.reference);
  return "vault.purge";
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
  await assertOwnerGone(deps, item);
  const room = item.task === "sweep-secret" ? vault.secrets : vault.keys;
  const versions = await deps.store.versions(item.keyId);
  for (const left of await ofOperation(room, item.reference, item.operationId)) {
    const holder = versions.find((version) => version.vaultReference === left.reference);
    if (holder === undefined || !inUse.has(holder.state)) await room.disable(left.reference);
  }
}

/** `unavailable` while the process of the task's operation lives. */
async function assertOwnerGone(deps: Deps, item: OutboxItem): Promise<void> {
  const operation = await deps.store.operationById(item.operationId);
  const owner = operation?.owner;
  if (owner === undefined || owner.pid === deps.processes.current().pid || !deps.processes.isAlive(owner))
    return;
  throw new KeyctlError("unavailable", "the operation's process still runs", {
    operationId: item.operationId,
  });
}

async function finish(deps: Deps, item: OutboxItem, done: Done): Promise<void> {
  const now = deps.clock.now();
  await deps.store.transaction(async (tx) => {
    await tx.finishOutbox(item.id, now);
    if (done === null) return;
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
      operation: done,
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
