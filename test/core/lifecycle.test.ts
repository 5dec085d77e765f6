import { describe, expect, it } from "vitest";
import { applyChanges, stateAt, summarise, transitions, transitionsOf } from "../../src/core/transition.ts";
import { judgeVersion, planActivation, planExpiry } from "../../src/core/lifecycle.ts";
import { planAbandon, planUndo } from "../../src/core/denial.ts";
import type { KeyWithVersions, VersionChange } from "../../src/core/transition.ts";
import { keyKinds, versionStates } from "../../src/core/model.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { keyRecord, versionRecord } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

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

const rotated = (version: number, change: Partial<VersionRecord> = {}): VersionRecord =>
  v(version, "rotated", { rotatedAt: now, graceUntil: now + day, rollbackUntil: now + 7 * day, ...change });

describe("the table of transitions", () => {
  it("is the one of the documentation", () => {
    const five = ["pending", "active", "rotated", "inactive", "expired"] as const;
    const pairs = [
      ["none", "pending"],
      ["pending", "active"],
      ["active", "rotated"],
      ["rotated", "active"],
      ["active", "inactive"],
      ["rotated", "inactive"],
      ["inactive", "active"],
      ["inactive", "rotated"],
      ...five.map((from) => [from, "revoked"]),
      ["revoked", "inactive"],
      ...[...five, "revoked"].map((from) => [from, "compromised"]),
      ...["active", "rotated", "inactive"].map((from) => [from, "expired"]),
      ...["rotated", "expired", "revoked", "inactive", "compromised"].map((from) => [from, "destroyed"]),
    ].map(([from, to]) => `${from} to ${to}`);
    const coded = Object.entries(transitions).flatMap(([from, all]) => all.map((to) => `${from} to ${to}`));
    expect(coded.toSorted()).toEqual(pairs.toSorted());
  });

  it("lets a destroyed version go nowhere and a compromised one only be destroyed", () => {
    expect(transitions.destroyed).toEqual([]);
    expect(transitions.compromised).toEqual(["destroyed"]);
  });
});

describe("acceptance", () => {
  const { key } = keyOf([]);

  it("needs an active version, or a rotated one within its grace, of every kind", () => {
    for (const kind of keyKinds) {
      const of = keyRecord({ kind });
      expect(judgeVersion(of, v(1, "active"), now)).toBe("accepted");
      expect(judgeVersion(of, rotated(1), now)).toBe("accepted");
      expect(judgeVersion(of, rotated(1), now + day - 1)).toBe("accepted");
      expect(judgeVersion(of, rotated(1), now + day)).toBe("grace-over");
      expect(judgeVersion(of, rotated(1, { graceUntil: null }), now)).toBe("grace-over");
    }
  });

  it("names the state of a version that is in none of the two", () => {
    for (const state of versionStates.filter((each) => each !== "active" && each !== "rotated")) {
      expect(judgeVersion(key, v(1, state), now)).toBe(state);
    }
  });

  it("ends with the expiry, whatever the state and the grace say", () => {
    expect(judgeVersion(key, v(1, "active", { expiresAt: now + 1 }), now)).toBe("accepted");
    expect(judgeVersion(key, v(1, "active", { expiresAt: now }), now)).toBe("expired");
    expect(judgeVersion(key, rotated(1, { expiresAt: now }), now)).toBe("expired");
  });

  it("does not return to a rotated version that was set back to active behind our back", () => {
    expect(judgeVersion(key, v(1, "active", { graceUntil: now }), now)).toBe("grace-over");
  });

  it("is denied to every version of a deleted key", () => {
    for (const state of versionStates) {
      expect(judgeVersion({ ...key, deletedAt: now - 1 }, v(1, state), now)).toBe("deleted");
    }
  });
});

describe("the state that a person sees", () => {
  it("is expired from the moment on, also before maintenance wrote it", () => {
    for (const state of ["active", "rotated", "inactive"] as const) {
      expect(stateAt(state, now, now - 1)).toBe(state);
      expect(stateAt(state, now, now)).toBe("expired");
      expect(stateAt(state, null, now)).toBe(state);
    }
  });

  it("is never expired for what is pending, denied, destroyed or deleted", () => {
    for (const state of ["pending", "revoked", "compromised", "destroyed", "deleted"] as const) {
      expect(stateAt(state, now - 1, now)).toBe(state);
    }
  });

  it("of a key is that of its active version, else of its newest", () => {
    const { key } = keyOf([]);
    const versions = [v(1, "revoked"), v(2, "active", { expiresAt: 5 }), v(3, "pending")];
    expect(summarise(key, versions)).toEqual({ state: "active", activeVersion: 2, expiresAt: 5 });
    expect(summarise(key, [v(1, "rotated"), v(2, "revoked", { expiresAt: 9 })])).toEqual({
      state: "revoked",
      activeVersion: null,
      expiresAt: 9,
    });
    expect(summarise(key, [])).toEqual({ state: "pending", activeVersion: null, expiresAt: null });
  });

  it("of a deleted key is deleted, and its pointer is kept for the restore", () => {
    const key = keyRecord({ deletedAt: now });
    expect(summarise(key, [v(1, "active")])).toEqual({
      state: "deleted",
      activeVersion: 1,
      expiresAt: null,
    });
  });
});

describe("activation", () => {
  it("makes the pending version active and the former one rotated, with grace and rollback window", () => {
    const target = keyOf([v(1, "active"), v(2, "pending", { activatedAt: null })]);
    expect(planActivation(target, { version: 2, now })).toEqual([
      {
        version: 1,
        from: "active",
        set: { state: "rotated", rotatedAt: now, graceUntil: now + day, rollbackUntil: now + 7 * day },
      },
      {
        version: 2,
        from: "pending",
        set: { state: "active", activatedAt: now, expiresAt: null, parentVersion: 1 },
      },
    ]);
  });

  it("of a first version has no parent", () => {
    const [change] = planActivation(keyOf([v(1, "pending")]), { version: 1, now });
    expect(change?.set.parentVersion).toBeNull();
  });

  it("takes the grace said for this once, else the key's own, else the kind's; zero is a grace too", () => {
    const graceOf = (key: Partial<KeyRecord>, graceMs?: number | null): number | null | undefined =>
      planActivation(keyOf([v(1, "active"), v(2, "pending")], key), {
        version: 2,
        now,
        ...(graceMs === undefined ? {} : { graceMs }),
      })[0]?.set.graceUntil;
    expect(graceOf({ graceMs: hour }, 0)).toBe(now);
    expect(graceOf({ graceMs: hour }, 2 * hour)).toBe(now + 2 * hour);
    expect(graceOf({ graceMs: hour }, null)).toBe(now + hour);
    expect(graceOf({ graceMs: 0 })).toBe(now);
    expect(graceOf({ kind: "secret" })).toBe(now + day);
    expect(graceOf({ kind: "provider" })).toBe(now);
  });

  it("never gives a grace beyond the version's own expiry", () => {
    const target = keyOf([v(1, "active", { expiresAt: now + hour }), v(2, "pending")]);
    expect(planActivation(target, { version: 2, now })[0]?.set.graceUntil).toBe(now + hour);
  });

  it("takes the successor's expiry from the key's lifetime, not from the predecessor", () => {
    const versions = [v(1, "active", { expiresAt: now + hour }), v(2, "pending")];
    const expiryWith = (lifetimeMs: number | null): number | null | undefined =>
      planActivation(keyOf(versions, { lifetimeMs }), { version: 2, now })[1]?.set.expiresAt;
    expect(expiryWith(90 * day)).toBe(now + 90 * day);
    expect(expiryWith(null)).toBeNull();
  });

  it("keeps a date that was said for this version", () => {
    const target = keyOf([v(1, "pending", { expiresAt: now + hour })], { lifetimeMs: day });
    expect(planActivation(target, { version: 1, now })[0]?.set.expiresAt).toBe(now + hour);
  });

  it("is refused for every state but pending, and for a version that is not there", () => {
    for (const state of versionStates.filter((each) => each !== "pending")) {
      expect(codeOf(() => planActivation(keyOf([v(1, state)]), { version: 1, now }))).toBe("conflict");
    }
    expect(codeOf(() => planActivation(keyOf([v(1, "active")]), { version: 2, now }))).toBe("not-found");
  });
});

describe("abandoning", () => {
  it("revokes the pending version for good", () => {
    const target = keyOf([v(1, "pending", { activatedAt: null })]);
    const changes = planAbandon(target, { version: 1, now });
    const [after] = applyChanges(target.versions, changes);
    expect(after).toMatchObject({
      state: "revoked",
      revokedReason: "abandoned",
      revokedAt: now,
      deniedAt: now,
    });
    const denied = { ...target, versions: after === undefined ? [] : [after] };
    expect(codeOf(() => planUndo(denied, { revokedAt: now, now }))).toBe("refused");
  });

  it("leaves what is not pending alone", () => {
    for (const state of versionStates.filter((each) => each !== "pending")) {
      expect(planAbandon(keyOf([v(1, state)]), { version: 1, now })).toEqual([]);
    }
  });
});

describe("expiry", () => {
  it("is written for active, rotated and suspended versions whose moment has come, and for no other", () => {
    const target = keyOf(versionStates.map((state, index) => v(index + 1, state, { expiresAt: now })));
    expect(planExpiry(target, now - 1)).toEqual([]);
    expect(planExpiry(target, now).map((change) => change.from)).toEqual(["active", "rotated", "inactive"]);
    expect(planExpiry(keyOf([v(1, "active")]), now)).toEqual([]);
  });

  it("forgets what a suspended version would have gone back to", () => {
    const target = keyOf([v(1, "inactive", { expiresAt: now, formerState: "active" })]);
    expect(applyChanges(target.versions, planExpiry(target, now))[0]?.formerState).toBeNull();
  });
});

describe("applying a plan", () => {
  const change = (from: VersionRecord["state"], to: VersionRecord["state"], version = 1): VersionChange => ({
    version,
    from,
    set: { state: to },
  });

  it("moves along the table and nowhere else", () => {
    for (const from of versionStates) {
      for (const to of versionStates) {
        const allowed = transitions[from].includes(to);
        const code = codeOf(() => applyChanges([v(1, from)], [change(from, to)]));
        expect(code, `${from} to ${to}`).toBe(allowed ? null : "conflict");
      }
    }
  });

  it("is a conflict when the version is not what the plan was made from, or not there", () => {
    expect(codeOf(() => applyChanges([v(1, "revoked")], [change("pending", "active")]))).toBe("conflict");
    expect(codeOf(() => applyChanges([v(1, "active")], [change("active", "rotated", 2)]))).toBe("conflict");
  });

  it("never leaves two versions active", () => {
    const code = codeOf(() =>
      applyChanges([v(1, "active"), v(2, "pending")], [change("pending", "active", 2)]),
    );
    expect(code).toBe("conflict");
  });

  it("leaves the other versions as they were", () => {
    const versions = [rotated(1), v(2, "active")];
    expect(applyChanges(versions, [change("active", "inactive", 2)])[0]).toBe(versions[0]);
  });

  it("is told to the audit log in the order of the versions", () => {
    expect(transitionsOf([change("pending", "active", 2), change("active", "rotated", 1)])).toEqual([
      { version: 1, from: "active", to: "rotated" },
      { version: 2, from: "pending", to: "active" },
    ]);
  });
});
