import { KeyctlError } from "./errors.ts";
import { kindRules } from "./kind-rules.ts";
import type { KeyRecord, KeyState, RevokeReason, Transition, VersionRecord, VersionState } from "./model.ts";
import { effectivePolicy, undoWindowMs } from "./policy.ts";

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

/** Why a version's secret is not accepted. */
export type Refusal = VersionState | "deleted" | "grace-over";

/**
 * Whether a version's secret is accepted at `now`: its state, its times and the key's deletion; the row MAC is checked
 * apart. A grace that is over denies an active version too: the MAC covers the grace and not the state, so that is how a
 * rotated row set back to active behind our back is known. (No version that keyctl made active has a grace.)
 */
export function judgeVersion(key: KeyRecord, version: VersionRecord, now: number): Refusal | "accepted" {
  if (key.deletedAt !== null) return "deleted";
  if (version.state !== "active" && version.state !== "rotated") return version.state;
  if (version.expiresAt !== null && version.expiresAt <= now) return "expired";
  if (version.graceUntil === null) return version.state === "active" ? "accepted" : "grace-over";
  return version.graceUntil > now ? "accepted" : "grace-over";
}

/** A state as a person sees it at `now`: past its expiry means expired, also before maintenance wrote it. */
export function stateAt(state: KeyState, expiresAt: number | null, now: number): KeyState {
  const canExpire = state === "active" || state === "rotated" || state === "inactive";
  return canExpire && expiresAt !== null && expiresAt <= now ? "expired" : state;
}

function earlier(a: number, b: number | null): number {
  return b === null ? a : Math.min(a, b);
}

/** Fields of a version that its successor has just replaced. */
function replaced(target: KeyWithVersions, version: VersionRecord, now: number): VersionChange["set"] {
  const policy = effectivePolicy(target.key);
  return {
    state: "rotated",
    rotatedAt: now,
    graceUntil: earlier(now + policy.graceMs, version.expiresAt),
    rollbackUntil: now + policy.rollbackWindowMs,
  };
}

function find(target: KeyWithVersions, version: number): VersionRecord {
  const found = target.versions.find((candidate) => candidate.version === version);
  if (found === undefined) {
    throw new KeyctlError("not-found", `${target.key.name} has no version ${version}`, {
      hint: `keyctl show ${target.key.name}`,
    });
  }
  return found;
}

/** pending → active for `version`; the former active becomes rotated. `graceMs` overrides the key's grace for this once. */
export function planActivation(
  target: KeyWithVersions,
  options: { version: number; now: number; graceMs?: number | null },
): VersionChange[] {
  const { now } = options;
  const next = find(target, options.version);
  if (next.state !== "pending") {
    throw new KeyctlError(
      "conflict",
      `version ${next.version} of ${target.key.name} is ${next.state}, not pending`,
    );
  }
  const key = { ...target.key, graceMs: options.graceMs ?? target.key.graceMs };
  const lifetime = key.lifetimeMs === null ? null : now + key.lifetimeMs;
  const changes: VersionChange[] = [];
  const former = target.versions.find((version) => version.state === "active");
  if (former !== undefined) {
    changes.push({ version: former.version, from: "active", set: replaced({ ...target, key }, former, now) });
  }
  changes.push({
    version: next.version,
    from: "pending",
    set: {
      state: "active",
      activatedAt: now,
      expiresAt: next.expiresAt ?? lifetime,
      parentVersion: former?.version ?? null,
    },
  });
  return changes;
}

/** The version a rollback without `--to-version` means: what the active (else the newest) version replaced. */
function defaultRollbackTarget(target: KeyWithVersions): VersionRecord {
  const current =
    target.versions.find((version) => version.state === "active") ??
    target.versions.findLast((version) => version.activatedAt !== null);
  const parent = current?.parentVersion ?? null;
  if (parent !== null) return find(target, parent);
  const others = target.versions
    .filter((version) => version.state === "rotated")
    .map((version) => version.version);
  throw new KeyctlError("refused", `${target.key.name} has no earlier version to roll back to`, {
    hint:
      others.length > 0
        ? `keyctl rollback ${target.key.name} --to-version ${others.at(-1) ?? 0}`
        : `keyctl rotate ${target.key.name}`,
  });
}

/** rotated → active for the target; the present active becomes rotated, or compromised. Refused outside the window. */
export function planRollback(
  target: KeyWithVersions,
  options: { toVersion: number | null; compromised: boolean; now: number },
): VersionChange[] {
  const { key } = target;
  const { now } = options;
  const back = options.toVersion === null ? defaultRollbackTarget(target) : find(target, options.toVersion);
  const refuse = (why: string): never => {
    throw new KeyctlError("refused", `version ${back.version} of ${key.name} ${why}`, {
      hint:
        key.deletedAt !== null
          ? `keyctl show ${key.name}`
          : `keyctl rotate ${key.name}${back.state === "active" ? "" : " makes a new version instead"}`,
    });
  };
  if (key.deletedAt !== null) refuse("belongs to a deleted key");
  if (back.state === "active") refuse("is the active one already");
  if (back.state !== "rotated") refuse(`is ${back.state}: only a rotated version can come back`);
  if (back.expiresAt !== null && back.expiresAt <= now) refuse("has expired");
  if (back.rollbackUntil === null || back.rollbackUntil <= now) refuse("is past its rollback window");
  const changes: VersionChange[] = [];
  const current = target.versions.find((version) => version.state === "active");
  if (current !== undefined) {
    const set = options.compromised
      ? denied({ key, version: current }, { to: "compromised", reason: "key-compromise", now })
      : replaced(target, current, now);
    changes.push({ version: current.version, from: "active", set });
  }
  changes.push({
    version: back.version,
    from: "rotated",
    set: { state: "active", graceUntil: null, rollbackUntil: null, rotatedAt: null },
  });
  return changes;
}

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

function denied(
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
  const chosen = options.version === null ? target.versions : [find(target, options.version)];
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

/** active, rotated → inactive. */
export function planSuspend(target: KeyWithVersions): VersionChange[] {
  return target.versions
    .filter((version) => version.state === "active" || version.state === "rotated")
    .map((version) => ({
      version: version.version,
      from: version.state,
      set: { state: "inactive", formerState: version.state },
    }));
}

/** inactive → its former state; past its expiry it becomes expired, and beside another active version only rotated. */
export function planResume(target: KeyWithVersions, now: number): VersionChange[] {
  let hasActive = target.versions.some((version) => version.state === "active");
  return target.versions
    .filter((version) => version.state === "inactive")
    .toReversed()
    .map((version): VersionChange => {
      const base = { version: version.version, from: "inactive" as const };
      if (version.expiresAt !== null && version.expiresAt <= now)
        return { ...base, set: { state: "expired", formerState: null } };
      if (version.formerState === "active" && !hasActive) {
        hasActive = true;
        return { ...base, set: { state: "active", formerState: null } };
      }
      const graceUntil = version.formerState === "active" ? now : version.graceUntil;
      return { ...base, set: { state: "rotated", formerState: null, graceUntil } };
    });
}

/** active, rotated, inactive → expired where the moment has come. */
export function planExpiry(target: KeyWithVersions, now: number): VersionChange[] {
  return target.versions
    .filter(
      (version) => version.state === "active" || version.state === "rotated" || version.state === "inactive",
    )
    .filter((version) => version.expiresAt !== null && version.expiresAt <= now)
    .map((version) => ({
      version: version.version,
      from: version.state,
      set: { state: "expired", formerState: null },
    }));
}

/** pending → revoked, reason `abandoned`: an operation that never got to its end. */
export function planAbandon(
  target: KeyWithVersions,
  options: { version: number; now: number },
): VersionChange[] {
  const version = find(target, options.version);
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

/** State, pointer and expiry that a key has by its versions. */
export function summarise(
  key: KeyRecord,
  versions: readonly VersionRecord[],
): Pick<KeyRecord, "state" | "activeVersion" | "expiresAt"> {
  const active = versions.find((version) => version.state === "active");
  const telling = active ?? versions.at(-1);
  return {
    state: key.deletedAt !== null ? "deleted" : (telling?.state ?? "pending"),
    activeVersion: active?.version ?? null,
    expiresAt: telling?.expiresAt ?? null,
  };
}

/** Changes as the audit log lists them. */
export function transitionsOf(changes: readonly VersionChange[]): Transition[] {
  return changes
    .map((change) => ({ version: change.version, from: change.from, to: change.set.state }))
    .toSorted((a, b) => a.version - b.version);
}
