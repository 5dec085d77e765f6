import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertName } from "../../src/core/key-name.ts";
import { encryptionTypes, keyKinds, secretTypes } from "../../src/core/model.ts";
import { followsNaming, suggestName, typeWords } from "../../src/core/naming.ts";
import type { NamedKey } from "../../src/core/naming.ts";

const database = { env: "prod", kind: "secret", type: "db-credential" } as const;

const keys: fc.Arbitrary<NamedKey> = fc
  .record({
    env: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
    kind: fc.constantFrom(...keyKinds),
    secret: fc.constantFrom(...secretTypes),
    encryption: fc.constantFrom(...encryptionTypes),
  })
  .map(({ env, name, kind, secret, encryption }) => {
    const type = kind === "secret" ? secret : kind === "encryption" ? encryption : null;
    return { env, name, kind, type };
  });

describe("the naming convention", () => {
  it.each([
    ["prod-orders-db", true],
    ["PROD-orders-db", true],
    ["prod-orders-eu-2-db", true],
    ["orders-db", false],
    ["dev-orders-db", false],
    ["prod-db", false],
    ["prod--db", false],
    ["prod-orders", false],
    ["prod-orders-api", false],
    ["prod-Orders-db", false],
    ["prod-or_ders-db", false],
    ["prod-orders-db-", false],
    ["prod", false],
  ])("of a database password in prod: %s is %s", (name, follows) => {
    expect(followsNaming({ ...database, name })).toBe(follows);
  });

  it.each([
    ["orders-db", "prod-orders-db"],
    ["orders", "prod-orders-db"],
    ["prod-orders", "prod-orders-db"],
    ["prod.orders.db", "prod-orders-db"],
    ["OrdersMain", "prod-orders-main-db"],
    ["orders_eu", "prod-orders-eu-db"],
    ["db", "prod-db-db"],
    ["prod", "prod-prod-db"],
    ["prod-_.", "prod-app-db"],
    ["prod-prod-db", "prod-prod-db"],
  ])("suggests for %s: %s", (name, suggested) => {
    expect(suggestName({ ...database, name })).toBe(suggested);
  });

  it("has a word for every kind and type, and the name tells one type of secret from another", () => {
    expect(typeWords({ kind: "issued", type: null })).toEqual(["api", "token"]);
    for (const [kind, types] of [
      ["secret", secretTypes],
      ["encryption", encryptionTypes],
    ] as const) {
      const words = types.flatMap((type) => typeWords({ kind, type }));
      expect(new Set(words).size).toBe(words.length);
    }
  });

  it("a suggestion follows the convention, is a name, and stays what it is when it is suggested for", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const suggested = suggestName(key);
        if (suggested === null) return key.env.length > 40;
        assertName("the suggestion", suggested);
        const next = { ...key, name: suggested };
        expect(followsNaming(next)).toBe(true);
        expect(suggestName(next)).toBe(suggested);
        return true;
      }),
      { numRuns: 2_000 },
    );
  });

  it("has nothing to suggest where the environment leaves no room", () => {
    expect(suggestName({ ...database, env: "e".repeat(63), name: "orders" })).toBeNull();
    expect(suggestName({ ...database, env: "e".repeat(58), name: "orders" })).toBe(`${"e".repeat(58)}-o-db`);
  });
});
