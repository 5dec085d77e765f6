import { createHash } from "node:crypto";
import { KeyctlError } from "../core/errors.ts";
import { kindRules } from "../core/kind-rules.ts";
import type { KeyRecord } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import type { Deps } from "./deps.ts";
import { describeRevocation } from "./describe-revocation.ts";
import type { RevokeResult } from "./describe-revocation.ts";
import { drainOutbox } from "./drain-outbox.ts";
import { findReplay, requestSha256 } from "./idempotency.ts";
import type { IdempotentRequest } from "./ports.ts";
import { planFor, resolveTarget } from "./plan-revoke.ts";
import type { Resolved, RevokeInput, RevokePlan } from "./plan-revoke.ts";
import { signLog } from "./settle.ts";
import { writeRevoke } from "./write-revoke.ts";

/** What a revoke would deny, and the hash that pins it. Nothing is written. */
export async function planRevokeKeys(deps: Deps, input: RevokeInput): Promise<RevokePlan> {
  return await attempted(deps, { operation: "key.revoke" }, async () => {
    const resolved = await resolveTarget(deps, input);
    return await planFor(deps.store, deps.clock.now(), { input, resolved });
  });
}

/**
 * Denies in the store first, in one transaction; then the vault follows, as far as it answers. Needs no vault to deny.
 * Open operations of the keys are superseded, never waited for. Revoking what is revoked changes nothing.
 */
export async function revokeKeys(deps: Deps, input: RevokeInput): Promise<RevokeResult> {
  return await attempted(deps, { operation: "key.revoke" }, async () => await revoke(deps, input));
}

async function revoke(deps: Deps, input: RevokeInput): Promise<RevokeResult> {
  const hash = requestSha256(describeRequest(input));
  const request = {
    verb: "revoke",
    key: input.options.idempotencyKey,
    hash,
    tenantId: deps.caller.tenant.id,
  };
  const replay = await findReplay(deps, request);
  if (replay !== null) return await answerAgain(deps, replay, input);
  const resolved = onlyAgreed(await resolveTarget(deps, input), input);
  const operationId = uuidv7(deps.clock.now(), deps.random.bytes(10));
  const plan = await deps.store.transaction(async (tx) => {
    // Again, now that nobody else writes: of two processes with one request the second finds the first's answer.
    const answered = await findReplay({ ...deps, store: tx }, request);
    if (answered !== null) return answered;
    const made = await planFor(tx, deps.clock.now(), { input, resolved });
    if (input.planHash !== null && input.planHash !== made.planHash) throw stale(made.planHash);
    await writeRevoke(deps, tx, { plan: made, input, operationId, requestHash: hash });
    return made;
  });
  if (!("planned" in plan)) return await answerAgain(deps, plan, input);
  deps.observer?.("point", operationId);
  const keys = plan.planned.map(({ key }) => key);
  await denyInVault(deps, keys, input);
  const keyIds = keys.map((key) => key.id);
  const result = await describeRevocation(deps, { keyIds, operationId, planHash: plan.planHash });
  // A revoke that spoke to the vault has its entry signed; one that could not must not wait for it.
  if (result.vault.total > 0 && result.vault.pending === 0) {
    for (const tenantId of new Set(keys.map((key) => key.tenantId))) await signLog(deps, tenantId);
  }
  return { ...result, complete: plan.complete };
}

/** What a request did that was done before; the vault is told what it was not told then. */
async function answerAgain(
  deps: Deps,
  { keyIds, operationId }: IdempotentRequest,
  input: RevokeInput,
): Promise<RevokeResult> {
  await denyInVault(deps, await deps.store.keysByIds(keyIds), input);
  const result = await describeRevocation(deps, { keyIds, operationId, planHash: "" });
  return { ...result, replayed: true };
}

function onlyAgreed(resolved: Resolved, { agreed }: RevokeInput): Resolved {
  if (agreed === undefined) return resolved;
  const chosen = new Set(agreed);
  return { ...resolved, keyIds: resolved.keyIds.filter((id) => chosen.has(id)) };
}

/** Waits until the vault has done its part, trying again whenever a task is due; `pause` rests between two looks. */
export async function awaitVault(
  deps: Deps,
  result: RevokeResult,
  pause: () => Promise<void>,
): Promise<RevokeResult> {
  const keyIds = result.keys.map(({ key }) => key.id);
  let seen = result;
  while (seen.vault.pending > 0) {
    await pause();
    for (const keyId of keyIds) await drainOutbox(deps, { keyId });
    const { operationId, planHash } = result;
    seen = {
      ...(await describeRevocation(deps, { keyIds, operationId, planHash })),
      complete: result.complete,
    };
  }
  return seen;
}

/** The vault's part, where there is one; what it does not answer stays queued. */
export async function denyInVault(
  deps: Deps,
  keys: readonly KeyRecord[],
  input: Pick<RevokeInput, "unwrapToo">,
): Promise<void> {
  for (const key of keys) {
    const rule = kindRules[key.kind].vaultOnRevoke;
    if (rule === "disable" || (rule === "disable-when-confirmed" && input.unwrapToo))
      await drainOutbox(deps, { keyId: key.id });
  }
}

function stale(planHash: string): KeyctlError {
  return new KeyctlError(
    "conflict",
    `the set of keys has changed since the plan was made (it is ${planHash} now): nothing was revoked`,
    {
      hint: "run it with --dry-run again, and read what it lists",
      retryable: false,
    },
  );
}

function describeRequest(input: RevokeInput): Record<string, string | boolean | null> {
  const { target } = input;
  const what =
    "leakedText" in target
      ? createHash("sha256").update(target.leakedText).digest("hex")
      : JSON.stringify("keys" in target ? [target.keys, target.version] : target.where);
  return { what, reason: input.reason, severity: input.severity, unwrapToo: input.unwrapToo };
}
