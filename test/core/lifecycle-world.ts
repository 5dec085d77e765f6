import { expect } from "vitest";
import { applyChanges, summarise, transitionsOf } from "../../src/core/transition.ts";
import {
  judgeVersion,
  planActivation,
  planExpiry,
  planPurge,
  planResume,
  planRollback,
  planSuspend,
} from "../../src/core/lifecycle.ts";
import { planAbandon, planRevoke, planUndo } from "../../src/core/denial.ts";
import type { VersionChange } from "../../src/core/transition.ts";
import type { KeyRecord, RevokeReason, VersionRecord } from "../../src/core/model.ts";
import { keyRecord, versionRecord } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const hour = 3_600_000;
const startedAt = 1_700_000_000_000;

/** Two people who work on the same key. */
export type Actor = "anna" | "ben";
/** One operation of one of them, or the time that passes. */
export type Step =
  | { do: "begin"; actor: Actor; expiresInMs: number | null }
  /** `stale`: with the plan made when it was begun; else with one made from the rows as they stand. */
  | { do: "finish"; actor: Actor; stale: boolean; graceMs: number | null }
  | { do: "abandon"; actor: Actor }
  | { do: "rollback"; to: number | null; compromised: boolean }
  | { do: "revoke"; version: number | null; reason: RevokeReason; leaked: boolean }
  | { do: "undo" | "suspend" | "resume" | "expire" | "delete" | "restore" }
  | { do: "purge" }
  | { do: "wait"; ms: number };

/** The documented moves, written down here once more: the code's own table is not asked. */
export const documented: Record<string, string> = {
  pending: "active revoked compromised",
  active: "rotated inactive revoked compromised expired",
  rotated: "active inactive revoked compromised expired destroyed",
  inactive: "active rotated revoked compromised expired destroyed",
  expired: "revoked compromised destroyed",
  revoked: "inactive compromised destroyed",
  compromised: "destroyed",
  destroyed: "",
};

/** One key that two people work on. Every step is checked against the invariants of the lifecycle. */
export class World {
  key: KeyRecord;
  versions: readonly VersionRecord[] = [];
  now = startedAt;
  readonly seen = new Set<string>();
  readonly begun = new Map<Actor, { version: number; expiresAt: number | null; plan: VersionChange[] }>();
  /** Versions that were revoked and not undone: nothing may accept them. */
  readonly denied = new Map<number, "revoked" | "compromised">();
  lastRevokedAt: number | null = null;

  constructor(policy: Partial<KeyRecord>) {
    this.key = keyRecord({ ...policy, activeVersion: null, lastVersion: 0, state: "pending" });
  }

  /** Does the step if it is allowed; a refusal with a code changes nothing. A purged key is not worked on any more. */
  take(step: Step): void {
    if (this.key.purgedAt !== null) return;
    if (step.do === "purge") {
      this.#purge();
      return;
    }
    const plan = this.#planOf(step);
    if (plan === null) return;
    const { key, versions } = this;
    let changes: VersionChange[] = [];
    const refused = codeOf(() => {
      changes = plan();
    });
    const code = refused ?? codeOf(() => applyChanges(versions, changes));
    if (code !== null) {
      // A plan made from the rows as they stand always fits them, and a revoke of the key is never refused.
      if (refused === null) expect(step).toMatchObject({ do: "finish", stale: true });
      if (step.do === "revoke") expect(step.version).not.toBeNull();
      expect(["refused", "conflict", "not-found"]).toContain(code);
      return;
    }
    this.#commit(step, changes);
    this.#checkMoves(versions, changes);
    this.#checkReplay(step, { plan, changes });
    this.checkInvariants();
    if (step.do === "rollback") expectReturnable(key, versions, { changes, now: this.now });
  }

  /** Both moves in one transaction; what is left of a version is that it was. */
  #purge(): void {
    for (const changes of planPurge(this, this.now)) {
      const before = this.versions;
      this.versions = applyChanges(before, changes).map((version) => Object.freeze(version));
      this.#checkMoves(before, changes);
      for (const { from, set } of changes) this.seen.add(`${from} to ${set.state}`);
    }
    this.#write({ ...this.key, deletedAt: this.key.deletedAt ?? this.now, purgedAt: this.now });
    this.denied.clear();
    this.checkInvariants();
    for (const version of this.versions) {
      const { state, digest, envelope, vaultReference, rowMac } = version;
      expect({ state, digest, envelope, vaultReference, rowMac }).toEqual({
        state: "destroyed",
        digest: null,
        envelope: null,
        vaultReference: null,
        rowMac: null,
      });
    }
    expect(planPurge(this, this.now)).toEqual([[], []]);
  }

  /** How the step makes its plan; null for a step that needs none, or has nothing to work on. */
  #planOf(step: Exclude<Step, { do: "purge" }>): (() => VersionChange[]) | null {
    const { now } = this;
    const target = () => ({ key: this.key, versions: this.versions });
    switch (step.do) {
      case "begin":
        this.#begin(step.actor, step.expiresInMs === null ? null : now + step.expiresInMs);
        return null;
      case "wait":
        this.now += step.ms;
        this.checkInvariants();
        return null;
      case "delete":
        this.#write({ ...this.key, deletedAt: this.key.deletedAt ?? now });
        return null;
      case "finish":
      case "abandon":
        return this.#planOfBegun(step);
      case "rollback":
        return () => planRollback(target(), { toVersion: step.to, compromised: step.compromised, now });
      case "revoke":
        return () => planRevoke(target(), { ...step, now });
      case "undo":
        return () => planUndo(target(), { revokedAt: this.lastRevokedAt ?? 0, now });
      case "suspend":
        return () => planSuspend(target());
      case "restore":
        return this.key.deletedAt === null ? null : () => planSuspend(target());
      case "resume":
        return this.key.deletedAt === null ? () => planResume(target(), now) : null;
      case "expire":
        return () => planExpiry(target(), now);
    }
  }

  #planOfBegun(step: Extract<Step, { do: "finish" | "abandon" }>): (() => VersionChange[]) | null {
    const begun = this.begun.get(step.actor);
    if (begun === undefined) return null;
    const { now } = this;
    const { version } = begun;
    const target = () => ({ key: this.key, versions: this.versions });
    if (step.do === "abandon") return () => planAbandon(target(), { version, now });
    return () =>
      step.stale ? begun.plan : planActivation(target(), { version, now, graceMs: step.graceMs });
  }

  /** Records the next version, pending, and what its activation would change as the rows stand now. */
  #begin(actor: Actor, expiresAt: number | null): void {
    if (this.key.deletedAt !== null) return;
    const version = this.key.lastVersion + 1;
    const pending = versionRecord({
      version,
      state: "pending",
      activatedAt: null,
      parentVersion: null,
      expiresAt,
    });
    expect(this.versions.map((known) => known.version)).not.toContain(version);
    this.versions = [...this.versions, Object.freeze(pending)];
    this.#write({ ...this.key, lastVersion: version });
    const plan = planActivation(this, { version, now: this.now });
    this.begun.set(actor, { version, expiresAt, plan });
    this.checkInvariants();
  }

  #write(key: KeyRecord): void {
    this.key = Object.freeze({ ...key, ...summarise(key, this.versions), revision: key.revision + 1 });
  }

  #commit(step: Step, changes: VersionChange[]): void {
    this.versions = applyChanges(this.versions, changes).map((version) => Object.freeze(version));
    this.#write(step.do === "restore" ? { ...this.key, deletedAt: null } : this.key);
    for (const { version, from, set } of changes) {
      this.seen.add(`${from} to ${set.state}`);
      if (set.state === "revoked" || set.state === "compromised") this.denied.set(version, set.state);
    }
    if (step.do === "revoke") {
      if (changes.length > 0) this.lastRevokedAt = this.now;
      for (const version of this.versions) {
        const isMeant = step.version === null || step.version === version.version;
        const isKnown = step.leaked || ["key-compromise", "security-incident"].includes(step.reason);
        if (isMeant) expect(isKnown ? ["compromised"] : ["revoked", "compromised"]).toContain(version.state);
      }
    }
    if (step.do === "undo") {
      expect(this.now - (this.lastRevokedAt ?? 0)).toBeLessThan(hour);
      for (const { version } of changes) {
        expect(this.denied.get(version)).toBe("revoked");
        this.denied.delete(version);
      }
    }
    if (step.do === "finish") this.#checkSuccessor(step.actor, changes);
  }

  /** A successor's expiry comes from policy (or was said for it), never from its predecessor. */
  #checkSuccessor(actor: Actor, changes: VersionChange[]): void {
    const begun = this.begun.get(actor);
    const successor = changes.find((change) => change.version === begun?.version);
    const activatedAt = successor?.set.activatedAt ?? Number.NaN;
    const { lifetimeMs } = this.key;
    const byPolicy = lifetimeMs === null ? null : activatedAt + lifetimeMs;
    expect(successor?.set.expiresAt).toBe(begun?.expiresAt ?? byPolicy);
  }

  /** Every change follows the table, starts where the row stood, touches each version once and is told to the log. */
  #checkMoves(before: readonly VersionRecord[], changes: VersionChange[]): void {
    expect(this.versions.map((version) => version.version)).toEqual(before.map((version) => version.version));
    expect(new Set(changes.map((change) => change.version)).size).toBe(changes.length);
    const moved = before.flatMap((old, index) => {
      const to = this.versions[index]?.state ?? old.state;
      return to === old.state ? [] : [{ version: old.version, from: old.state, to }];
    });
    expect(transitionsOf(changes)).toEqual(moved);
    for (const { from, to } of moved) expect((documented[from] ?? "").split(" ")).toContain(to);
  }

  /** The same plan again is a conflict, and the same step again plans nothing or is refused. */
  #checkReplay(step: Step, done: { plan: () => VersionChange[]; changes: VersionChange[] }): void {
    if (done.changes.length > 0)
      expect(codeOf(() => applyChanges(this.versions, done.changes))).toBe("conflict");
    // Without --to-version a second rollback is another one: it goes one step further back.
    if (step.do === "rollback" && step.to === null) return;
    if (step.do === "finish" && step.stale) return;
    let again: VersionChange[] = [];
    const code = codeOf(() => {
      again = done.plan();
    });
    expect(again).toEqual([]);
    if (step.do === "finish" || step.do === "rollback" || step.do === "undo") expect(code).not.toBeNull();
    else expect(code).toBeNull();
  }

  checkInvariants(): void {
    const { key, versions, now } = this;
    const active = versions.filter((version) => version.state === "active");
    expect(active.length).toBeLessThanOrEqual(1);
    expect(versions.map((version) => version.version)).toEqual(versions.map((_, index) => index + 1));
    // What was given up before it was ever active says nothing of the key.
    const said = versions.filter(({ state, activatedAt }) => activatedAt !== null || state === "pending");
    const newest = said.at(-1) ?? versions.at(-1);
    const telling = active[0] ?? newest;
    expect(summarise(key, versions)).toEqual({
      state: key.deletedAt === null ? (telling?.state ?? "pending") : "deleted",
      activeVersion: active[0]?.version ?? null,
      expiresAt: telling?.expiresAt ?? null,
    });
    for (const version of versions) checkVersion(key, version, now);
    for (const [number, state] of this.denied) {
      const version = versions[number - 1];
      expect(version?.state).toBe(state);
    }
  }
}

function checkVersion(key: KeyRecord, version: VersionRecord, now: number): void {
  const { state, expiresAt, graceUntil, formerState } = version;
  if (graceUntil !== null && expiresAt !== null) expect(graceUntil).toBeLessThanOrEqual(expiresAt);
  if (state === "active") expect([graceUntil, version.rollbackUntil]).toEqual([null, null]);
  if (state === "pending") expect(version.activatedAt).toBeNull();
  if (["active", "rotated", "inactive", "expired"].includes(state))
    expect(version.activatedAt).not.toBeNull();
  if (formerState !== null) expect(["inactive", "revoked", "compromised"]).toContain(state);
  if (state === "inactive") expect(["active", "rotated"]).toContain(formerState);
  // When and why it was denied stays with a destroyed version.
  if (state === "destroyed") {
    expect(judgeVersion(key, version, now)).not.toBe("accepted");
    return;
  }
  const isDenied = state === "revoked" || state === "compromised";
  expect([version.revokedAt !== null, version.revokedReason !== null]).toEqual([isDenied, isDenied]);
  if (isDenied) expect(version.rowMac).toBeNull();
  else expect(version.deniedAt).toBeNull();
  const accepted = judgeVersion(key, version, now) === "accepted";
  const inTime = (until: number | null): boolean => until !== null && now < until;
  const expected =
    key.deletedAt === null &&
    (expiresAt === null || now < expiresAt) &&
    (state === "active" || (state === "rotated" && inTime(graceUntil)));
  expect(accepted).toBe(expected);
}

/** A version came back only if it was rotated, in its window and not expired, of a key that is not deleted. */
function expectReturnable(
  key: KeyRecord,
  before: readonly VersionRecord[],
  done: { changes: VersionChange[]; now: number },
): void {
  const back = done.changes.find((change) => change.set.state === "active");
  const version = before.find((known) => known.version === back?.version);
  expect([key.deletedAt, version?.state]).toEqual([null, "rotated"]);
  expect(version?.rollbackUntil).toBeGreaterThan(done.now);
  if (version?.expiresAt != null) expect(version.expiresAt).toBeGreaterThan(done.now);
}
