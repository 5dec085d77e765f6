import { describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import {
  effectivePolicy,
  idempotencyWindowMs,
  isTier,
  recoveryWindowMs,
  tiers,
  undoWindowMs,
  verifierCacheMs,
} from "../../src/core/policy.ts";
import { keyRecord } from "./known-values.ts";

const hour = 3_600_000;
const day = 24 * hour;

describe("default durations", () => {
  it("are 24 hours of grace (a provider key none) and 7 days to roll back", () => {
    for (const kind of keyKinds) {
      expect(effectivePolicy(keyRecord({ kind }))).toEqual({
        graceMs: kind === "provider" ? 0 : 24 * hour,
        rollbackWindowMs: 7 * day,
      });
    }
  });

  it("give way to the key's own, also when that is zero", () => {
    for (const kind of keyKinds) {
      expect(effectivePolicy(keyRecord({ kind, graceMs: 0, rollbackWindowMs: 0 }))).toEqual({
        graceMs: 0,
        rollbackWindowMs: 0,
      });
      expect(effectivePolicy(keyRecord({ kind, graceMs: hour, rollbackWindowMs: day }))).toEqual({
        graceMs: hour,
        rollbackWindowMs: day,
      });
    }
  });

  it("leave an hour to undo, 30 days to restore, 7 days to repeat a request, and 5 seconds to caches", () => {
    expect(undoWindowMs).toBe(hour);
    expect(recoveryWindowMs).toBe(30 * day);
    expect(idempotencyWindowMs).toBe(7 * day);
    expect(verifierCacheMs).toBe(5000);
  });
});

describe("tiers", () => {
  it("allow 60, 300 and 1200 requests a minute", () => {
    expect(tiers).toEqual({ basic: 60, premium: 300, enterprise: 1200 });
  });

  it("are known by their exact names, and no name of JavaScript's own is one", () => {
    expect(Object.keys(tiers).every((tier) => isTier(tier))).toBe(true);
    for (const text of ["", "Basic", "gold", "constructor", "toString", "__proto__"]) {
      expect(isTier(text), text).toBe(false);
    }
  });
});
