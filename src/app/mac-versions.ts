import { timingSafeEqual } from "node:crypto";
import type { VersionChange } from "../core/transition.ts";
import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { rowMac, rowMacFields } from "../core/row-mac.ts";
import type { Keyring, VersionedKeys } from "./keyring.ts";
import type { StoreReader, VersionPatch } from "./ports.ts";

const withoutMac = new Set(["pending", "revoked", "compromised", "destroyed"]);

/** The MAC that a version's row must carry; null in the states that have none. */
export function macOf(
  key: KeyRecord,
  version: VersionRecord,
  root: VersionedKeys,
): Pick<VersionRecord, "rowMac" | "rowMacPepperVersion"> {
  if (withoutMac.has(version.state)) return { rowMac: null, rowMacPepperVersion: null };
  return { rowMac: rowMac(root.keys.rowKey, rowMacFields(key, version)), rowMacPepperVersion: root.version };
}

/** Changes as store patches, each with the row MAC of what the row becomes. `after` holds the versions as they will stand. */
export function macChanges(
  key: KeyRecord,
  plan: { changes: readonly VersionChange[]; after: readonly VersionRecord[] },
  root: VersionedKeys,
): VersionPatch[] {
  return plan.changes.map((change) => {
    const after = plan.after.find((version) => version.version === change.version);
    const mac = after === undefined ? {} : macOf(key, after, root);
    return { keyId: key.id, version: change.version, from: change.from, set: { ...change.set, ...mac } };
  });
}

/** Whether a row carries the MAC that its fields give under the pepper it names. A row without one never matches. */
export async function rowMacMatches(
  keyring: Keyring,
  key: KeyRecord,
  version: VersionRecord,
): Promise<boolean> {
  if (version.rowMac === null || version.rowMacPepperVersion === null) return false;
  const root = await keyring.keys(version.rowMacPepperVersion);
  const expected = rowMac(root.keys.rowKey, rowMacFields(key, version));
  return version.rowMac.length === expected.length && timingSafeEqual(version.rowMac, expected);
}

/** Whether a version is in a state in which its row carries a MAC. */
export function carriesMac(version: VersionRecord): boolean {
  return !withoutMac.has(version.state);
}

/**
 * Refuses (`integrity`) versions whose rows should carry a MAC and are not genuine: what is about to be built on them, or to
 * give them a fresh MAC, would make somebody else's change ours. Inside a transaction only after `loadRowKeys`.
 */
export async function assertGenuine(
  keyring: Keyring,
  key: KeyRecord,
  versions: readonly VersionRecord[],
): Promise<void> {
  for (const version of versions) {
    if (!carriesMac(version) || (await rowMacMatches(keyring, key, version))) continue;
    throw new KeyctlError(
      "integrity",
      `the row of version ${version.version} of ${key.name} was changed behind keyctl: nothing is built on it`,
      { hint: "keyctl audit-verify --state tells more; keyctl revoke denies the key" },
    );
  }
}

/** The newest row keys; and fetches those that the key's rows name, because a transaction must not wait for the vault. */
export async function loadRowKeys(
  deps: { keyring: Keyring; store: StoreReader },
  keyId: string,
): Promise<VersionedKeys> {
  for (const { rowMacPepperVersion } of await deps.store.versions(keyId)) {
    if (rowMacPepperVersion !== null) await deps.keyring.keys(rowMacPepperVersion);
  }
  return await deps.keyring.current();
}
