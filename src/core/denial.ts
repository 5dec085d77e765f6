import { KeyctlError } from "./errors.ts";
import { undoWindowMs } from "./policy.ts";
import { kindRules } from "./kind-rules.ts";
import type { KeyRecord, RevokeReason, VersionRecord, VersionState } from "./model.ts";
import { findVersion } from "./transition.ts";
import type { VersionChange, KeyWithVersions } from "./transition.ts";

/** Reasons that mean the secret is known to others: such a version never comes back. */
export function meansCompromise(reason: RevokeReason): boolean {
  return reason === "key-compromise" || reason === "security-incident";
}

/** States that a revoke changes; `revoked` too when it is raised to compromised. */
export function revocableStates(to: "revoked" | "compromised"): VersionState[] {
  const five: VersionState[] = ["pending", "active", "rotated", "inactive", "expired"];
  return to === "compromised" ? [...five, "revoked"] : five;
}

/** What `resume` and an undone revoke would go back to; null for what cannot be undone. */
export function formerStateOf(version: VersionRecord): VersionState | null {
  if (version.state === "active" || version.state === "rotated") return version.state;
  return version.state === "inactive" || version.state === "revoked" ? version.formerState : null;
}

/** Fields of a version that is denied now. */
export function denied(
  target: { key: KeyRecord; version: VersionRecord },
  denial: { to: "revoked" | "compromised"; reason: RevokeReason; now: number },
): VersionChange["set"] {
  const { key, version } = target;
  // What the vault enforces is denied when the vault has answered; the rest is denied by this very write.
  const waitsForVault = kindRules[key.kind].enforcedBy === "vault" && version.vaultReference !== null;
  return {
    state: denial.to,
    formerState: formerStateOf(version),
    revokedAt: denial.now,
    revokedReason: denial.reason,
    deniedAt: version.deniedAt ?? (waitsForVault ? null : denial.now),
    rowMac: null,
    rowMacPepperVersion: null,
  };
}

/** Everything a revoke of all versions (or of one) changes; empty when all is revoked already. */
export function planRevoke(
  target: KeyWithVersions,
  options: { version: number | null; reason: RevokeReason; leaked: boolean; now: number },
): VersionChange[] {
  const to = options.leaked || meansCompromise(options.reason) ? "compromised" : "revoked";
  const from = revocableStates(to);
  const chosen = options.version === null ? target.versions : [findVersion(target, options.version)];
  return chosen
    .filter((version) => from.includes(version.state))
    .map((version) => ({
      version: version.version,
      from: version.state,
      set: denied({ key: target.key, version }, { to, reason: options.reason, now: options.now }),
    }));
}

/** revoked → inactive, within the hour, for versions that were active, rotated or inactive. Refused for the rest. */
export function planUndo(
  target: KeyWithVersions,
  options: { revokedAt: number; now: number },
): VersionChange[] {
  const { key } = target;
  if (options.now >= options.revokedAt + undoWindowMs) {
    throw new KeyctlError(
      "refused",
      `${key.name} was revoked more than an hour ago: a revoke can be undone for 60 minutes`,
      {
        hint: `keyctl rotate ${key.name} --replace`,
      },
    );
  }
  const changes = target.versions
    .filter((version) => version.state === "revoked" && version.revokedAt === options.revokedAt)
    .filter((version) => version.formerState === "active" || version.formerState === "rotated")
    .map((version): VersionChange => ({
      version: version.version,
      from: "revoked",
      set: { state: "inactive", revokedAt: null, revokedReason: null, deniedAt: null },
    }));
  if (changes.length === 0) {
    throw new KeyctlError(
      "refused",
      `nothing of ${key.name} can be undone: a compromised or never active version stays denied`,
      {
        hint: `keyctl rotate ${key.name} --replace`,
      },
    );
  }
  return changes;
}

/** pending → revoked, reason `abandoned`: an operation that never got to its end. */
export function planAbandon(
  target: KeyWithVersions,
  options: { version: number; now: number },
): VersionChange[] {
  const version = findVersion(target, options.version);
  if (version.state !== "pending") return [];
  return [
    {
      version: version.version,
      from: "pending",
      set: {
        state: "revoked",
        formerState: null,
        revokedAt: options.now,
        revokedReason: "abandoned",
        deniedAt: options.now,
      },
    },
  ];
}
