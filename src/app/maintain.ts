import { applyChanges, summarise, transitionsOf } from "../core/transition.ts";
import { planExpiry } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { idempotencyWindowMs } from "../core/policy.ts";
import type { Deps } from "./deps.ts";
import { loadRowKeys, macChanges, rowMacMatches } from "./mac-versions.ts";
import type { OutboxItem, VersionPatch } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { outboxItem } from "./vault-tasks.ts";
import { changed } from "./version-work.ts";

const pageSize = 200;

/** Writes the expiries of these tenants whose moment has come, queues what the vault has to do; answers how many keys changed. */
export async function writeExpiries(deps: Deps, tenantIds: readonly string[]): Promise<number> {
  let written = 0;
  for (;;) {
    const overdue = await deps.store.overdueVersions(deps.clock.now(), pageSize, tenantIds);
    const keyIds = [...new Set(overdue.map(({ key }) => key.id))];
    let progress = 0;
    for (const keyId of keyIds) progress += (await expireKey(deps, keyId)) ? 1 : 0;
    written += progress;
    if (overdue.length < pageSize || progress === 0) return written;
  }
}

async function expireKey(deps: Deps, keyId: string): Promise<boolean> {
  const root = await loadRowKeys(deps, keyId);
  return await deps.store.transaction(async (tx) => {
    const key = await tx.keyById(keyId);
    // An open operation expects the revision it knows: expiry, which is enforced at read time, waits for it.
    if (key === null || (await tx.openOperationOf(keyId)) !== null) return false;
    const now = deps.clock.now();
    const versions = await tx.versions(keyId);
    const changes = planExpiry({ key, versions }, now);
    if (changes.length === 0) return false;
    const after = applyChanges(versions, changes);
    for (const patch of macChanges(key, { changes, after }, root)) {
      if (!(await tx.updateVersion(await onlyGenuine(deps.keyring, key, { versions, patch }))))
        throw changed();
    }
    const next: KeyRecord = { ...key, ...summarise(key, after), revision: key.revision + 1, updatedAt: now };
    if (!(await tx.updateKey(next, key.revision))) throw changed();
    const tasks = after
      .filter((version) => key.kind === "secret" && version.state === "expired")
      .map((version) => outboxItem(deps, { key, version, operationId: key.correlationId, notBefore: now }))
      .filter((item): item is OutboxItem => item !== null);
    if (tasks.length > 0) await tx.insertOutbox(tasks);
    await recordAudit(tx, deps, {
      operation: "key.expire",
      sensitivity: "MEDIUM",
      key: next,
      transitions: transitionsOf(changes),
    });
    return true;
  });
}

/** A row that was changed behind keyctl expires like any other, but gets no MAC, which would make the change ours. */
async function onlyGenuine(
  keyring: Deps["keyring"],
  key: KeyRecord,
  { versions, patch }: { versions: readonly VersionRecord[]; patch: VersionPatch },
): Promise<VersionPatch> {
  const row = versions.find(({ version }) => version === patch.version);
  if (row !== undefined && (await rowMacMatches(keyring, key, row))) return patch;
  return { ...patch, set: { ...patch.set, rowMac: null, rowMacPepperVersion: null } };
}

/** Forgets answers to idempotency keys after their seven days. */
export async function purgeAnswers(deps: Pick<Deps, "store" | "clock">): Promise<number> {
  return await deps.store.transaction(
    async (tx) => await tx.purgeIdempotentRequests(deps.clock.now() - idempotencyWindowMs),
  );
}
