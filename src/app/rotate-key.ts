import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import { assertNewFile } from "./assert-new-file.ts";
import { attempted } from "./attempt.ts";
import type { Attempt } from "./attempt.ts";
import { assertRevision, clearTheWay, newOperation } from "./begin-operation.ts";
import { madeVersion } from "./create-key.ts";
import type { MadeVersion } from "./create-key.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { findKey } from "./find-key.ts";
import type { FoundKey, KeySelector } from "./find-key.ts";
import { findReplay, requestHmac } from "./idempotency.ts";
import { heldValue } from "./open-value.ts";
import { assertSource, newValue } from "./new-value.ts";
import type { NewValue } from "./new-value.ts";
import { hashPlan } from "./plan-hash.ts";
import { assertKeyGenuine } from "./revoked-rows.ts";
import { runOperation } from "./run-operation.ts";
import { settle } from "./settle.ts";
import { recordVersion } from "./record-version.ts";
import { changed, versionWork } from "./version-work.ts";

export interface RotateKeyInput {
  target: KeySelector;
  /** For how long the predecessor stays accepted; null takes the key's grace. */
  graceMs: number | null;
  secret: Secret | null;
  generateLength: number | null;
  /** Makes a new version although none is accepted any more. */
  replace: boolean;
  outFile: string | null;
  options: MutationOptions;
}

export interface PlannedRotation {
  key: KeyRecord;
  nextVersion: number;
  planHash: string;
}

/** The key that is meant, for what depends on its kind; `forbidden` and `not-found` as the rotation itself. */
export async function findToRotate(deps: Deps, target: KeySelector): Promise<KeyRecord> {
  const attempt = { operation: "key.rotate", target } as const;
  return await attempted(deps, attempt, async () => (await findKey(deps, target, "manage")).key);
}

/** What a rotation would do; refused where it would be. Nothing is written. */
export async function planRotate(deps: Deps, input: RotateKeyInput): Promise<PlannedRotation> {
  return await attempted(deps, attemptOf(input), async () => {
    const found = await findKey(deps, input.target, "manage");
    assertRotatable(deps, found, input);
    const { id, revision, lastVersion } = found.key;
    const planHash = hashPlan({ verb: "rotate", id, revision, graceMs: input.graceMs });
    return { key: found.key, nextVersion: lastVersion + 1, planHash };
  });
}

/**
 * Makes the next version and points to it; the predecessor stays accepted while its grace runs. `refused` for a key
 * without an accepted version (unless `replace`), `conflict` while another operation on the key lives.
 */
export async function rotateKey(deps: Deps, input: RotateKeyInput): Promise<MadeVersion> {
  return await attempted(deps, attemptOf(input), async () => await rotate(deps, input));
}

function attemptOf({ target }: RotateKeyInput): Attempt {
  return { operation: "key.rotate", target };
}

async function rotate(deps: Deps, input: RotateKeyInput): Promise<MadeVersion> {
  const found = await findKey(deps, input.target, "manage");
  const { idempotencyKey } = input.options;
  const hash =
    idempotencyKey === null ? null : await requestHmac(deps, describeRequest(found.key, input), input.secret);
  if (hash !== null) {
    const replay = await findReplay(deps, {
      verb: "rotate",
      key: idempotencyKey,
      hash,
      tenantId: found.key.tenantId,
    });
    if (replay !== null) {
      const version = replay.version ?? found.key.lastVersion;
      return await madeVersion(deps, {
        keyId: found.key.id,
        version,
        operationId: replay.operationId,
        secret: null,
        replayed: true,
      });
    }
  }
  if (await clearTheWay(deps, found.key)) return await rotate(deps, input);
  assertRotatable(deps, found, input);
  await assertNewFile(deps, input.outFile);
  await assertKeyGenuine(deps, found);

  const key: KeyRecord = {
    ...found.key,
    lastVersion: found.key.lastVersion + 1,
    revision: found.key.revision + 1,
    updatedAt: deps.clock.now(),
  };
  const value = await newValue(deps, key, input);
  await assertOtherValue(deps, found, value);
  const requestHash = hash === null ? null : Buffer.from(hash).toString("hex");
  const operation = newOperation(deps, {
    kind: "rotate",
    key,
    version: key.lastVersion,
    input: { graceMs: input.graceMs, idempotencyKey, requestHash },
  });
  await deps.store.transaction(async (tx) => {
    if (!(await tx.updateKey(key, found.key.revision))) throw changed();
    await recordVersion(deps, tx, { key, value, operation, expiresAt: null, options: input.options });
  });
  deps.observer?.("record", operation.id);
  await runOperation(
    deps,
    operation,
    versionWork(deps, key, { secret: value.secret, outFile: input.outFile, options: input.options }),
  );
  await settle(deps, { keyId: key.id, tenantId: key.tenantId });
  const secret = key.kind === "issued" && input.outFile === null ? value.secret : null;
  return await madeVersion(deps, {
    keyId: key.id,
    version: operation.version,
    operationId: operation.id,
    secret,
  });
}

function describeRequest(key: KeyRecord, input: RotateKeyInput): Record<string, string | number | null> {
  return {
    key: key.id,
    graceMs: input.graceMs,
    generateLength: input.generateLength,
    replace: input.replace ? 1 : 0,
  };
}

/**
 * Refuses the value of the active version, and one that is known to others as far as tags tell: a password that a person
 * chose has none, and is compared with the active version only. A former value that is neither may come back.
 */
async function assertOtherValue(deps: Deps, found: FoundKey, { tag, secret }: NewValue): Promise<void> {
  const { key, versions } = found;
  if (tag === null) {
    if (secret !== null && (await isHeld(deps, found, secret))) throw sameValue(key, "the active version");
    return;
  }
  const same = (await deps.store.leakTagsOf(key.id))
    .filter((former) => Buffer.from(former.tag).equals(tag.tag))
    .map((former) => versions.find(({ version }) => version === former.version)?.state);
  if (!same.includes("active") && !same.includes("compromised")) return;
  throw sameValue(key, same.includes("compromised") ? "a compromised version" : "the active version");
}

/** Whether the active version has this value. One whose value is gone from the vault has none: rotating mends that. */
async function isHeld(deps: Deps, { key, versions }: FoundKey, secret: Secret): Promise<boolean> {
  const active = versions.find(({ state }) => state === "active");
  if (active === undefined) return false;
  try {
    return (await heldValue(deps, key, active)).equals(secret);
  } catch (error) {
    if (isKeyctlError(error) && (error.code === "not-found" || error.code === "refused")) return false;
    throw error;
  }
}

function sameValue(key: KeyRecord, whose: string): KeyctlError {
  return new KeyctlError("refused", `the value is that of ${whose} of ${key.name}`, {
    hint: "make a new one where this one came from, and give that",
  });
}

function assertRotatable(deps: Pick<Deps, "clock">, found: FoundKey, input: RotateKeyInput): void {
  const { key, versions } = found;
  assertRevision(key, input.options.ifRevision);
  const now = deps.clock.now();
  if (key.deletedAt !== null) {
    throw new KeyctlError("refused", `${key.name} is deleted`, {
      hint: `keyctl restore ${key.env}/${key.name}`,
    });
  }
  const accepted = versions.some((version) => judgeVersion(key, version, now) === "accepted");
  if (!accepted && !input.replace) {
    throw new KeyctlError("refused", `${key.name} has no accepted version to rotate (it is ${key.state})`, {
      hint: `keyctl rotate ${key.name} --replace makes a new version all the same`,
    });
  }
  assertSource(key.kind, input);
}
