import { KeyctlError } from "./errors.ts";
import { effectivePolicy } from "./policy.ts";
import type { KeyRecord, VersionRecord, VersionState } from "./model.ts";
import { applyChanges, findVersion } from "./transition.ts";
import type { VersionChange, KeyWithVersions } from "./transition.ts";
import { denied, planAbandon } from "./denial.ts";

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

/** pending → active for `version`; the former active becomes rotated. `graceMs` overrides the key's grace for this once. */
export function planActivation(
  target: KeyWithVersions,
  options: { version: number; now: number; graceMs?: number | null },
): VersionChange[] {
  const { now } = options;
  const next = findVersion(target, options.version);
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
  if (parent !== null) return findVersion(target, parent);
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
  const back =
    options.toVersion === null ? defaultRollbackTarget(target) : findVersion(target, options.toVersion);
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

/** What a destroyed version keeps: its number, its times, its public id. */
const erased = {
  state: "destroyed",
  formerState: null,
  digest: null,
  pepperVersion: null,
  envelope: null,
  vaultReference: null,
  rowMac: null,
  rowMacPepperVersion: null,
} as const;

/**
 * Everything to destroyed, its value erased, in two moves that follow each other: what is active or pending is denied
 * first, because nothing goes from there to destroyed. Both are empty when all is destroyed already.
 */
export function planPurge(target: KeyWithVersions, now: number): [VersionChange[], VersionChange[]] {
  const pending = target.versions.filter((version) => version.state === "pending");
  const first = [
    ...planSuspend(target).filter(({ from }) => from === "active"),
    ...pending.flatMap(({ version }) => planAbandon(target, { version, now })),
  ];
  const second = applyChanges(target.versions, first)
    .filter((version) => version.state !== "destroyed")
    .map((version) => ({ version: version.version, from: version.state, set: erased }));
  return [first, second];
}
