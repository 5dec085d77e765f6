import { KeyctlError } from "../core/errors.ts";
import { planRollback } from "../core/lifecycle.ts";
import { touchedBy } from "../core/transition.ts";
import type { VersionChange } from "../core/transition.ts";
import type { KeyRecord } from "../core/model.ts";
import { assertGenuine } from "./mac-versions.ts";
import { attempted } from "./attempt.ts";
import type { Attempt } from "./attempt.ts";
import { assertRevision, clearTheWay, newOperation } from "./begin-operation.ts";
import { madeVersion } from "./create-key.ts";
import type { MadeVersion } from "./create-key.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { findKey } from "./find-key.ts";
import type { FoundKey, KeySelector } from "./find-key.ts";
import { hashPlan } from "./plan-hash.ts";
import { rollbackWork } from "./rollback-work.ts";
import { runOperation } from "./run-operation.ts";
import { settle } from "./settle.ts";
import { changed } from "./version-work.ts";
import { recordAudit } from "./record-audit.ts";

export interface RollbackKeyInput {
  target: KeySelector;
  /** null: the version that the active one replaced. */
  toVersion: number | null;
  /** The version left behind is known to others: it becomes compromised, without grace. */
  compromised: boolean;
  options: MutationOptions;
}

export interface PlannedRollback {
  key: KeyRecord;
  toVersion: number;
  planHash: string;
}

/** What a rollback would do; refused where it would be. Nothing is written. */
export async function planRollbackKey(deps: Deps, input: RollbackKeyInput): Promise<PlannedRollback> {
  return await attempted(deps, attemptOf(input), async () => {
    const found = await findKey(deps, input.target, "manage");
    const toVersion = targetOf(plan(deps, found, input));
    const { id, revision } = found.key;
    const planHash = hashPlan({ verb: "rollback", id, revision, toVersion, compromised: input.compromised });
    return { key: found.key, toVersion, planHash };
  });
}

/** Points back to an earlier version within its window. `refused` outside it, or when the version is compromised or expired. */
export async function rollbackKey(deps: Deps, input: RollbackKeyInput): Promise<MadeVersion> {
  return await attempted(deps, attemptOf(input), async () => await rollback(deps, input));
}

function attemptOf({ target }: RollbackKeyInput): Attempt {
  return { operation: "key.rollback", target };
}

async function rollback(deps: Deps, input: RollbackKeyInput): Promise<MadeVersion> {
  const found = await findKey(deps, input.target, "manage");
  if (await clearTheWay(deps, found.key)) return await rollback(deps, input);
  const changes = plan(deps, found, input);
  const version = targetOf(changes);
  // A row changed behind our back must not come back to life with a fresh MAC.
  await assertGenuine(deps.keyring, found.key, touchedBy(changes, found.versions));
  const key: KeyRecord = { ...found.key, revision: found.key.revision + 1, updatedAt: deps.clock.now() };
  const operation = newOperation(deps, {
    kind: "rollback",
    key,
    version,
    input: { compromised: input.compromised },
  });
  await deps.store.transaction(async (tx) => {
    if (!(await tx.updateKey(key, found.key.revision))) throw changed();
    await tx.insertOperation(operation);
    await recordAudit(tx, deps, {
      operation: "key.rollback",
      phase: "intent",
      sensitivity: "HIGH",
      key,
      after: { toVersion: version, compromised: input.compromised },
      operationId: operation.id,
      options: input.options,
    });
  });
  deps.observer?.("record", operation.id);
  await runOperation(deps, operation, rollbackWork(deps, key, input.options));
  await settle(deps, { keyId: key.id, tenantId: key.tenantId });
  return await madeVersion(deps, { keyId: key.id, version, operationId: operation.id, secret: null });
}

function plan(deps: Pick<Deps, "clock">, found: FoundKey, input: RollbackKeyInput): VersionChange[] {
  assertRevision(found.key, input.options.ifRevision);
  return planRollback(found, {
    toVersion: input.toVersion,
    compromised: input.compromised,
    now: deps.clock.now(),
  });
}

function targetOf(changes: readonly VersionChange[]): number {
  const back = changes.find((change) => change.set.state === "active");
  if (back === undefined) throw new KeyctlError("failure", "a rollback without a target");
  return back.version;
}
