import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { deriveKeys } from "../../src/core/root-keys.ts";
import { rowMac, rowMacDigest, rowMacFields, rowMacInput } from "../../src/core/row-mac.ts";
import { keyRecord, pepper, toHex, versionRecord } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const { rowKey } = deriveKeys(pepper);

function macOf(key: Partial<KeyRecord>, version: Partial<VersionRecord>): string {
  return toHex(rowMac(rowKey, rowMacFields(keyRecord(key), versionRecord(version))));
}

describe("row MAC", () => {
  it("is the known answer, and so is what a revoke keeps of it", () => {
    const fields = rowMacFields(keyRecord(), versionRecord());
    expect(toHex(rowMac(rowKey, fields))).toBe(
      "27c8969dcf3bb496dd77944971f23b2610c6436648996b5a7228578c89e2a6f4",
    );
    expect(toHex(rowMacDigest(fields))).toBe(
      "e720cd8ed60cefbdd3621736a69e483b0a52012e8fd97713215cdf78043641c4",
    );
  });

  const otherId = "0192f0c1-0000-7000-8000-00000000000f";
  const changes: [string, Partial<KeyRecord>, Partial<VersionRecord>][] = [
    ["tenant", { tenantId: otherId }, {}],
    ["key", { id: otherId }, {}],
    ["version", {}, { version: 2 }],
    ["public id", {}, { publicId: "000M9ODf6X0fx2" }],
    ["public id taken away", {}, { publicId: null }],
    ["prefix", { prefix: "kc_test" }, {}],
    ["digest", {}, { digest: new Uint8Array(32) }],
    ["digest taken away", {}, { digest: null }],
    ["scopes", { scopes: ["read", "orders:write", "admin"] }, {}],
    ["order of scopes", { scopes: ["orders:write", "read"] }, {}],
    ["scopes taken away", { scopes: [] }, {}],
    ["tier", { tier: "enterprise" }, {}],
    ["expiry", {}, { expiresAt: 1_800_000_000_001 }],
    ["expiry taken away", {}, { expiresAt: null }],
    ["end of grace", {}, { graceUntil: 0 }],
    ["owner", { owner: "app" }, {}],
    ["authorised services", { authorizedServices: ["billing"] }, {}],
  ];
  for (const [what, key, version] of changes) {
    it(`is another when the row's ${what} is changed`, () => {
      expect(macOf(key, version)).not.toBe(macOf({}, {}));
    });
  }

  it("is another for every kind, and covers the column that holds the kind's value", () => {
    const none = { digest: null, envelope: null, vaultReference: null };
    const values: [KeyRecord["kind"], Partial<VersionRecord>, Partial<VersionRecord>][] = [
      ["issued", { digest: new Uint8Array(32).fill(1) }, { digest: new Uint8Array(32).fill(2) }],
      ["provider", { envelope: new Uint8Array(200).fill(1) }, { envelope: new Uint8Array(200).fill(2) }],
      ["secret", { vaultReference: "https://v/secrets/a/1" }, { vaultReference: "https://v/secrets/a/2" }],
      ["encryption", { vaultReference: "https://v/keys/a/1" }, { vaultReference: "https://v/keys/a/2" }],
    ];
    const macs = values.flatMap(([kind, a, b]) =>
      [{}, a, b].map((value) => macOf({ kind }, { ...none, ...value })),
    );
    expect(new Set(macs).size).toBe(12);
  });

  it("covers an envelope by its SHA-256", () => {
    const envelope = new Uint8Array(200).fill(1);
    const fields = rowMacFields(keyRecord({ kind: "provider" }), versionRecord({ envelope }));
    expect(fields.value).toEqual(createHash("sha256").update(envelope).digest());
  });

  it("is the same whatever the state: acceptance takes a state as well as a MAC", () => {
    expect(macOf({ state: "revoked", revision: 9 }, { state: "rotated", pepperVersion: 2 })).toBe(
      macOf({}, {}),
    );
  });

  it("has another input for every other row: nothing runs from one field into the next", () => {
    const words = fc.array(fc.string({ maxLength: 6 }), { maxLength: 4 });
    const fields = fc.record({
      prefix: fc.option(fc.string({ maxLength: 6 })),
      scopes: words,
      tier: fc.option(fc.string({ maxLength: 6 })),
      authorizedServices: words,
      owner: fc.string({ maxLength: 6 }),
    });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const inputs = [a, b].map((change) =>
          toHex(rowMacInput(rowMacFields(keyRecord(change), versionRecord()))),
        );
        expect(inputs[0] === inputs[1]).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    expect(macOf({ scopes: ["ab", "c"] }, {})).not.toBe(macOf({ scopes: ["a", "bc"] }, {}));
    expect(macOf({ scopes: [""] }, {})).not.toBe(macOf({ scopes: [] }, {}));
    expect(macOf({ tier: null }, {})).not.toBe(macOf({ tier: "" }, {}));
    expect(macOf({ scopes: ["x"], authorizedServices: [] }, {})).not.toBe(
      macOf({ scopes: [], authorizedServices: ["x"] }, {}),
    );
  });

  it("refuses ids and numbers that keyctl never writes", () => {
    expect(codeOf(() => macOf({ tenantId: "default" }, {}))).toBe("integrity");
    for (const number of [-1, 1.5, Number.NaN, 2 ** 60]) {
      expect(codeOf(() => macOf({}, { version: number }))).toBe("integrity");
      expect(codeOf(() => macOf({}, { expiresAt: number }))).toBe("integrity");
    }
  });
});
