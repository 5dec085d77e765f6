import { timingSafeEqual } from "node:crypto";
import type { VersionChange } from "../core/transition.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { rowMac, rowMacFields } from "../core/row-mac.ts";
import type { Keyring, VersionedKeys } from "./keyring.ts";
import type { VersionPatch } from "./ports.ts";

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
