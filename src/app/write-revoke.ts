import { kindRules } from "../core/kind-rules.ts";
import { revocableStates } from "../core/denial.ts";
import { transitionsOf } from "../core/transition.ts";
import { idempotencyWindowMs } from "../core/policy.ts";
import { rowMacDigest, rowMacFields } from "../core/row-mac.ts";
import type { Deps } from "./deps.ts";
import type { AuditAppend, OutboxItem, Revocation, StoreTransaction } from "./ports.ts";
import { newRevocation } from "./new-revocation.ts";
import { auditEntry } from "./record-audit.ts";
import type { AuditEvent } from "./record-audit.ts";
import { denialState, keyAfter, undoUntilOf } from "./plan-revoke.ts";
import type { PlannedKey, RevokeInput, RevokePlan } from "./plan-revoke.ts";
import { formerReferences, outboxItem, sweepTasks } from "./vault-tasks.ts";
import { changed } from "./version-work.ts";

interface RevokeWrite {
  plan: RevokePlan;
  input: RevokeInput;
  operationId: string;
  requestHash: Uint8Array;
}

/** The one transaction of a revoke: versions, keys, open operations, queue, records and one audit entry per key. */
export async function writeRevoke(deps: Deps, tx: StoreTransaction, write: RevokeWrite): Promise<void> {
  const now = deps.clock.now();
  const touched = write.plan.planned.filter((planned) => planned.changes.length > 0);
  await denyAll(tx, { touched, input: write.input, now });
  const superseded = await tx.closeOperations({
    keyIds: touched.map(({ key }) => key.id),
    status: "superseded",
    at: now,
  });
  const outbox: OutboxItem[] = [];
  for (const operation of superseded) {
    const planned = touched.find(({ key }) => key.id === operation.keyId);
    if (planned !== undefined) outbox.push(...(await sweepTasks(deps, tx, { key: planned.key, operation })));
  }
  for (const planned of touched) {
    const former = await formerOf(tx, planned);
    await endGraces(tx, planned, now);
    outbox.push(
      ...vaultTasks(deps, { ...planned, versions: [...planned.versions, ...former] }, { write, now }),
    );
  }
  const darkened = write.plan.planned.filter((planned) => isDarkenedLater(planned, write.input));
  for (const planned of darkened) outbox.push(...vaultTasks(deps, planned, { write, now }));
  if (outbox.length > 0) await tx.insertOutbox(outbox);
  await tx.insertRevocations(touched.map((planned) => revocationOf(deps, planned, { write, now })));
  await appendEntries(deps, tx, { touched: [...touched, ...darkened], write });
  await rememberRequest(deps, tx, { write, now });
}

async function denyAll(
  tx: StoreTransaction,
  denial: { touched: PlannedKey[]; input: RevokeInput; now: number },
): Promise<void> {
  const { touched, input, now } = denial;
  const to = denialState(input);
  const common = { from: revocableStates(to), to, reason: input.reason, at: now };
  const isWhole = ({ versions, changes }: PlannedKey): boolean =>
    versions.filter((version) => common.from.includes(version.state)).length === changes.length;
  const whole = touched.filter(isWhole);
  if (whole.length > 0)
    await tx.denyVersions({ ...common, keyIds: whole.map(({ key }) => key.id), version: null });
  for (const [state, group] of Map.groupBy(whole, (planned) => keyAfter(planned).state)) {
    await tx.denyKeys({ keyIds: group.map(({ key }) => key.id), state, updatedAt: now });
  }
  for (const planned of touched.filter((candidate) => !isWhole(candidate))) {
    const { key, changes } = planned;
    for (const { version } of changes) await tx.denyVersions({ ...common, keyIds: [key.id], version });
    const next = { ...key, ...keyAfter(planned), revision: key.revision + 1, updatedAt: now };
    if (!(await tx.updateKey(next, key.revision))) throw changed();
  }
  await denyUnpublished(tx, touched, now);
}

/** A secret's version that never reached the vault is denied by the store alone. */
async function denyUnpublished(
  tx: StoreTransaction,
  touched: readonly PlannedKey[],
  now: number,
): Promise<void> {
  for (const { key, versions, changes } of touched) {
    if (key.kind !== "secret") continue;
    for (const change of changes) {
      const version = versions.find((candidate) => candidate.version === change.version);
      if (version?.vaultReference !== null) continue;
      await tx.updateVersion({
        keyId: key.id,
        version: change.version,
        from: change.set.state,
        set: { deniedAt: now },
      });
    }
  }
}

/** A grace that was to end later ends now: its task would only repeat what the revoke's own does. */
async function endGraces(tx: StoreTransaction, { key, changes }: PlannedKey, at: number): Promise<void> {
  if (kindRules[key.kind].vaultAfterGrace !== "disable") return;
  for (const { version } of changes)
    await tx.cancelOutbox({ keyId: key.id, version, task: "disable-secret", at });
}

/** The changed versions once more, for each reference that their rows have left behind and the vault may still give. */
async function formerOf(tx: StoreTransaction, planned: PlannedKey): Promise<PlannedKey["versions"]> {
  const { key, versions, changes } = planned;
  if (key.kind !== "secret") return [];
  const former: PlannedKey["versions"] = [];
  for (const version of versions.filter(({ version: number }) => isChanged(changes, number))) {
    for (const vaultReference of await formerReferences(tx, version))
      former.push({ ...version, vaultReference });
  }
  return former;
}

/** An encryption key that was revoked before, and whose unwrapping is to go now: no version changes, the vault does. */
function isDarkenedLater({ key, changes }: PlannedKey, input: RevokeInput): boolean {
  return key.kind === "encryption" && input.unwrapToo && changes.length === 0;
}

function isChanged(changes: PlannedKey["changes"], version: number): boolean {
  return changes.some((change) => change.version === version);
}

function vaultTasks(
  deps: Deps,
  planned: PlannedKey,
  context: { write: RevokeWrite; now: number },
): OutboxItem[] {
  const { key, versions, changes } = planned;
  const rule = kindRules[key.kind].vaultOnRevoke;
  if (rule === "nothing" || (rule === "disable-when-confirmed" && !context.write.input.unwrapToo)) return [];
  const all = isDarkenedLater(planned, context.write.input);
  return versions
    .filter((version) => all || isChanged(changes, version.version))
    .map((version) =>
      outboxItem(deps, { key, version, operationId: context.write.operationId, notBefore: context.now }),
    )
    .filter((item) => item !== null);
}

function revocationOf(
  deps: Deps,
  planned: PlannedKey,
  context: { write: RevokeWrite; now: number },
): Revocation {
  const { key, changes } = planned;
  const { reason, severity } = context.write.input;
  const [first] = changes;
  const version = changes.length === 1 && first !== undefined ? first.version : null;
  const { operationId } = context.write;
  const undoUntil = undoUntilOf(planned, context.now);
  return newRevocation(deps, { key, operationId, version, reason, severity, undoUntil, now: context.now });
}

/** Entries in batches, one log after the other in the order of their names, so that two revokes cannot lock each other. */
async function appendEntries(
  deps: Deps,
  tx: StoreTransaction,
  entries: { touched: PlannedKey[]; write: RevokeWrite },
): Promise<void> {
  const byLog = Map.groupBy(entries.touched, ({ key }) => key.tenantId);
  for (const log of [...byLog.keys()].toSorted()) {
    await tx.appendAudit(
      log,
      (byLog.get(log) ?? []).map((planned) => revokeEntry(deps, planned, entries.write)),
    );
  }
}

function revokeEntry(deps: Deps, planned: PlannedKey, write: RevokeWrite): AuditAppend {
  const { key, changes } = planned;
  const event: AuditEvent = {
    operation: "key.revoke",
    sensitivity: denialState(write.input) === "compromised" ? "CRITICAL" : "HIGH",
    key,
    transitions: transitionsOf(changes),
    before: { state: key.state, activeVersion: key.activeVersion, revision: key.revision },
    after: {
      ...keyAfterForLog(planned),
      severity: write.input.severity,
      unwrapToo: key.kind === "encryption" ? write.input.unwrapToo : null,
      rows: rowDigests(planned),
    },
    reason: write.input.reason,
    operationId: write.operationId,
    options: write.input.options,
  };
  return auditEntry(deps, event, key.tenantId);
}

function keyAfterForLog(planned: PlannedKey): {
  state: string;
  activeVersion: number | null;
  revision: number;
} {
  const { state, activeVersion } = keyAfter(planned);
  const raised = planned.changes.length > 0 ? 1 : 0;
  return { state, activeVersion, revision: planned.key.revision + raised };
}

/** SHA-256 of each row's MAC input as it was: an undo gives the MAC back only to a row that still has it. */
function rowDigests(planned: PlannedKey): Record<string, string> {
  const changedVersions = planned.changes.map((change) => change.version);
  return Object.fromEntries(
    planned.versions
      .filter((version) => changedVersions.includes(version.version) && version.rowMac !== null)
      .map((version) => [String(version.version), rowDigest(planned.key, version)]),
  );
}

/** SHA-256 over the bytes that a row's MAC covers, hex. */
export function rowDigest(key: PlannedKey["key"], version: PlannedKey["versions"][number]): string {
  return Buffer.from(rowMacDigest(rowMacFields(key, version))).toString("hex");
}

async function rememberRequest(
  deps: Deps,
  tx: StoreTransaction,
  context: { write: RevokeWrite; now: number },
): Promise<void> {
  const { write, now } = context;
  const { idempotencyKey } = write.input.options;
  if (idempotencyKey === null) return;
  await tx.purgeIdempotentRequests(now - idempotencyWindowMs);
  await tx.insertIdempotentRequest({
    tenantId: deps.caller.tenant.id,
    actorId: deps.caller.actor.id,
    verb: "revoke",
    key: idempotencyKey,
    requestHash: write.requestHash,
    operationId: write.operationId,
    keyIds: write.plan.planned.map(({ key }) => key.id),
    version: null,
    createdAt: now,
  });
}
