import { KeyctlError } from "../core/errors.ts";
import { assertMay, defaultOwner } from "../core/access.ts";
import { assertOwner, kindFields } from "../core/key-spec.ts";
import type { KindSpec } from "../core/key-spec.ts";
import type { KeyKind, KeyPolicy, KeyRecord } from "../core/model.ts";
import { summarise } from "../core/transition.ts";
import type { Secret } from "../core/secret.ts";
import { uuidv7 } from "../core/uuid.ts";
import { assertNewFile } from "./assert-new-file.ts";
import { attempted } from "./attempt.ts";
import type { Attempt } from "./attempt.ts";
import { clearTheWay, newOperation } from "./begin-operation.ts";
import { checkNaming } from "./check-naming.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { assertSource, newValue } from "./new-value.ts";
import type { NewValue } from "./new-value.ts";
import { assertTenantLives, placeOf, roleIn, standingIn } from "./find-key.ts";
import { findReplay, requestHmac } from "./idempotency.ts";
import { runOperation } from "./run-operation.ts";
import { settle } from "./settle.ts";
import { recordVersion } from "./record-version.ts";
import { changed, versionWork } from "./version-work.ts";

/** Everything a person can say of a new key. */
export interface CreateKeyInput {
  path: string;
  kind: KeyKind;
  spec: KindSpec;
  policy: Partial<KeyPolicy>;
  /** A date that holds for the first version only. */
  expiresAt: number | null;
  /** null: a user's own; of everybody else, the app's. */
  owner: string | null;
  tags: Record<string, string>;
  complianceTags: string[];
  description: string | null;
  /** The value of a provider key or a secret; null for the kinds that make their own. */
  secret: Secret | null;
  /** Draws a secret of so many characters instead. */
  generateLength: number | null;
  /** Where an issued key goes before it becomes active; null prints it afterwards. */
  outFile: string | null;
  options: MutationOptions;
}

export interface MadeVersion {
  key: KeyRecord;
  version: number;
  /** An issued key's plaintext when it was not delivered to a file; null otherwise, and on a replay. */
  secret: Secret | null;
  /** True when an earlier request with the same idempotency key is answered again. */
  replayed: boolean;
  operationId: string;
}

/** What `--dry-run` shows: the key as it would be recorded, nothing written. `refused` for a name against the convention. */
export async function planCreate(deps: Deps, input: CreateKeyInput): Promise<KeyRecord> {
  return await attempted(deps, attemptOf(input), async () => await plan(deps, await withOwner(deps, input)));
}

/**
 * Makes a key and its first active version. A key of that name none of whose versions was ever active is continued.
 * `conflict` when the name is taken, `refused` for a weak value, `indeterminate` when the vault's answer was lost.
 */
export async function createKey(deps: Deps, input: CreateKeyInput): Promise<MadeVersion> {
  return await attempted(
    deps,
    attemptOf(input),
    async () => await create(deps, await withOwner(deps, input)),
  );
}

type OwnedInput = CreateKeyInput & { owner: string };

async function withOwner(deps: Deps, input: CreateKeyInput): Promise<OwnedInput> {
  if (input.owner !== null) return { ...input, owner: input.owner };
  const { tenantId } = await placeOf(deps, input.path);
  return { ...input, owner: defaultOwner(await roleIn(deps, tenantId), deps.caller.actor) };
}

function attemptOf({ path }: CreateKeyInput): Attempt {
  return { operation: "key.create", target: { path } };
}

async function plan(deps: Deps, input: OwnedInput): Promise<KeyRecord> {
  const place = await placeOf(deps, input.path);
  assertOwner(input.owner);
  assertMay(await standingIn(deps, place.tenant), "manage", input.owner);
  const fields = kindFields(input.kind, input.spec);
  assertValueFits(input);
  const existing = await deps.store.keyByName(place);
  if (existing !== null && (existing.deletedAt !== null || (await wasEverActive(deps, existing))))
    throw taken(existing);
  // What was begun under that name may be finished under it.
  if (existing === null)
    checkNaming(deps, { env: place.env, name: place.name, kind: input.kind, type: fields.type });
  return keyRecord(deps, input, { ...place, fields, existing });
}

async function create(deps: Deps, input: OwnedInput): Promise<MadeVersion> {
  const place = await placeOf(deps, input.path);
  const dry = await planOrReplay(deps, input, place);
  if ("replayed" in dry) return dry;
  const existing = await deps.store.keyByName(place);
  if (existing !== null && (await clearTheWay(deps, existing))) return await create(deps, input);

  await assertNewFile(deps, input.outFile);
  const key = dry.key;
  const value = await newValue(deps, key, input);
  const operation = newOperation(deps, {
    kind: "create",
    key,
    version: key.lastVersion,
    input: { idempotencyKey: input.options.idempotencyKey, requestHash: dry.requestHash },
  });
  await deps.store.transaction(async (tx) => {
    await assertTenantLives(tx, place.tenant);
    if (existing === null) await tx.insertKey(key);
    else if (!(await tx.updateKey(key, existing.revision))) throw changed();
    await recordVersion(deps, tx, {
      key,
      value,
      operation,
      expiresAt: input.expiresAt,
      options: input.options,
    });
  });
  deps.observer?.("record", operation.id);
  const fresh = { secret: value.secret, outFile: input.outFile, options: input.options };
  await runOperation(deps, operation, versionWork(deps, key, fresh));
  await settle(deps, { keyId: key.id, tenantId: key.tenantId });
  return await madeVersion(deps, {
    keyId: key.id,
    version: operation.version,
    operationId: operation.id,
    ...shown(input, value),
  });
}

function shown(input: CreateKeyInput, value: NewValue): { secret: Secret | null } {
  return { secret: input.kind === "issued" && input.outFile === null ? value.secret : null };
}

/** The answer of `create` and `rotate`, read back from the store. */
export async function madeVersion(
  deps: Pick<Deps, "store">,
  made: { keyId: string; version: number; operationId: string; secret: Secret | null; replayed?: boolean },
): Promise<MadeVersion> {
  const key = await deps.store.keyById(made.keyId);
  if (key === null)
    throw new KeyctlError("integrity", "the key that was just written is not there", {
      hint: "keyctl audit-verify --state",
    });
  return {
    key,
    version: made.version,
    secret: made.secret,
    replayed: made.replayed ?? false,
    operationId: made.operationId,
  };
}

async function planOrReplay(
  deps: Deps,
  input: OwnedInput,
  place: Awaited<ReturnType<typeof placeOf>>,
): Promise<MadeVersion | { key: KeyRecord; requestHash: string | null }> {
  const { idempotencyKey } = input.options;
  const hash = idempotencyKey === null ? null : await requestHmac(deps, describeRequest(input), input.secret);
  if (hash !== null) {
    const replay = await findReplay(deps, {
      verb: "create",
      key: idempotencyKey,
      hash,
      tenantId: place.tenantId,
    });
    const [keyId] = replay?.keyIds ?? [];
    if (replay !== null && keyId !== undefined) {
      const made = await madeVersion(deps, {
        keyId,
        version: replay.version ?? 1,
        operationId: replay.operationId,
        secret: null,
        replayed: true,
      });
      // Role and owner may have changed since.
      assertMay(await standingIn(deps, place.tenant), "manage", made.key.owner);
      return made;
    }
  }
  return {
    key: await plan(deps, input),
    requestHash: hash === null ? null : Buffer.from(hash).toString("hex"),
  };
}

function describeRequest(input: OwnedInput): Record<string, string | number | null> {
  const { path, kind, expiresAt, owner, description, generateLength } = input;
  const rest = JSON.stringify([input.spec, input.policy, input.tags, input.complianceTags]);
  return { path, kind, expiresAt, owner, description, generateLength, rest };
}

async function wasEverActive(deps: Pick<Deps, "store">, key: KeyRecord): Promise<boolean> {
  return (await deps.store.versions(key.id)).some((version) => version.activatedAt !== null);
}

function taken(key: KeyRecord): KeyctlError {
  const path = `${key.env}/${key.name}`;
  const hint =
    key.deletedAt === null
      ? `keyctl show ${path}, or keyctl rotate ${path}`
      : `keyctl restore ${path} brings it back; keyctl delete ${path} --purge makes the name free`;
  return new KeyctlError("conflict", `${path} exists already (${key.kind}, ${key.state})`, {
    hint,
    retryable: false,
  });
}

function assertValueFits(input: CreateKeyInput): void {
  assertSource(input.kind, input);
  if (input.expiresAt !== null && input.policy.lifetimeMs != null) {
    throw new KeyctlError("usage", "--expires is either a date or a duration");
  }
}

function keyRecord(
  deps: Deps,
  input: OwnedInput,
  place: {
    tenantId: string;
    env: string;
    name: string;
    fields: ReturnType<typeof kindFields>;
    existing: KeyRecord | null;
  },
): KeyRecord {
  const now = deps.clock.now();
  if (input.expiresAt !== null && input.expiresAt <= now) {
    throw new KeyctlError("usage", "--expires lies in the past", { hint: "for example --expires 90d" });
  }
  const { existing } = place;
  const key: KeyRecord = {
    id: existing?.id ?? uuidv7(now, deps.random.bytes(10)),
    tenantId: place.tenantId,
    env: place.env,
    name: place.name,
    kind: input.kind,
    owner: input.owner,
    activeVersion: null,
    lastVersion: (existing?.lastVersion ?? 0) + 1,
    revision: (existing?.revision ?? 0) + 1,
    state: "pending",
    expiresAt: input.expiresAt,
    createdAt: existing?.createdAt ?? now,
    createdBy: existing?.createdBy ?? deps.caller.actor.id,
    updatedAt: now,
    rotatedAt: null,
    rotatedBy: null,
    lastUsedAt: null,
    rollbackUntil: null,
    deletedAt: null,
    recoverableUntil: null,
    purgedAt: null,
    anomalyAt: null,
    tags: input.tags,
    complianceTags: input.complianceTags,
    description: input.description,
    correlationId: deps.caller.correlationId,
    graceMs: input.policy.graceMs ?? null,
    rollbackWindowMs: input.policy.rollbackWindowMs ?? null,
    lifetimeMs: input.policy.lifetimeMs ?? null,
    rotateEveryMs: input.policy.rotateEveryMs ?? null,
    ...place.fields,
  };
  return { ...key, ...summarise(key, []) };
}
