import { assertMay } from "../core/access.ts";
import { planUpdate } from "../core/key-update.ts";
import type { KeyUpdate, PlannedUpdate } from "../core/key-update.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import { assertRevision, clearTheWay } from "./begin-operation.ts";
import { assertNotDeleted, nextKey, writeKeyChange } from "./change-key.ts";
import type { ChangedKey, ChangeKeyInput, PlannedChange } from "./change-key.ts";
import type { Deps } from "./deps.ts";
import { findKey, standingIn } from "./find-key.ts";
import type { FoundKey } from "./find-key.ts";
import type { VersionedKeys } from "./keyring.ts";
import { assertGenuine, carriesMac, loadRowKeys, macOf } from "./mac-versions.ts";
import { hashPlan } from "./plan-hash.ts";
import type { StoreReader, StoreTransaction, VersionPatch } from "./ports.ts";
import { settle } from "./settle.ts";
import { changed } from "./version-work.ts";

export interface UpdateKeyInput extends ChangeKeyInput {
  update: KeyUpdate;
}

/** An update's plan or result, with the names of the fields that differ. */
export type Updated<T> = T & { fields: readonly string[] };

/** What an update would change; refused where it would be. Nothing is written. */
export async function planUpdateKey(deps: Deps, input: UpdateKeyInput): Promise<Updated<PlannedChange>> {
  return await attempted(deps, { operation: "key.update", target: input.target }, async () => {
    const { found, plan } = await planned(deps, deps.store, input);
    const { id, revision } = found.key;
    const planHash = hashPlan({ verb: "update", id, revision, after: plan.after, texts: plan.texts });
    if (plan.fields.length === 0) return { key: found.key, changed: false, planHash, fields: [] };
    return { key: keyAfter(deps, found.key, plan), changed: true, planHash, fields: plan.fields };
  });
}

/**
 * Changes what is known of a key, and what its versions are accepted for: each row that carries a MAC gets a new one, if it
 * is genuine now (else `integrity`). `forbidden` also when the caller could not manage the key of its new owner; `conflict`
 * while another process works on the key. Where nothing differs, nothing is written.
 */
export async function updateKey(deps: Deps, input: UpdateKeyInput): Promise<Updated<ChangedKey>> {
  return await attempted(
    deps,
    { operation: "key.update", target: input.target },
    async () => await update(deps, input),
  );
}

async function planned(
  deps: Pick<Deps, "caller" | "clock">,
  store: StoreReader,
  input: UpdateKeyInput,
): Promise<{ found: FoundKey; plan: PlannedUpdate }> {
  const reading = { store, caller: deps.caller };
  const found = await findKey(reading, input.target, "manage");
  const { key } = found;
  assertNotDeleted(key);
  assertRevision(key, input.options.ifRevision);
  const plan = planUpdate(found, input.update, deps.clock.now());
  const tenants = await store.tenants();
  const tenant = tenants.find(({ id }) => id === key.tenantId) ?? deps.caller.tenant;
  assertMay(await standingIn(reading, tenant), "manage", plan.key.owner);
  return { found, plan };
}

function keyAfter(deps: Pick<Deps, "clock">, key: KeyRecord, plan: PlannedUpdate): KeyRecord {
  return nextKey(deps, key, { after: plan.versions, set: plan.key });
}

async function update(deps: Deps, input: UpdateKeyInput): Promise<Updated<ChangedKey>> {
  const { found, plan } = await planned(deps, deps.store, input);
  if (plan.fields.length === 0) return { key: found.key, changed: false, vaultPending: 0, fields: [] };
  if (await clearTheWay(deps, found.key)) return await update(deps, input);
  // A key that was revoked has no row to authenticate: it is changed without the vault.
  const root = found.versions.some(carriesMac) ? await loadRowKeys(deps, found.key.id) : null;
  const written = await deps.store.transaction(async (tx) => await write(deps, tx, { input, root }));
  if (root !== null) await settle(deps, { keyId: found.key.id, tenantId: found.key.tenantId });
  return { ...written, vaultPending: 0 };
}

async function write(
  deps: Deps,
  tx: StoreTransaction,
  what: { input: UpdateKeyInput; root: VersionedKeys | null },
): Promise<{ key: KeyRecord; changed: boolean; fields: readonly string[] }> {
  const { input, root } = what;
  const { found, plan } = await planned(deps, tx, input);
  if (plan.fields.length === 0) return { key: found.key, changed: false, fields: [] };
  if (root === null && found.versions.some(carriesMac)) throw changed();
  await assertGenuine(deps.keyring, found.key, found.versions);
  const next = keyAfter(deps, found.key, plan);
  const patches = root === null ? [] : plan.versions.filter(carriesMac).map(patchOf(next, root));
  await writeKeyChange(deps, tx, {
    former: found.key,
    next,
    patches,
    tasks: [],
    event: {
      operation: "key.update",
      sensitivity: plan.isGuarding ? "HIGH" : "MEDIUM",
      before: plan.before,
      after: plan.after,
      texts: plan.texts,
      options: input.options,
    },
  });
  return { key: next, changed: true, fields: plan.fields };
}

const patchOf =
  (key: KeyRecord, root: VersionedKeys) =>
  (version: VersionRecord): VersionPatch => ({
    keyId: key.id,
    version: version.version,
    from: version.state,
    set: { expiresAt: version.expiresAt, ...macOf(key, version, root) },
  });
