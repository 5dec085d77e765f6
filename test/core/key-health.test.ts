import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  anomalyShownMs,
  expiryNoticeMs,
  hasCondition,
  keyConditions,
  neverUsedMs,
  rotationTimes,
  staleMs,
  versionHasCondition,
} from "../../src/core/key-health.ts";
import type { KeyCondition } from "../../src/core/key-health.ts";
import { keyStates, versionStates } from "../../src/core/model.ts";
import type { KeyRecord } from "../../src/core/model.ts";
import { keyRecord, versionRecord } from "../store/records.ts";

const dayMs = 24 * 3_600_000;
const now = 1_000 * dayMs;
const rotation: KeyCondition[] = ["secure", "rotation-soon", "rotation-required", "expiring"];

const moment = fc.integer({ min: now - 400 * dayMs, max: now + 100 * dayMs });
const past = fc.integer({ min: now - 400 * dayMs, max: now });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const anyKey = fc
  .record({
    state: fc.oneof(fc.constant("active" as const), fc.constantFrom(...keyStates)),
    createdAt: past,
    rotatedAt: orNull(past),
    rotateEveryMs: orNull(fc.integer({ min: 1, max: 400 * dayMs })),
    expiresAt: orNull(moment),
    lastUsedAt: orNull(past),
    anomalyAt: orNull(past),
  })
  .map((set) => keyRecord(1, set));

function aged(days: number, set: Partial<KeyRecord> = {}): KeyRecord {
  return keyRecord(1, { state: "active", createdAt: now - days * dayMs, lastUsedAt: now, ...set });
}

function conditionsOf(key: KeyRecord, at = now): KeyCondition[] {
  return keyConditions.filter((condition) => hasCondition(key, condition, at));
}

describe("the age of a key", () => {
  it("is secure before 60 days, asks for a rotation soon from then on, and requires it from 90", () => {
    expect(conditionsOf(aged(60 - 1e-8))).toEqual(["secure"]);
    expect(conditionsOf(aged(60))).toEqual(["rotation-soon"]);
    expect(conditionsOf(aged(90 - 1e-8))).toEqual(["rotation-soon"]);
    expect(conditionsOf(aged(90))).toEqual(["rotation-required"]);
  });

  it("counts from the last rotation, and against the key's own interval: soon is its last third", () => {
    expect(conditionsOf(aged(400, { rotatedAt: now - dayMs }))).toEqual(["secure"]);
    const weekly = { rotateEveryMs: 9 * dayMs };
    expect([5, 6, 8, 9].flatMap((days) => conditionsOf(aged(days, weekly)))).toEqual([
      "secure",
      "rotation-soon",
      "rotation-soon",
      "rotation-required",
    ]);
  });

  it("asks for a rotation thirty days before it is due, however long the interval is", () => {
    const yearly = { rotateEveryMs: 365 * dayMs };
    expect([334, 335, 365].flatMap((days) => conditionsOf(aged(days, yearly)))).toEqual([
      "secure",
      "rotation-soon",
      "rotation-required",
    ]);
  });

  it("does not matter where an expiry is near: within a week, or the last third of a shorter life", () => {
    const expiring = (livesDays: number, leftDays: number) =>
      conditionsOf(aged(livesDays - leftDays, { expiresAt: now + leftDays * dayMs }));
    expect(expiring(80, 8)).toEqual(["rotation-soon"]);
    expect(expiring(80, 7)).toEqual(["expiring"]);
    expect(expiring(6, 3)).toEqual(["secure"]);
    expect(expiring(6, 2)).toEqual(["expiring"]);
    expect(expiring(200, 2)).toEqual(["rotation-required"]);
    expect(expiryNoticeMs).toBe(7 * dayMs);
  });

  it("gives every live key exactly one of four conditions, and every other key none", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const live = key.state === "active" && (key.expiresAt === null || key.expiresAt > now);
        const found = rotation.filter((condition) => hasCondition(key, condition, now));
        expect(found).toHaveLength(live ? 1 : 0);
      }),
    );
  });

  it("only ever presses more as time goes by, until somebody rotates", () => {
    const order: KeyCondition[] = ["secure", "rotation-soon", "rotation-required"];
    fc.assert(
      fc.property(anyKey, fc.nat(400 * dayMs), (drawn, laterMs) => {
        const key = { ...drawn, state: "active" as const, expiresAt: null };
        const at = (time: number) => order.findIndex((condition) => hasCondition(key, condition, time));
        expect(at(now + laterMs)).toBeGreaterThanOrEqual(at(now));
        expect(conditionsOf({ ...key, rotatedAt: now + laterMs }, now + laterMs)).toContain("secure");
      }),
    );
  });

  it("is near before it is due", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const { since, soonAt, requiredAt } = rotationTimes(key);
        expect(since).toBeLessThanOrEqual(soonAt);
        expect(soonAt).toBeLessThanOrEqual(requiredAt);
      }),
    );
  });
});

describe("the use of a key", () => {
  it("is never after thirty days without any, and stale after ninety without more", () => {
    const rotated = { rotatedAt: now };
    expect(neverUsedMs).toBe(30 * dayMs);
    expect(conditionsOf(aged(29, { ...rotated, lastUsedAt: null }))).toEqual(["secure"]);
    expect(conditionsOf(aged(30, { ...rotated, lastUsedAt: null }))).toEqual(["secure", "never-used"]);
    expect(conditionsOf(aged(400, { ...rotated, lastUsedAt: now - staleMs + 1 }))).toEqual(["secure"]);
    expect(conditionsOf(aged(400, { ...rotated, lastUsedAt: now - staleMs }))).toEqual(["secure", "stale"]);
  });

  it("that was unusual is pointed out for a week", () => {
    expect(conditionsOf(aged(1, { anomalyAt: now - anomalyShownMs + 1 }))).toEqual(["secure", "anomaly"]);
    expect(conditionsOf(aged(1, { anomalyAt: now - anomalyShownMs }))).toEqual(["secure"]);
  });
});

describe("a key that is not in use", () => {
  it("is suspended, deleted, compromised or expired, and a purged one is nothing any more", () => {
    expect(conditionsOf(aged(100, { state: "inactive" }))).toEqual(["suspended"]);
    expect(conditionsOf(aged(100, { state: "deleted" }))).toEqual(["deleted"]);
    expect(conditionsOf(aged(100, { state: "deleted", purgedAt: 1 }))).toEqual([]);
    expect(conditionsOf(aged(100, { state: "compromised" }))).toEqual(["compromised"]);
    expect(conditionsOf(aged(100, { state: "expired", expiresAt: now }))).toEqual(["expired"]);
    expect(conditionsOf(aged(100, { state: "revoked" }))).toEqual([]);
  });

  it("is overdue from the moment of its expiry until that is written", () => {
    for (const state of ["active", "rotated", "inactive"] as const) {
      expect(conditionsOf(aged(100, { state, expiresAt: now }))).toEqual(["overdue"]);
      expect(conditionsOf(aged(10, { state, expiresAt: now + 1 }))).not.toContain("overdue");
    }
  });
});

describe("a version", () => {
  it("is in grace while it is replaced and still accepted", () => {
    const inGrace = (set: Parameters<typeof versionRecord>[2]) =>
      versionHasCondition(versionRecord("k", 1, set), "in-grace", now);
    expect(inGrace({ state: "rotated", graceUntil: now + 1 })).toBe(true);
    expect(inGrace({ state: "rotated", graceUntil: now })).toBe(false);
    expect(inGrace({ state: "rotated", graceUntil: null })).toBe(false);
    expect(inGrace({ state: "rotated", graceUntil: now + 1, expiresAt: now })).toBe(false);
    expect(inGrace({ state: "active", graceUntil: now + 1 })).toBe(false);
  });

  it("counts as seen only while it is the active one: a rotation mends it", () => {
    for (const state of versionStates) {
      const seen = versionRecord("k", 1, { state, seenAt: now - 1 });
      expect(versionHasCondition(seen, "seen", now)).toBe(state === "active");
      expect(versionHasCondition({ ...seen, seenAt: null }, "seen", now)).toBe(false);
    }
  });
});
