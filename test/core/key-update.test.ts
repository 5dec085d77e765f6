import { describe, expect, it } from "vitest";
import { planUpdate } from "../../src/core/key-update.ts";
import type { KeyUpdate } from "../../src/core/key-update.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { keyRecord, versionRecord } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const day = 24 * 3_600_000;
const now = 1_700_000_000_000;

const issued = (change: Partial<KeyRecord> = {}): KeyRecord =>
  keyRecord({ kind: "issued", prefix: "kc_live", tier: "basic", scopes: ["read"], owner: "app", ...change });

const active = versionRecord({ version: 1, state: "active", expiresAt: null });

function plan(update: Partial<KeyUpdate>, key = issued(), versions: VersionRecord[] = [active]) {
  return planUpdate({ key, versions }, { fields: {}, ...update }, now);
}

describe("an update", () => {
  it("names exactly what differs, with the values before and after", () => {
    const planned = plan({ fields: { scopes: ["write"], tier: "basic" }, owner: "user:7", graceMs: 5 });
    expect(planned.fields).toEqual(["owner", "graceMs", "scopes"]);
    expect(planned.before).toEqual({ owner: "app", graceMs: issued().graceMs, scopes: ["read"] });
    expect(planned.after).toEqual({ owner: "user:7", graceMs: 5, scopes: ["write"] });
    expect(planned.isGuarding).toBe(true);
    expect(plan({ graceMs: 5 }).isGuarding).toBe(false);
  });

  it("of what is so already names nothing", () => {
    const key = issued({ tags: { b: "2", a: "1" }, complianceTags: ["PCI"] });
    const same = {
      fields: { scopes: ["read", "read"], tier: "basic" },
      owner: "app",
      complianceTags: ["PCI", "PCI"],
      tags: { clear: true, remove: [], set: { a: "1", b: "2" } },
    };
    expect(plan(same, key).fields).toEqual([]);
    expect(plan({}, key).fields).toEqual([]);
  });

  it("leaves what is not named, and null and an empty list clear", () => {
    const key = issued({ description: "old", tags: { a: "1" } });
    expect(plan({ owner: "company" }, key).key).toEqual({ ...key, owner: "company" });
    const cleared = plan({ fields: { scopes: [] }, description: null, graceMs: null }, key).key;
    expect(cleared).toMatchObject({ scopes: [], description: null, graceMs: null, tags: { a: "1" } });
  });

  it("sets and removes tags one by one, and a tag that is removed and set is set", () => {
    const key = issued({ tags: { a: "1", b: "2", c: "3" } });
    const tags = (set: KeyUpdate["tags"]) => plan(set === undefined ? {} : { tags: set }, key).key.tags;
    expect(tags({ clear: false, remove: ["a", "nobody"], set: { b: "x" } })).toEqual({ b: "x", c: "3" });
    expect(tags({ clear: false, remove: ["a"], set: { a: "y" } })).toEqual({ a: "y", b: "2", c: "3" });
    expect(tags({ clear: true, remove: [], set: { d: "4" } })).toEqual({ d: "4" });
  });

  it("keeps free text out of the fields that the log shows", () => {
    const key = keyRecord({ kind: "encryption", type: "PHI_DATA", algorithm: "AES-256-GCM", prefix: null });
    const versions = [active];
    const clean = { ...key, tier: null, scopes: [], provider: null, preferredModel: null };
    const update = { fields: { purpose: "charts" }, description: "for Ms Smith" };
    const planned = planUpdate({ key: clean, versions }, update, now);
    expect(planned.fields).toEqual(["description", "purpose"]);
    expect([planned.before, planned.after]).toEqual([{}, {}]);
    expect(planned.texts).toMatchObject({ description: "for Ms Smith", purpose: "charts" });
  });

  it("refuses what the kind does not have, and values that create refuses too", () => {
    const bad: Partial<KeyUpdate>[] = [
      { fields: { authorizedServices: ["billing"] } },
      { fields: { purpose: "charts" } },
      { fields: { tier: "gold" } },
      { fields: { scopes: ["no blanks allowed"] } },
      { owner: "somebody" },
    ];
    for (const update of bad)
      expect(
        codeOf(() => plan(update)),
        JSON.stringify(update),
      ).toBe("usage");
  });
});

describe("an expiry that is changed", () => {
  const expiryOf = (
    expiry: KeyUpdate["expiry"],
    versions: VersionRecord[],
    lifetimeMs: number | null = null,
  ) => {
    const planned = plan({ expiry }, issued({ lifetimeMs }), versions);
    return [planned.key.lifetimeMs, ...planned.versions.map(({ expiresAt }) => expiresAt)];
  };
  const rotated = versionRecord({ version: 1, state: "rotated", expiresAt: now + day });
  const second = versionRecord({ version: 2, state: "active", expiresAt: now + 2 * day });

  it("as a duration counts from now, and is the lifetime of each successor; the replaced versions keep theirs", () => {
    expect(expiryOf({ lifetimeMs: 9 * day }, [rotated, second])).toEqual([9 * day, now + day, now + 9 * day]);
  });

  it("as a date is the active version's only, and lies ahead", () => {
    expect(expiryOf({ at: now + 1 }, [rotated, second], 5)).toEqual([5, now + day, now + 1]);
    for (const at of [now, now - 1]) expect(codeOf(() => expiryOf({ at }, [second]))).toBe("usage");
  });

  it("as never ends neither", () => {
    expect(expiryOf("never", [rotated, second], 5)).toEqual([null, now + day, null]);
  });

  it("is that of the suspended version which resume makes active, too", () => {
    const inactive = versionRecord({ version: 2, state: "inactive", formerState: "active", expiresAt: null });
    expect(expiryOf({ at: now + 1 }, [rotated, inactive])).toEqual([null, now + day, now + 1]);
  });

  it("brings no expired version back: a date is refused, a duration is for the successors", () => {
    const over = versionRecord({ version: 2, state: "active", expiresAt: now });
    const revoked = versionRecord({ version: 2, state: "revoked", expiresAt: null });
    for (const version of [over, revoked]) {
      expect(codeOf(() => expiryOf({ at: now + 1 }, [version]))).toBe("refused");
      expect(expiryOf({ lifetimeMs: day }, [version])).toEqual([day, version.expiresAt]);
      expect(expiryOf("never", [version], 5)).toEqual([null, version.expiresAt]);
    }
  });
});
