import { KeyctlError } from "../core/errors.ts";
import { applyChanges, summarise, touchedBy, transitionsOf } from "../core/transition.ts";
import { planAbandon } from "../core/denial.ts";
import { planActivation } from "../core/lifecycle.ts";
import type { VersionChange } from "../core/transition.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { idempotencyWindowMs } from "../core/policy.ts";
import type { Secret } from "../core/secret.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import type { VersionedKeys } from "./keyring.ts";
import { assertGenuine, loadRowKeys, macChanges } from "./mac-versions.ts";
import type { Operation, StoreTransaction } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { graceTasks, sweepTasks } from "./vault-tasks.ts";
import type { OperationWork } from "./run-operation.ts";
import { publishValue, recoverValue, testValue } from "./version-value.ts";

/** What only the command that began the operation has; after a crash it is gone. */
export interface FreshRun {
  secret: Secret | null;
  outFile: string | null;
  options: Pick<MutationOptions, "reason" | "ticket">;
}

const nothingFresh: FreshRun = { secret: null, outFile: null, options: { reason: null, ticket: null } };

/** The work of `create` and `rotate`: the same steps, whether begun now or taken over from a dead process. */
export function versionWork(deps: Deps, key: KeyRecord, fresh: FreshRun = nothingFresh): OperationWork {
  let root: VersionedKeys | null = null;
  let generation: number | null = null;
  const noteGeneration = async (): Promise<void> => {
    generation = await (await deps.vault()).generation();
  };
  return {
    publish: async (operation) => {
      const published = await publishValue(deps, key, { operation, secret: fresh.secret });
      await noteGeneration();
      return published;
    },
    recover: async (operation) => {
      const recovered = await recoverValue(deps, key, operation);
      await noteGeneration();
      return recovered;
    },
    note: async (tx, operation, published) => {
      const { wrapped, reference, envelope } = published;
      const set = { vaultReference: reference ?? null, envelope: envelope ?? null };
      await patch(tx, operation, [
        { version: operation.version, from: "pending", set: { ...set, state: "pending" } },
      ]);
      if (wrapped !== undefined)
        await tx.insertWrappedKey({ keyId: key.id, version: operation.version, ...wrapped });
      if (generation !== null) await tx.rememberVaultGeneration(generation);
      return undefined;
    },
    test: async (operation) => {
      const versions = await deps.store.versions(key.id);
      await testValue(deps, key, { version: pick(versions, operation), expected: fresh.secret });
    },
    deliver: async () => {
      if (fresh.outFile === null || fresh.secret === null) return false;
      await deps.files.writePrivate(fresh.outFile, fresh.secret.reveal());
      return true;
    },
    prepare: async () => {
      root = await loadRowKeys(deps, key.id);
    },
    point: async (tx, operation) => {
      if (root === null) throw new KeyctlError("failure", "the row keys were not loaded");
      await activate(deps, tx, { operation, root, options: fresh.options });
    },
    abandon: async (tx, operation) => await abandonVersion(deps, tx, operation),
  };
}

function pick(versions: readonly VersionRecord[], operation: Operation): VersionRecord {
  const version = versions.find((candidate) => candidate.version === operation.version);
  if (version === undefined) {
    throw new KeyctlError("integrity", "an operation names a version that does not exist", {
      operationId: operation.id,
    });
  }
  return version;
}

/** Writes version changes, each a compare-and-set on the state it was planned from. */
export async function patch(
  tx: StoreTransaction,
  operation: Pick<Operation, "id" | "keyId">,
  changes: readonly VersionChange[],
): Promise<void> {
  for (const change of changes) {
    if (!(await tx.updateVersion({ keyId: operation.keyId, ...change }))) throw changed(operation.id);
  }
}

/** What a command says when its plan no longer fits the store. */
export function changed(operationId?: string): KeyctlError {
  return new KeyctlError("conflict", "the key was changed meanwhile by somebody else: nothing was written", {
    hint: "keyctl show the key, then decide again",
    ...(operationId === undefined ? {} : { operationId }),
  });
}

/** The key and its versions as the operation expects them; `conflict` when somebody changed them since. */
export async function expected(
  tx: StoreTransaction,
  operation: Operation,
): Promise<{ key: KeyRecord; versions: VersionRecord[] }> {
  const key = await tx.keyById(operation.keyId);
  if (
    key === null ||
    key.revision !== operation.expectedRevision ||
    key.activeVersion !== operation.expectedActive
  ) {
    throw changed(operation.id);
  }
  return { key, versions: await tx.versions(key.id) };
}

async function activate(
  deps: Deps,
  tx: StoreTransaction,
  run: { operation: Operation; root: VersionedKeys; options: FreshRun["options"] },
): Promise<void> {
  const { operation, root } = run;
  const now = deps.clock.now();
  const { key, versions } = await expected(tx, operation);
  const graceMs = typeof operation.input["graceMs"] === "number" ? operation.input["graceMs"] : null;
  const changes = planActivation({ key, versions }, { version: operation.version, now, graceMs });
  await assertGenuine(deps.keyring, key, touchedBy(changes, versions));
  const after = applyChanges(versions, changes);
  await writeChange(deps, tx, {
    operation,
    key,
    changes: { changes, after },
    root,
    set: operation.kind === "rotate" ? { rotatedAt: now, rotatedBy: operation.actorId } : {},
    options: run.options,
  });
}

interface PlannedWrite {
  operation: Operation;
  key: KeyRecord;
  changes: { changes: readonly VersionChange[]; after: readonly VersionRecord[] };
  root: VersionedKeys;
  set: Partial<KeyRecord>;
  options: FreshRun["options"];
}

/** The last transaction of an operation: versions, key, outbox, remembered answer, audit outcome. */
export async function writeChange(deps: Deps, tx: StoreTransaction, write: PlannedWrite): Promise<void> {
  const { operation, key } = write;
  const { changes, after } = write.changes;
  const now = deps.clock.now();
  for (const versionPatch of macChanges(key, write.changes, write.root)) {
    if (!(await tx.updateVersion(versionPatch))) throw changed(operation.id);
  }
  const former = after.find((version) =>
    changes.some((change) => change.version === version.version && change.set.state === "rotated"),
  );
  const next: KeyRecord = {
    ...key,
    ...summarise(key, after),
    ...write.set,
    revision: key.revision + 1,
    updatedAt: now,
    rollbackUntil: former?.rollbackUntil ?? null,
    correlationId: operation.correlationId,
  };
  if (!(await tx.updateKey(next, key.revision))) throw changed(operation.id);
  await tx.insertOutbox(graceTasks(deps, { key, changes, after, operationId: operation.id }));
  await rememberAnswer(tx, operation, now);
  await recordAudit(tx, deps, {
    operation: `key.${operation.kind}`,
    sensitivity: "HIGH",
    key: next,
    transitions: transitionsOf(changes),
    before: { activeVersion: key.activeVersion, revision: key.revision },
    after: {
      activeVersion: next.activeVersion,
      revision: next.revision,
      graceUntil: former?.graceUntil ?? null,
    },
    operationId: operation.id,
    startedAt: operation.createdAt,
    options: write.options,
  });
}

async function rememberAnswer(tx: StoreTransaction, operation: Operation, now: number): Promise<void> {
  const { idempotencyKey, requestHash } = operation.input;
  if (typeof idempotencyKey !== "string" || typeof requestHash !== "string") return;
  // An answer that is forgotten must not stand in the way of the next.
  await tx.purgeIdempotentRequests(now - idempotencyWindowMs);
  await tx.insertIdempotentRequest({
    tenantId: operation.tenantId,
    actorId: operation.actorId,
    verb: operation.kind,
    key: idempotencyKey,
    requestHash: Uint8Array.from(Buffer.from(requestHash, "hex")),
    operationId: operation.id,
    keyIds: [operation.keyId],
    version: operation.version,
    createdAt: now,
  });
}

/** The pending version becomes revoked, reason `abandoned`; what the vault may hold of it is swept later. */
async function abandonVersion(deps: Deps, tx: StoreTransaction, operation: Operation): Promise<void> {
  const key = await tx.keyById(operation.keyId);
  if (key === null) return;
  const versions = await tx.versions(key.id);
  const now = deps.clock.now();
  const changes = planAbandon({ key, versions }, { version: operation.version, now });
  if (changes.length === 0) return;
  await patch(tx, operation, changes);
  const next = {
    ...key,
    ...summarise(key, applyChanges(versions, changes)),
    revision: key.revision + 1,
    updatedAt: now,
  };
  if (!(await tx.updateKey(next, key.revision))) throw changed(operation.id);
  await tx.insertOutbox(await sweepTasks(deps, tx, { key, operation }));
  await recordAudit(tx, deps, {
    operation: `key.${operation.kind}`,
    outcome: "failure",
    sensitivity: "HIGH",
    key: next,
    transitions: transitionsOf(changes),
    reason: "abandoned",
    operationId: operation.id,
    startedAt: operation.createdAt,
  });
}
