import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { maintainedTenants } from "./maintained-tenants.ts";
import type { VaultVersion } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { revokeKeys } from "./revoke-keys.ts";
import { vaultHeldKeys } from "./vault-held-keys.ts";
import { vaultName } from "./version-value.ts";

/** A version whose value is gone with the newer vault. */
export interface LostVersion {
  key: KeyRecord;
  version: number;
}

const held: ReadonlySet<string> = new Set(["active", "rotated", "inactive"]);

/**
 * Goes on with an older copy of the vault because there is no newer one. What that copy does not have is lost, and is
 * revoked before anything else: the vault will give the same version numbers to other values, and no row may then
 * point to one of them. `conflict` when the vault is not at the generation that was named.
 */
export async function acceptOlderVault(deps: Deps, generation: number): Promise<LostVersion[]> {
  const vault = await deps.vault();
  const found = await vault.generation();
  if (found !== generation) {
    throw new KeyctlError("conflict", `the vault is at generation ${found ?? "none"}, not ${generation}`, {
      hint: "name the generation that the refusal named",
      retryable: false,
    });
  }
  const lost: LostVersion[] = [];
  for (const tenantId of await everyTenant(deps)) {
    for await (const key of vaultHeldKeys(deps, tenantId)) {
      const room = key.kind === "secret" ? vault.secrets : vault.keys;
      const there = await room.versions(await vaultName(deps.store, key));
      for (const version of await missingVersions(deps, key, there)) lost.push({ key, version });
    }
  }
  for (const { key, version } of lost) {
    await revokeKeys(deps, {
      target: { keys: [{ id: key.id }], version },
      reason: "unspecified",
      severity: null,
      unwrapToo: false,
      planHash: null,
      options: {
        reason: "its value was lost with a newer vault",
        ticket: null,
        ifRevision: null,
        idempotencyKey: null,
      },
    });
  }
  await deps.store.transaction(async (tx) => {
    await tx.acceptVaultGeneration(generation);
    const after = { generation, lost: lost.length };
    await recordAudit(tx, deps, { operation: "vault.accept-older", sensitivity: "CRITICAL", after });
  });
  return lost;
}

/** The vault is every tenant's: it is for somebody to decide who may change the keys of all of them. */
async function everyTenant(deps: Deps): Promise<string[]> {
  const ours = await maintainedTenants(deps);
  const all = await deps.store.tenants();
  if (all.every(({ id }) => ours.includes(id))) return ours;
  throw new KeyctlError("forbidden", "the vault holds keys of other tenants too", {
    hint: "somebody who is owner or operator of every tenant in the store can do it",
  });
}

async function missingVersions(
  deps: Pick<Deps, "store">,
  key: KeyRecord,
  there: readonly VaultVersion[],
): Promise<number[]> {
  const references = new Set(there.map(({ reference }) => reference));
  return (await deps.store.versions(key.id))
    .filter(
      (version) =>
        held.has(version.state) && version.vaultReference !== null && !references.has(version.vaultReference),
    )
    .map((version) => version.version);
}
