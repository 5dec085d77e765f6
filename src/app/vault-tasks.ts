import { kindRules } from "../core/kind-rules.ts";
import type { VersionChange } from "../core/transition.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import type { Operation, OutboxItem, StoreReader, StoreTransaction } from "./ports.ts";
import { vaultName } from "./version-value.ts";

/** A secret whose grace ends is disabled in the vault then; one that came back must not be. */
export function graceTasks(
  deps: Pick<Deps, "clock" | "random">,
  ended: {
    key: KeyRecord;
    changes: readonly VersionChange[];
    after: readonly VersionRecord[];
    operationId: string;
  },
): OutboxItem[] {
  const { key, changes, after, operationId } = ended;
  if (kindRules[key.kind].vaultAfterGrace !== "disable") return [];
  return after
    .filter((version) => changes.some((change) => change.version === version.version))
    .filter((version) => version.state === "rotated" || version.state === "compromised")
    .map((version) =>
      outboxItem(deps, { key, version, operationId, notBefore: version.graceUntil ?? deps.clock.now() }),
    )
    .filter((item) => item !== null);
}

/** Disables in the vault what a suspended or deleted key had accepted there; what it only wraps with stays as it is. */
export function denialTasks(
  deps: Pick<Deps, "clock" | "random">,
  denied: { key: KeyRecord; versions: readonly VersionRecord[]; operationId: string },
): OutboxItem[] {
  const { key, versions, operationId } = denied;
  if (kindRules[key.kind].vaultAfterGrace !== "disable") return [];
  const notBefore = deps.clock.now();
  return versions
    .filter(({ state }) => state === "active" || state === "rotated" || state === "inactive")
    .map((version) => outboxItem(deps, { key, version, operationId, notBefore }))
    .filter((item) => item !== null);
}

/** The task that disables a version in the vault; null where the vault holds nothing of it. */
export function outboxItem(
  deps: Pick<Deps, "clock" | "random">,
  task: { key: KeyRecord; version: VersionRecord; operationId: string; notBefore: number },
): OutboxItem | null {
  const { key, version } = task;
  if (version.vaultReference === null || (key.kind !== "secret" && key.kind !== "encryption")) return null;
  const now = deps.clock.now();
  return {
    id: uuidv7(now, deps.random.bytes(10)),
    tenantId: key.tenantId,
    keyId: key.id,
    version: version.version,
    task: key.kind === "secret" ? "disable-secret" : "disable-key",
    reference: version.vaultReference,
    operationId: task.operationId,
    notBefore: task.notBefore,
    attempts: 0,
    createdAt: now,
    doneAt: null,
  };
}

/**
 * References that a version's row has left behind and that the vault was not told of yet: a rollback puts a secret again,
 * and its row follows. Whoever cancels the version's tasks must queue these anew.
 */
export async function formerReferences(store: StoreReader, version: VersionRecord): Promise<string[]> {
  const queued = await store.outbox({ keyId: version.keyId, limit: 1000 });
  const references = queued
    .filter((item) => item.version === version.version && item.task === "disable-secret")
    .map((item) => item.reference);
  return [...new Set(references)].filter((reference) => reference !== version.vaultReference);
}

/** Takes the key's object out of the vault, with all its versions. */
export async function purgeTasks(
  deps: Pick<Deps, "clock" | "random">,
  tx: StoreTransaction,
  purged: { key: KeyRecord; operationId: string },
): Promise<OutboxItem[]> {
  const { key, operationId } = purged;
  if (key.kind !== "secret" && key.kind !== "encryption") return [];
  const task = key.kind === "secret" ? ("purge-secret" as const) : ("purge-key" as const);
  return [await namedTask(deps, tx, { key, version: key.lastVersion, task, operationId })];
}

/** Ends tasks that disable versions of a purged key: another key of its name gets the same references. */
export async function cancelDenials(tx: StoreTransaction, keyId: string, at: number): Promise<void> {
  for (const item of await tx.outbox({ keyId, limit: 1000 })) {
    const { version, task } = item;
    if (task === "disable-secret" || task === "disable-key")
      await tx.cancelOutbox({ keyId, version, task, at });
  }
}

/** Looks later for what an ended operation left in the vault under its tag, and disables it. */
export async function sweepTasks(
  deps: Pick<Deps, "clock" | "random">,
  tx: StoreTransaction,
  ended: { key: KeyRecord; operation: Operation },
): Promise<OutboxItem[]> {
  const { key, operation } = ended;
  if (key.kind !== "secret" && key.kind !== "encryption") return [];
  const task = key.kind === "secret" ? ("sweep-secret" as const) : ("sweep-key" as const);
  return [await namedTask(deps, tx, { key, version: operation.version, task, operationId: operation.id })];
}

/** A task for an object of the vault as a whole, due at once. */
async function namedTask(
  deps: Pick<Deps, "clock" | "random">,
  tx: StoreTransaction,
  of: { key: KeyRecord; version: number; task: OutboxItem["task"]; operationId: string },
): Promise<OutboxItem> {
  const { key, version, task, operationId } = of;
  const now = deps.clock.now();
  return {
    id: uuidv7(now, deps.random.bytes(10)),
    tenantId: key.tenantId,
    keyId: key.id,
    version,
    task,
    reference: await vaultName(tx, key),
    operationId,
    notBefore: now,
    attempts: 0,
    createdAt: now,
    doneAt: null,
  };
}
