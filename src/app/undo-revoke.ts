import { KeyctlError } from "../core/errors.ts";
import { applyChanges, summarise, transitionsOf } from "../core/transition.ts";
import type { VersionChange } from "../core/transition.ts";
import { planUndo } from "../core/denial.ts";
import type { KeyRecord } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import { assertRevision } from "./begin-operation.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { findKey } from "./find-key.ts";
import type { FoundKey, KeySelector } from "./find-key.ts";
import { macChanges } from "./mac-versions.ts";
import type { Revocation } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { keyBefore, revokedRows } from "./revoked-rows.ts";
import { settle } from "./settle.ts";
import { changed } from "./version-work.ts";
import { rowDigest } from "./write-revoke.ts";

export interface UndoInput {
  target: KeySelector;
  options: MutationOptions;
}

/**
 * Takes the newest revoke of a key back, within the hour: its versions become inactive (denied still). Takes the vault,
 * because each row gets its MAC back; `integrity` when a row is not what it was when it was revoked.
 */
export async function undoRevoke(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const attempt = { operation: "key.revoke-undo", target: input.target } as const;
  return await attempted(deps, attempt, async () => await undo(deps, input));
}

/** The key whose revoke `undoRevoke` would undo; refused where it would be without asking the vault. Nothing is written. */
export async function planUndoRevoke(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const attempt = { operation: "key.revoke-undo", target: input.target } as const;
  return await attempted(deps, attempt, async () => (await plan(deps, input)).found.key);
}

interface UndoPlan {
  found: FoundKey;
  revocation: Revocation;
  changes: VersionChange[];
  now: number;
}

async function plan(deps: Deps, input: UndoInput): Promise<UndoPlan> {
  const found = await findKey(deps, input.target, "manage");
  assertRevision(found.key, input.options.ifRevision);
  const revocation = await lastRevocation(deps, found);
  const now = deps.clock.now();
  return { found, revocation, now, changes: planUndo(found, { revokedAt: revocation.revokedAt, now }) };
}

async function undo(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const { found, revocation, changes, now } = await plan(deps, input);
  const { rows, seq } = await revokedRows(deps, found.key, revocation);
  const then = await keyBefore(deps, found.key, seq);
  for (const change of changes) {
    const version = found.versions.find((candidate) => candidate.version === change.version);
    const isAsRevoked =
      version !== undefined && then !== null && rows[String(version.version)] === rowDigest(then, version);
    if (!isAsRevoked) throw tampered(change.version);
  }
  const root = await deps.keyring.current();
  const after = applyChanges(found.versions, changes);
  const next = {
    ...found.key,
    ...summarise(found.key, after),
    revision: found.key.revision + 1,
    updatedAt: now,
  };
  await deps.store.transaction(async (tx) => {
    for (const patch of macChanges(found.key, { changes, after }, root)) {
      if (!(await tx.updateVersion(patch))) throw changed();
    }
    if (!(await tx.updateKey(next, found.key.revision))) throw changed();
    await tx.updateRevocation(revocation.id, { undoneAt: now });
    await recordAudit(tx, deps, {
      operation: "key.revoke-undo",
      sensitivity: "HIGH",
      key: next,
      transitions: transitionsOf(changes),
      before: { state: found.key.state, revision: found.key.revision },
      after: { state: next.state, revision: next.revision },
      operationId: revocation.operationId,
      options: input.options,
    });
  });
  await settle(deps, { keyId: next.id, tenantId: next.tenantId });
  return next;
}

/** Records that a provider key was deleted at the provider too. Saying it again changes nothing. */
export async function confirmUpstream(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const attempt = { operation: "key.upstream-done", target: input.target } as const;
  return await attempted(deps, attempt, async () => await confirm(deps, input));
}

/** The key of which `confirmUpstream` would record it; refused where it would be. Nothing is written. */
export async function planConfirmUpstream(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const attempt = { operation: "key.upstream-done", target: input.target } as const;
  return await attempted(deps, attempt, async () => (await findUpstream(deps, input)).found.key);
}

async function findUpstream(
  deps: Deps,
  input: UndoInput,
): Promise<{ found: FoundKey; waiting: Revocation[] }> {
  const found = await findKey(deps, input.target, "manage");
  const open = (await deps.store.revocations(found.key.id)).filter(
    (revocation) => revocation.upstream !== null,
  );
  if (open.length === 0) {
    throw new KeyctlError("refused", `${found.key.name} has no revocation that a provider has to follow`, {
      hint: `keyctl revoke ${found.key.name} --reason unspecified`,
    });
  }
  return { found, waiting: open.filter((revocation) => revocation.upstream === "open") };
}

async function confirm(deps: Deps, input: UndoInput): Promise<KeyRecord> {
  const { found, waiting } = await findUpstream(deps, input);
  if (waiting.length === 0) return found.key;
  await deps.store.transaction(async (tx) => {
    for (const { id } of waiting) await tx.updateRevocation(id, { upstream: "done" });
    await recordAudit(tx, deps, {
      operation: "key.upstream-done",
      sensitivity: "HIGH",
      key: found.key,
      after: { upstream: "done", revocations: waiting.length },
      options: input.options,
    });
  });
  return found.key;
}

async function lastRevocation(deps: Pick<Deps, "store">, found: FoundKey): Promise<Revocation> {
  const [newest] = (await deps.store.revocations(found.key.id)).filter(
    (revocation) => revocation.undoneAt === null,
  );
  if (newest !== undefined) return newest;
  throw new KeyctlError("refused", `${found.key.name} has no revoke to undo`, {
    hint: `keyctl show ${found.key.name}`,
  });
}

function tampered(version: number): KeyctlError {
  return new KeyctlError(
    "integrity",
    `the row of version ${version} is not what it was when it was revoked: it stays revoked`,
    {
      hint: "keyctl audit-verify --state",
    },
  );
}
