import { describe, expect, it } from "vitest";
import { applyChanges } from "../../src/core/transition.ts";
import {
  formerStateOf,
  meansCompromise,
  planRevoke,
  planUndo,
  revocableStates,
} from "../../src/core/denial.ts";
import { judgeVersion, planResume, planRollback, planSuspend } from "../../src/core/lifecycle.ts";
import type { KeyWithVersions, VersionChange } from "../../src/core/transition.ts";
import { revokeReasons, versionStates } from "../../src/core/model.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { keyRecord, versionRecord } from "./known-values.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const hour = 3_600_000;
const day = 24 * hour;
const now = 1_700_000_000_000;

/** A version without any time set, in the state given. */
function v(version: number, state: VersionRecord["state"], change: Partial<VersionRecord> = {}) {
  return versionRecord({ version, state, parentVersion: null, expiresAt: null, ...change });
}

function keyOf(versions: VersionRecord[], change: Partial<KeyRecord> = {}): KeyWithVersions {
  return { key: keyRecord(change), versions };
}

/** The states after the changes, by version number. */
function statesAfter(target: KeyWithVersions, changes: VersionChange[]): string[] {
  return applyChanges(target.versions, changes).map((version) => version.state);
}

const rotated = (version: number, change: Partial<VersionRecord> = {}): VersionRecord =>
  v(version, "rotated", { rotatedAt: now, graceUntil: now + day, rollbackUntil: now + 7 * day, ...change });

describe("rollback", () => {
  const pair = (old: Partial<VersionRecord> = {}, key: Partial<KeyRecord> = {}): KeyWithVersions =>
    keyOf([rotated(1, old), v(2, "active", { parentVersion: 1 })], key);
  const back = (target: KeyWithVersions, change: Partial<Parameters<typeof planRollback>[1]> = {}) =>
    planRollback(target, { toVersion: null, compromised: false, now, ...change });

  it("swaps the two: the old one is active without grace, its successor rotated with the key's grace", () => {
    const target = pair({}, { graceMs: hour });
    expect(back(target)).toEqual([
      {
        version: 2,
        from: "active",
        set: { state: "rotated", rotatedAt: now, graceUntil: now + hour, rollbackUntil: now + 7 * day },
      },
      {
        version: 1,
        from: "rotated",
        set: { state: "active", graceUntil: null, rollbackUntil: null, rotatedAt: null },
      },
    ]);
  });

  it("with --compromised denies the successor at once and for good", () => {
    const target = pair();
    const changes = back(target, { compromised: true });
    expect(statesAfter(target, changes)).toEqual(["active", "compromised"]);
    expect(changes[0]?.set).toMatchObject({ revokedReason: "key-compromise", deniedAt: now, rowMac: null });
    const after = { ...target, versions: applyChanges(target.versions, changes) };
    expect(judgeVersion(target.key, after.versions[1] ?? v(2, "active"), now)).toBe("compromised");
    expect(codeOf(() => back(after, { toVersion: 2 }))).toBe("refused");
  });

  it("with --compromised of a secret is not denied before the vault has answered", () => {
    const target = keyOf([rotated(1), v(2, "active", { parentVersion: 1, vaultReference: "https://v/2" })], {
      kind: "secret",
    });
    expect(back(target, { compromised: true })[0]?.set.deniedAt).toBeNull();
  });

  it("goes to the version that the active one replaced, not to the number before it", () => {
    const target = keyOf([rotated(1), rotated(2), v(3, "active", { parentVersion: 1 })]);
    expect(statesAfter(target, back(target))).toEqual(["active", "rotated", "rotated"]);
    expect(statesAfter(target, back(target, { toVersion: 2 }))).toEqual(["rotated", "active", "rotated"]);
  });

  it("brings a version back after the active one alone was revoked", () => {
    const target = keyOf([
      rotated(1),
      v(2, "revoked", { parentVersion: 1 }),
      v(3, "pending", { activatedAt: null }),
    ]);
    expect(statesAfter(target, back(target))).toEqual(["active", "revoked", "pending"]);
  });

  it("is refused once the window is over, and after the old version's expiry", () => {
    expect(codeOf(() => back(pair(), { now: now + 7 * day - 1 }))).toBeNull();
    expect(codeOf(() => back(pair(), { now: now + 7 * day }))).toBe("refused");
    expect(codeOf(() => back(pair({ rollbackUntil: null })))).toBe("refused");
    expect(codeOf(() => back(pair({ expiresAt: now + 1 })))).toBeNull();
    expect(codeOf(() => back(pair({ expiresAt: now })))).toBe("refused");
  });

  it("is refused to every state but rotated, compromised and revoked ones above all", () => {
    for (const state of versionStates.filter((each) => each !== "rotated")) {
      const target = keyOf([v(1, state, { rollbackUntil: now + day }), v(2, "revoked")]);
      expect(refusalOf(() => back(target, { toVersion: 1 }))?.message).toMatch(
        /only a rotated|active one already/,
      );
    }
    expect(codeOf(() => back(pair(), { toVersion: 9 }))).toBe("not-found");
  });

  it("of a deleted key is refused, with a hint that can be followed", () => {
    const refusal = refusalOf(() => back(pair({}, { deletedAt: now })));
    expect(refusal).toMatchObject({ code: "refused", hint: "keyctl show payments" });
  });

  it("without an earlier version says which command would help", () => {
    const only = refusalOf(() => back(keyOf([v(1, "active")])));
    expect(only).toMatchObject({ code: "refused", hint: "keyctl rotate payments" });
    const rolledBack = refusalOf(() => back(keyOf([v(1, "active"), rotated(2, { parentVersion: 1 })])));
    expect(rolledBack?.hint).toBe("keyctl rollback payments --to-version 2");
    const pending = refusalOf(() => back(keyOf([v(1, "pending", { activatedAt: null })])));
    expect(pending?.code).toBe("refused");
  });
});

describe("revoke", () => {
  const all = versionStates.map((state, index) => v(index + 1, state, { rowMac: new Uint8Array(32) }));
  const revoke = (target: KeyWithVersions, change: Partial<Parameters<typeof planRevoke>[1]> = {}) =>
    planRevoke(target, { version: null, reason: "unspecified", leaked: false, now, ...change });

  it("of a key means its pending, active, rotated, suspended and expired versions", () => {
    const changes = revoke(keyOf(all));
    expect(changes.map((change) => change.from)).toEqual([
      "pending",
      "active",
      "rotated",
      "inactive",
      "expired",
    ]);
    expect(new Set(changes.map((change) => change.set.state))).toEqual(new Set(["revoked"]));
    expect(revocableStates("revoked")).toEqual(changes.map((change) => change.from));
  });

  it("takes the row's MAC away, so that a row set back to active is not accepted", () => {
    for (const { set } of revoke(keyOf(all))) {
      expect(set).toMatchObject({ rowMac: null, rowMacPepperVersion: null, revokedAt: now });
    }
  });

  it("with a reason that means a known secret, or of a leaked text, compromises, revoked versions too", () => {
    const ofReason = revokeReasons.filter((reason) => meansCompromise(reason));
    expect(ofReason).toEqual(["key-compromise", "security-incident"]);
    for (const changes of [
      ...ofReason.map((reason) => revoke(keyOf(all), { reason })),
      revoke(keyOf(all), { leaked: true, reason: "superseded" }),
    ]) {
      expect(changes.map((change) => change.from)).toEqual(revocableStates("compromised"));
      expect(new Set(changes.map((change) => change.set.state))).toEqual(new Set(["compromised"]));
    }
  });

  it("of one version leaves the others alone; of an unknown one is refused", () => {
    expect(revoke(keyOf(all), { version: 2 }).map((change) => change.version)).toEqual([2]);
    expect(codeOf(() => revoke(keyOf(all), { version: 99 }))).toBe("not-found");
  });

  it("again changes nothing, and never lowers compromised to revoked", () => {
    for (const reason of revokeReasons) {
      const target = keyOf(all);
      const denied = { ...target, versions: applyChanges(all, revoke(target, { reason })) };
      expect(revoke(denied, { reason })).toEqual([]);
      expect(revoke(denied)).toEqual([]);
    }
  });

  it("says since when the store denies it, and waits for the vault where that enforces", () => {
    const deniedAt = (kind: KeyRecord["kind"], vaultReference: string | null, before: number | null = null) =>
      revoke(keyOf([v(1, "active", { vaultReference, deniedAt: before })], { kind }))[0]?.set.deniedAt;
    expect(deniedAt("issued", null)).toBe(now);
    expect(deniedAt("provider", null)).toBe(now);
    expect(deniedAt("encryption", "https://v/1")).toBe(now);
    expect(deniedAt("secret", "https://v/1")).toBeNull();
    expect(deniedAt("secret", null)).toBe(now);
  });

  it("raised to compromised keeps the moment since when it is denied", () => {
    const target = keyOf([v(1, "revoked", { deniedAt: 5, formerState: "active" })]);
    expect(revoke(target, { leaked: true })[0]?.set).toMatchObject({ state: "compromised", deniedAt: 5 });
  });

  it("keeps what each version was, as far as it can come back", () => {
    expect(formerStateOf(v(1, "active"))).toBe("active");
    expect(formerStateOf(v(1, "rotated"))).toBe("rotated");
    expect(formerStateOf(v(1, "inactive", { formerState: "rotated" }))).toBe("rotated");
    expect(formerStateOf(v(1, "revoked", { formerState: "active" }))).toBe("active");
    for (const state of ["pending", "expired", "compromised", "destroyed"] as const) {
      expect(formerStateOf(v(1, state, { formerState: "active" }))).toBeNull();
    }
  });
});

describe("undo of a revoke", () => {
  const revokedAt = now;
  const revoked = (version: number, formerState: VersionRecord["formerState"]): VersionRecord =>
    v(version, "revoked", { formerState, revokedAt, revokedReason: "cessation", deniedAt: revokedAt });

  it("makes inactive what was active, rotated or suspended: still denied, until resume", () => {
    const target = keyOf([revoked(1, "rotated"), revoked(2, "active")]);
    const after = applyChanges(target.versions, planUndo(target, { revokedAt, now }));
    expect(after.map((version) => version.state)).toEqual(["inactive", "inactive"]);
    expect(after.map((version) => version.formerState)).toEqual(["rotated", "active"]);
    expect(after[0]).toMatchObject({ revokedAt: null, revokedReason: null, deniedAt: null });
  });

  it("is open for sixty minutes", () => {
    const target = keyOf([revoked(1, "active")]);
    expect(codeOf(() => planUndo(target, { revokedAt, now: revokedAt + hour - 1 }))).toBeNull();
    expect(codeOf(() => planUndo(target, { revokedAt, now: revokedAt + hour }))).toBe("refused");
  });

  it("never brings to life what was never active, or had expired, whatever the row says it was", () => {
    for (const formerState of [null, "pending", "expired", "revoked"] as const) {
      expect(codeOf(() => planUndo(keyOf([revoked(1, formerState)]), { revokedAt, now }))).toBe("refused");
    }
  });

  it("means that revoke alone, and nothing compromised", () => {
    const earlier = { ...revoked(1, "active"), revokedAt: revokedAt - 1 };
    const raised = v(3, "compromised", { formerState: "active", revokedAt });
    const target = keyOf([earlier, revoked(2, "active"), raised]);
    expect(planUndo(target, { revokedAt, now }).map((change) => change.version)).toEqual([2]);
  });
});

describe("suspend and resume", () => {
  it("suspends every active and rotated version and gives each its former state back", () => {
    const target = keyOf([rotated(1), v(2, "active"), v(3, "pending"), v(4, "revoked")]);
    const suspended = { ...target, versions: applyChanges(target.versions, planSuspend(target)) };
    expect(suspended.versions.map((version) => version.state)).toEqual([
      "inactive",
      "inactive",
      "pending",
      "revoked",
    ]);
    expect(applyChanges(suspended.versions, planResume(suspended, now))).toEqual(target.versions);
  });

  it("does not resume past the expiry", () => {
    const target = keyOf([v(1, "inactive", { formerState: "active", expiresAt: now })]);
    expect(statesAfter(target, planResume(target, now - 1))).toEqual(["active"]);
    expect(statesAfter(target, planResume(target, now))).toEqual(["expired"]);
  });

  it("leaves a version that was replaced meanwhile rotated and without grace", () => {
    const target = keyOf([v(1, "inactive", { formerState: "active" }), v(2, "active")]);
    const after = applyChanges(target.versions, planResume(target, now));
    expect(after.map((version) => version.state)).toEqual(["rotated", "active"]);
    expect(after[0]?.graceUntil).toBe(now);
  });

  it("of two that were active lets the newer one be it", () => {
    const target = keyOf([1, 2].map((number) => v(number, "inactive", { formerState: "active" })));
    expect(statesAfter(target, planResume(target, now))).toEqual(["rotated", "active"]);
  });
});
