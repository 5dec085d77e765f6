import { KeyctlError } from "../core/errors.ts";
import { applyChanges, touchedBy } from "../core/transition.ts";
import { planRollback } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import type { VersionedKeys } from "./keyring.ts";
import { assertGenuine, loadRowKeys } from "./mac-versions.ts";
import { assertOwned } from "./keyring.ts";
import type { Operation, OutboxItem, StoreTransaction } from "./ports.ts";
import { newRevocation } from "./new-revocation.ts";
import { recordAudit } from "./record-audit.ts";
import type { OperationWork } from "./run-operation.ts";
import { expected, writeChange } from "./version-work.ts";
import type { FreshRun } from "./version-work.ts";
import { formerReferences, outboxItem, sweepTasks } from "./vault-tasks.ts";
import { ofOperation, vaultName, vaultTags } from "./version-value.ts";

/**
 * The work of `rollback`. For three kinds only the pointer moves; a secret's old value is put again as the vault's
 * newest, so that readers who ask for no version get it too, and the version's reference follows.
 */
export function rollbackWork(
  deps: Deps,
  key: KeyRecord,
  options: FreshRun["options"] = { reason: null, ticket: null },
): OperationWork {
  let root: VersionedKeys | null = null;
  const putAgain = key.kind === "secret";
  const secretSteps: Partial<OperationWork> = {
    publish: async (operation) => ({ reference: await putOldValue(deps, key, operation) }),
    note: async (_tx, operation, published) => ({
      ...operation.input,
      reference: published.reference ?? null,
    }),
    test: async (operation) => {
      await (await deps.vault()).secrets.get(putReference(operation));
    },
  };
  return {
    ...(putAgain ? secretSteps : {}),
    // A rollback's value is always held: what was not put yet is put when the operation goes on.
    recover: async (operation) => {
      if (!putAgain) return {};
      const [made] = await ofOperation(
        (await deps.vault()).secrets,
        await vaultName(deps.store, key),
        operation.id,
      );
      return made === undefined ? {} : { reference: made.reference };
    },
    prepare: async () => {
      root = await loadRowKeys(deps, key.id);
    },
    point: async (tx, operation) => {
      if (root === null) throw new KeyctlError("failure", "the row keys were not loaded");
      await pointBack(deps, tx, { operation, root, options });
    },
    abandon: async (tx, operation) => {
      // What was put again may be the vault's newest by now: it must not stay enabled.
      await tx.insertOutbox([
        ...(await sweepTasks(deps, tx, { key, operation })),
        ...(await closeAgain(deps, tx, { key, operation })),
      ]);
      await recordAudit(tx, deps, {
        operation: "key.rollback",
        outcome: "failure",
        sensitivity: "HIGH",
        key: await tx.keyById(operation.keyId),
        reason: "abandoned",
        operationId: operation.id,
        startedAt: operation.createdAt,
      });
    },
  };
}

/** What was enabled to be read is disabled again, unless its grace still runs: that is asked when the task is done. */
async function closeAgain(
  deps: Deps,
  tx: StoreTransaction,
  ended: { key: KeyRecord; operation: Operation },
): Promise<OutboxItem[]> {
  const { key, operation } = ended;
  if (key.kind !== "secret") return [];
  const versions = await tx.versions(key.id);
  return versions
    .filter((version) => version.version === operation.version)
    .map((version) =>
      outboxItem(deps, { key, version, operationId: operation.id, notBefore: deps.clock.now() }),
    )
    .filter((item) => item !== null);
}

function putReference(operation: Operation): string {
  const { reference } = operation.input;
  if (typeof reference === "string") return reference;
  throw new KeyctlError("integrity", "the rollback does not know where it put the value", {
    operationId: operation.id,
  });
}

async function putOldValue(deps: Deps, key: KeyRecord, operation: Operation): Promise<string> {
  const version = (await deps.store.versions(key.id)).find(
    (candidate) => candidate.version === operation.version,
  );
  const reference = version?.vaultReference ?? null;
  if (reference === null)
    throw new KeyctlError("integrity", `version ${operation.version} has no vault reference`);
  const vault = await deps.vault();
  assertOwned(vault, reference);
  // Its grace may have ended, and with it the vault's version; a rollback within the window brings it back.
  await vault.secrets.enable(reference);
  const value = await vault.secrets.get(reference);
  const put = await vault.secrets.put(await vaultName(deps.store, key), value, {
    tags: vaultTags(key, operation),
  });
  return put.reference;
}

/** The row's reference moves on: what it left behind holds the same value, and no later revoke would look for it. */
async function leaveBehind(
  deps: Deps,
  tx: StoreTransaction,
  left: { operation: Operation; key: KeyRecord; versions: readonly VersionRecord[] },
): Promise<void> {
  const { operation, key } = left;
  const now = deps.clock.now();
  const version = left.versions.find((candidate) => candidate.version === operation.version);
  if (version === undefined) return;
  const references = [version.vaultReference, ...(await formerReferences(tx, version))];
  await tx.cancelOutbox({ keyId: key.id, version: version.version, task: "disable-secret", at: now });
  const tasks = references.map((vaultReference) =>
    outboxItem(deps, {
      key,
      version: { ...version, vaultReference },
      operationId: operation.id,
      notBefore: now,
    }),
  );
  await tx.insertOutbox(tasks.filter((task) => task !== null));
}

async function pointBack(
  deps: Deps,
  tx: StoreTransaction,
  run: { operation: Operation; root: VersionedKeys; options: FreshRun["options"] },
): Promise<void> {
  const { operation, root } = run;
  const now = deps.clock.now();
  const { key, versions } = await expected(tx, operation);
  const compromised = operation.input["compromised"] === true;
  const changes = planRollback({ key, versions }, { toVersion: operation.version, compromised, now });
  await assertGenuine(deps.keyring, key, touchedBy(changes, versions));
  const moved = changes.map((change) =>
    change.version === operation.version && key.kind === "secret"
      ? { ...change, set: { ...change.set, vaultReference: putReference(operation) } }
      : change,
  );
  if (key.kind === "secret") await leaveBehind(deps, tx, { operation, key, versions });
  const after: VersionRecord[] = applyChanges(versions, moved);
  const denied = changes.find((change) => change.set.state === "compromised");
  if (denied !== undefined) {
    const severity = null;
    const what = {
      key,
      operationId: operation.id,
      version: denied.version,
      reason: "key-compromise",
      severity,
      undoUntil: null,
      now,
    } as const;
    await tx.insertRevocations([newRevocation(deps, what)]);
  }
  await writeChange(deps, tx, {
    operation,
    key,
    changes: { changes: moved, after },
    root,
    set: { rotatedAt: now, rotatedBy: operation.actorId },
    options: run.options,
  });
}
