import type { KeyRecord } from "../core/model.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import type { NewValue } from "./new-value.ts";
import type { Operation, StoreTransaction } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";

/** The first transaction's part that create and rotate share: pending version, leak tag, operation, intent. */
export async function recordVersion(
  deps: Deps,
  tx: StoreTransaction,
  record: {
    key: KeyRecord;
    value: NewValue;
    operation: Operation;
    expiresAt: number | null;
    options: Pick<MutationOptions, "reason" | "ticket">;
  },
): Promise<void> {
  const { key, value, operation } = record;
  await tx.insertVersion({
    keyId: key.id,
    version: operation.version,
    state: "pending",
    formerState: null,
    parentVersion: key.activeVersion,
    createdAt: operation.createdAt,
    activatedAt: null,
    expiresAt: record.expiresAt,
    graceUntil: null,
    rollbackUntil: null,
    rotatedAt: null,
    revokedAt: null,
    revokedReason: null,
    deniedAt: null,
    lastUsedAt: null,
    seenAt: null,
    envelope: null,
    vaultReference: null,
    rowMac: null,
    rowMacPepperVersion: null,
    ...value.fields,
  });
  if (value.tag !== null) await tx.insertLeakTag(value.tag);
  await tx.insertOperation(operation);
  await recordAudit(tx, deps, {
    operation: `key.${operation.kind}`,
    phase: "intent",
    sensitivity: "HIGH",
    key,
    transitions: [{ version: operation.version, from: null, to: "pending" }],
    operationId: operation.id,
    options: record.options,
  });
}
