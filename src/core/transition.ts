import { KeyctlError } from "./errors.ts";
import type { KeyRecord, KeyState, Transition, VersionRecord, VersionState } from "./model.ts";

/** Every transition that exists; what is not here cannot happen. `none` is a version that does not exist yet. */
export const transitions: Readonly<Record<VersionState | "none", readonly VersionState[]>> = {
  none: ["pending"],
  pending: ["active", "revoked", "compromised"],
  active: ["rotated", "inactive", "revoked", "compromised", "expired"],
  rotated: ["active", "inactive", "revoked", "compromised", "expired", "destroyed"],
  inactive: ["active", "rotated", "revoked", "compromised", "expired", "destroyed"],
  expired: ["revoked", "compromised", "destroyed"],
  revoked: ["inactive", "compromised", "destroyed"],
  compromised: ["destroyed"],
  destroyed: [],
};

/** One version's move: the state it must be in, and every field that changes with it. */
export interface VersionChange {
  version: number;
  from: VersionState;
  set: Partial<Omit<VersionRecord, "keyId" | "version">> & { state: VersionState };
}

/** A key and all its versions, ascending by number, as every plan reads them. */
export interface KeyWithVersions {
  key: KeyRecord;
  versions: readonly VersionRecord[];
}

/** A state as a person sees it at `now`: past its expiry means expired, also before maintenance wrote it. */
export function stateAt(state: KeyState, expiresAt: number | null, now: number): KeyState {
  const canExpire = state === "active" || state === "rotated" || state === "inactive";
  return canExpire && expiresAt !== null && expiresAt <= now ? "expired" : state;
}

export function findVersion(target: KeyWithVersions, version: number): VersionRecord {
  const found = target.versions.find((candidate) => candidate.version === version);
  if (found === undefined) {
    throw new KeyctlError("not-found", `${target.key.name} has no version ${version}`, {
      hint: `keyctl show ${target.key.name}`,
    });
  }
  return found;
}

/**
 * The versions as they stand after the changes. `conflict` for a plan that no longer fits them: a version that is not
 * there or not in the state it was planned from, a move that the table does not have, a second active version.
 */
export function applyChanges(
  versions: readonly VersionRecord[],
  changes: readonly VersionChange[],
): VersionRecord[] {
  const missing = changes.find((change) => versions.every((version) => version.version !== change.version));
  if (missing !== undefined) throw new KeyctlError("conflict", `there is no version ${missing.version}`);
  const after = versions.map((version) => {
    const change = changes.find((candidate) => candidate.version === version.version);
    if (change === undefined) return version;
    if (change.from !== version.state || !transitions[change.from].includes(change.set.state)) {
      throw new KeyctlError(
        "conflict",
        `version ${version.version} cannot go from ${version.state} to ${change.set.state}`,
      );
    }
    return { ...version, ...change.set };
  });
  const active = after.filter((version) => version.state === "active").map((version) => version.version);
  if (active.length > 1) {
    throw new KeyctlError("conflict", `versions ${active.join(" and ")} cannot both be active`);
  }
  return after;
}

/** State, pointer and expiry that a key has by its versions: by the active one, else by the newest that was not given up. */
export function summarise(
  key: KeyRecord,
  versions: readonly VersionRecord[],
): Pick<KeyRecord, "state" | "activeVersion" | "expiresAt"> {
  const active = versions.find((version) => version.state === "active");
  // What was denied before it was ever active says nothing of the key: a suspended one may stand before it.
  const told = versions.findLast(({ activatedAt, state }) => activatedAt !== null || state === "pending");
  const telling = active ?? told ?? versions.at(-1);
  return {
    state: key.deletedAt !== null ? "deleted" : (telling?.state ?? "pending"),
    activeVersion: active?.version ?? null,
    expiresAt: telling?.expiresAt ?? null,
  };
}

/** The versions that the changes are about, as they stand before them. */
export function touchedBy(
  changes: readonly VersionChange[],
  versions: readonly VersionRecord[],
): VersionRecord[] {
  return versions.filter((version) => changes.some((change) => change.version === version.version));
}

/** Changes as the audit log lists them. */
export function transitionsOf(changes: readonly VersionChange[]): Transition[] {
  return changes
    .map((change) => ({ version: change.version, from: change.from, to: change.set.state }))
    .toSorted((a, b) => a.version - b.version);
}
