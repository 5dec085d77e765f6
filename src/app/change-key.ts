import type { Action } from "../core/access.ts";
import type { JsonValue } from "../core/canonical-json.ts";
import { KeyctlError } from "../core/errors.ts";
import { applyChanges, summarise, transitionsOf } from "../core/transition.ts";
import type { KeyWithVersions, VersionChange } from "../core/transition.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import { assertRevision } from "./begin-operation.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { findKey } from "./find-key.ts";
import type { FoundKey, KeySelector } from "./find-key.ts";
import { hashPlan } from "./plan-hash.ts";
import type { Operation, OutboxItem, StoreTransaction, VersionPatch } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import type { AuditEvent } from "./record-audit.ts";
import { tellVault } from "./settle.ts";
import { sweepTasks } from "./vault-tasks.ts";
import { changed } from "./version-work.ts";

/** One key, and why it is changed. */
export interface ChangeKeyInput {
  target: KeySelector;
  options: MutationOptions;
}

/** What a verb that changes one key answers. */
export interface ChangedKey {
  key: KeyRecord;
  /** False when all was so already. */
  changed: boolean;
  /** How much of it the vault has still to do. */
  vaultPending: number;
}

/** What such a verb would do. */
export interface PlannedChange {
  /** As it would be. */
  key: KeyRecord;
  changed: boolean;
  planHash: string;
}

/** A change that the store makes alone: it waits for nothing and nobody, and the vault follows. */
export interface StoreChange {
  /** Moves that follow each other; each is planned from what the former one leaves. */
  moves: readonly (readonly VersionChange[])[];
  /** Fields of the key that change besides those that its versions give. */
  set: Partial<KeyRecord>;
  /** More of the key for the log. */
  after: Readonly<Record<string, JsonValue>>;
  /** What the vault has to do; `operationId` is the change's. */
  tasks(tx: StoreTransaction, after: readonly VersionRecord[], operationId: string): Promise<OutboxItem[]>;
}

/** A kind of such change. */
export interface StoreChangeRule {
  operation: "key.suspend" | "key.delete" | "key.purge" | "key.restore";
  sensitivity: AuditEvent["sensitivity"];
  action: Action;
  /** What is changed of the key as it stands, with the operation that is open on it; null when all is so already. */
  plan(found: KeyWithVersions, open: Operation | null, now: number): StoreChange | null;
}

/** What `changeKey` would do; refused where it would be. Nothing is written. */
export async function planChange(
  deps: Deps,
  input: ChangeKeyInput,
  rule: StoreChangeRule,
): Promise<PlannedChange> {
  const { operation } = rule;
  return await attempted(deps, { operation, target: input.target }, async () => {
    const found = await findKey(deps, input.target, rule.action);
    assertRevision(found.key, input.options.ifRevision);
    const change = rule.plan(found, await deps.store.openOperationOf(found.key.id), deps.clock.now());
    const { id, revision } = found.key;
    const planHash = hashPlan({ verb: operation, id, revision });
    if (change === null) return { key: found.key, changed: false, planHash };
    const after = change.moves.reduce(applyChanges, found.versions);
    return { key: nextKey(deps, found.key, { after, set: change.set }), changed: true, planHash };
  });
}

/**
 * Makes the change in one transaction, on the rows as they stand in it; an operation that is open on the key is superseded,
 * never waited for. Then the vault is told, as far as it answers.
 */
export async function changeKey(
  deps: Deps,
  input: ChangeKeyInput,
  rule: StoreChangeRule,
): Promise<ChangedKey> {
  const { operation } = rule;
  return await attempted(deps, { operation, target: input.target }, async () => {
    const operationId = uuidv7(deps.clock.now(), deps.random.bytes(10));
    const written = await deps.store.transaction(async (tx) => {
      const found = await findKey({ store: tx, caller: deps.caller }, input.target, rule.action);
      assertRevision(found.key, input.options.ifRevision);
      const open = await tx.openOperationOf(found.key.id);
      const change = rule.plan(found, open, deps.clock.now());
      if (change === null) return { key: found.key, changed: false };
      const key = await writeStoreChange(deps, tx, { found, open, change, rule, operationId, input });
      return { key, changed: true };
    });
    if (written.changed) deps.observer?.("point", operationId);
    return { ...written, vaultPending: await tellVault(deps, written.key) };
  });
}

interface StoreWrite {
  found: FoundKey;
  open: Operation | null;
  change: StoreChange;
  rule: StoreChangeRule;
  operationId: string;
  input: ChangeKeyInput;
}

async function writeStoreChange(deps: Deps, tx: StoreTransaction, write: StoreWrite): Promise<KeyRecord> {
  const { found, open, change, rule, operationId } = write;
  const { key } = found;
  const after = change.moves.reduce(applyChanges, found.versions);
  const tasks = await change.tasks(tx, after, operationId);
  if (open !== null) {
    await tx.closeOperations({ keyIds: [key.id], status: "superseded", at: deps.clock.now() });
    tasks.push(...(await sweepTasks(deps, tx, { key, operation: open })));
  }
  const next = nextKey(deps, key, { after, set: change.set });
  await writeKeyChange(deps, tx, {
    former: key,
    next,
    patches: change.moves.flat().map((each) => ({ keyId: key.id, ...each })),
    tasks,
    event: {
      operation: rule.operation,
      sensitivity: rule.sensitivity,
      transitions: change.moves.flatMap(transitionsOf),
      before: stateForLog(key),
      after: { ...stateForLog(next), ...change.after },
      operationId,
      options: write.input.options,
    },
  });
  return next;
}

/** What a change of one key writes. */
export interface KeyWrite {
  former: KeyRecord;
  next: KeyRecord;
  patches: readonly VersionPatch[];
  tasks: OutboxItem[];
  event: AuditEvent;
}

/** Versions, key, queue and the one audit entry. `conflict` when the key was changed since it was read. */
export async function writeKeyChange(
  deps: Pick<Deps, "clock" | "random" | "caller" | "tool">,
  tx: StoreTransaction,
  write: KeyWrite,
): Promise<void> {
  for (const patch of write.patches) {
    if (!(await tx.updateVersion(patch))) throw changed();
  }
  if (!(await tx.updateKey(write.next, write.former.revision))) throw changed();
  if (write.tasks.length > 0) await tx.insertOutbox(write.tasks);
  await recordAudit(tx, deps, { ...write.event, key: write.next });
}

/** The key as a change leaves it: state and pointer by its versions, one revision further. */
export function nextKey(
  deps: Pick<Deps, "clock">,
  key: KeyRecord,
  change: { after: readonly VersionRecord[]; set: Partial<KeyRecord> },
): KeyRecord {
  const next = { ...key, ...change.set, revision: key.revision + 1, updatedAt: deps.clock.now() };
  return { ...next, ...summarise(next, change.after) };
}

/** What entries say of a key before and after its state changed. */
export function stateForLog(key: KeyRecord): Record<string, JsonValue> {
  return { state: key.state, activeVersion: key.activeVersion, revision: key.revision };
}

/** Refuses (`refused`) what cannot be done with a key that is deleted. */
export function assertNotDeleted(key: KeyRecord): void {
  if (key.purgedAt !== null) throw purged(key);
  if (key.deletedAt === null) return;
  throw new KeyctlError("refused", `${key.name} is deleted`, {
    hint: `keyctl restore ${key.env}/${key.name}`,
  });
}

/** What is said of a key that is gone for good. */
export function purged(key: KeyRecord): KeyctlError {
  return new KeyctlError("refused", `${key.name} was purged: nothing of it is left but its record`, {
    hint: `keyctl create ${key.env}/${key.name}: the name is free`,
  });
}
