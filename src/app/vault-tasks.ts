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

/** Looks later for what an ended operation left in the vault under its tag, and disables it. */
export async function sweepTasks(
  deps: Pick<Deps, "clock" | "random">,
  tx: StoreTransaction,
  ended: { key: KeyRecord; operation: Operation },
): Promise<OutboxItem[]> {
  const { key, operation } = ended;
  if (key.kind !== "secret" && key.kind !== "encryption") return [];
  const now = deps.clock.now();
  return [
    {
      id: uuidv7(now, deps.random.bytes(10)),
      tenantId: key.tenantId,
      keyId: key.id,
      version: operation.version,
      task: key.kind === "secret" ? "sweep-secret" : "sweep-key",
      reference: await vaultName(tx, key),
      operationId: operation.id,
      notBefore: now,
      attempts: 0,
      createdAt: now,
      doneAt: null,
    },
  ];
}
