import { applyChanges, touchedBy, transitionsOf } from "../core/transition.ts";
import type { VersionChange } from "../core/transition.ts";
import { KeyctlError } from "../core/errors.ts";
import { judgeVersion, planResume } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import { assertRevision, clearTheWay } from "./begin-operation.ts";
import { assertNotDeleted, nextKey, stateForLog, writeKeyChange } from "./change-key.ts";
import type { ChangedKey, ChangeKeyInput, PlannedChange } from "./change-key.ts";
import type { Deps } from "./deps.ts";
import { drainOutbox } from "./drain-outbox.ts";
import { findKey } from "./find-key.ts";
import type { FoundKey } from "./find-key.ts";
import { assertOwned } from "./keyring.ts";
import { assertGenuine, loadRowKeys, macChanges } from "./mac-versions.ts";
import { hashPlan } from "./plan-hash.ts";
import type { OutboxItem } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { settle } from "./settle.ts";
import { graceTasks, outboxItem } from "./vault-tasks.ts";
import { testValue, vaultName } from "./version-value.ts";

/** How long what was enabled for a resumption that never came to its end may stay enabled in the vault. */
const openingMs = 5 * 60_000;

/** What a resumption would do; refused where it would be. Nothing is written. */
export async function planResumeKey(deps: Deps, input: ChangeKeyInput): Promise<PlannedChange> {
  return await attempted(deps, { operation: "key.resume", target: input.target }, async () => {
    const { found, changes, after } = await planned(deps, input);
    const { id, revision } = found.key;
    const planHash = hashPlan({ verb: "resume", id, revision, changes: transitionsOf(changes).length });
    return { key: nextKey(deps, found.key, { after, set: {} }), changed: true, planHash };
  });
}

/**
 * Gives suspended versions their former states back, never past an expiry. The vault enables and reads them before the store
 * says that they are accepted; who stops in between leaves a queued task that closes them again. `refused` when nothing is
 * suspended, `integrity` for rows that keyctl did not write, `unavailable` without the vault.
 */
export async function resumeKey(deps: Deps, input: ChangeKeyInput): Promise<ChangedKey> {
  return await attempted(
    deps,
    { operation: "key.resume", target: input.target },
    async () => await resume(deps, input),
  );
}

interface Resumption {
  found: FoundKey;
  changes: VersionChange[];
  after: VersionRecord[];
}

async function planned(deps: Deps, input: ChangeKeyInput): Promise<Resumption> {
  const found = await findKey(deps, input.target, "manage");
  assertRevision(found.key, input.options.ifRevision);
  const { key, versions } = found;
  assertNotDeleted(key);
  const changes = planResume(found, deps.clock.now());
  const hint = { hint: `keyctl show ${key.env}/${key.name}` };
  if (changes.length === 0)
    throw new KeyctlError("refused", `nothing of ${key.name} is suspended (it is ${key.state})`, hint);
  if (changes.every(({ set }) => set.state === "expired")) {
    throw new KeyctlError("refused", `what is suspended of ${key.name} has expired meanwhile`, {
      hint: `keyctl rotate ${key.env}/${key.name} --replace`,
    });
  }
  return { found, changes, after: applyChanges(versions, changes) };
}

async function resume(deps: Deps, input: ChangeKeyInput): Promise<ChangedKey> {
  const resumption = await planned(deps, input);
  const { found, changes } = resumption;
  if (await clearTheWay(deps, found.key)) return await resume(deps, input);
  await assertGenuine(deps.keyring, found.key, touchedBy(changes, found.versions));
  const operationId = uuidv7(deps.clock.now(), deps.random.bytes(10));
  const closing = await announce(deps, input, { ...resumption, operationId });
  deps.observer?.("record", operationId);
  try {
    await open(deps, resumption, closing);
    deps.observer?.("test", operationId);
    const key = await point(deps, input, { ...resumption, operationId, closing });
    deps.observer?.("point", operationId);
    await settle(deps, { keyId: key.id, tenantId: key.tenantId });
    return { key, changed: true, vaultPending: 0 };
  } catch (error) {
    await closeAgain(deps, found.key, closing);
    throw error;
  }
}

/** Says in log and queue what is about to be enabled: whichever way it ends, somebody looks whether it may stay so. */
async function announce(
  deps: Deps,
  input: ChangeKeyInput,
  resumption: Resumption & { operationId: string },
): Promise<OutboxItem[]> {
  const { found, changes, operationId } = resumption;
  const { key } = found;
  const notBefore = deps.clock.now() + openingMs;
  const closing = (await disabledOnes(deps, resumption))
    .map((version) => outboxItem(deps, { key, version, operationId, notBefore }))
    .filter((item) => item !== null);
  await deps.store.transaction(async (tx) => {
    await tx.insertOutbox(closing);
    await recordAudit(tx, deps, {
      operation: "key.resume",
      phase: "intent",
      sensitivity: "HIGH",
      key,
      after: { versions: changes.map(({ version }) => version) },
      operationId,
      options: input.options,
    });
  });
  return closing;
}

/** The versions that will be accepted. */
function resumed(deps: Pick<Deps, "clock">, { found, changes, after }: Resumption): VersionRecord[] {
  return touchedBy(changes, after).filter(
    (version) => judgeVersion(found.key, version, deps.clock.now()) === "accepted",
  );
}

/** Those of them that the vault does not give now. */
async function disabledOnes(deps: Deps, resumption: Resumption): Promise<VersionRecord[]> {
  const { key } = resumption.found;
  if (key.kind !== "secret" && key.kind !== "encryption") return [];
  const vault = await deps.vault();
  const room = key.kind === "secret" ? vault.secrets : vault.keys;
  const disabled = new Set(
    (await room.versions(await vaultName(deps.store, key)))
      .filter(({ enabled }) => !enabled)
      .map(({ reference }) => reference),
  );
  return resumed(deps, resumption).filter(
    ({ vaultReference }) => vaultReference !== null && disabled.has(vaultReference),
  );
}

async function open(deps: Deps, resumption: Resumption, closing: readonly OutboxItem[]): Promise<void> {
  const { key } = resumption.found;
  if (closing.length > 0) {
    const vault = await deps.vault();
    const name = await vaultName(deps.store, key);
    for (const { reference } of closing) {
      assertOwned(vault, reference, name);
      await (key.kind === "secret" ? vault.secrets : vault.keys).enable(reference);
    }
  }
  for (const version of resumed(deps, resumption)) await testValue(deps, key, { version, expected: null });
}

async function point(
  deps: Deps,
  input: ChangeKeyInput,
  resumption: Resumption & { operationId: string; closing: readonly OutboxItem[] },
): Promise<KeyRecord> {
  const { found, changes, after, operationId } = resumption;
  const { key } = found;
  const root = await loadRowKeys(deps, key.id);
  const next = nextKey(deps, key, { after, set: {} });
  await deps.store.transaction(async (tx) => {
    await assertGenuine(deps.keyring, key, touchedBy(changes, await tx.versions(key.id)));
    await writeKeyChange(deps, tx, {
      former: key,
      next,
      patches: macChanges(next, { changes, after }, root),
      // A grace that still runs ends in the vault as well; what was queued for it before may be done or cancelled.
      tasks: graceTasks(deps, { key, changes, after, operationId }),
      event: {
        operation: "key.resume",
        sensitivity: "HIGH",
        transitions: transitionsOf(changes),
        before: stateForLog(key),
        after: stateForLog(next),
        operationId,
        options: input.options,
      },
    });
    for (const { id } of resumption.closing) await tx.finishOutbox(id, deps.clock.now());
  });
  return next;
}

/**
 * After a failure. A revoke may have come between and told the vault already, before it was enabled here: so it is told once
 * more, of whatever is not accepted. If that fails too, `reconcile` finds it.
 */
async function closeAgain(deps: Deps, key: KeyRecord, closing: readonly OutboxItem[]): Promise<void> {
  if (closing.length === 0) return;
  try {
    const now = deps.clock.now();
    const again = closing.map((item) => ({
      ...item,
      id: uuidv7(now, deps.random.bytes(10)),
      notBefore: now,
    }));
    await deps.store.transaction(async (tx) => await tx.insertOutbox(again));
    await drainOutbox(deps, { keyId: key.id });
  } catch (error) {
    deps.warn(`what was enabled in the vault for it may be enabled still: keyctl reconcile --fix`);
    if (!(error instanceof KeyctlError)) throw error;
  }
}
