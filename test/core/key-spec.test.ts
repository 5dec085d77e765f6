import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { algorithms, assertOwner, kindFields } from "../../src/core/key-spec.ts";
import type { KindSpec } from "../../src/core/key-spec.ts";
import { encryptionTypes, keyKinds, secretTypes } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const empty = {
  prefix: null,
  tier: null,
  scopes: [],
  provider: null,
  preferredModel: null,
  type: null,
  algorithm: null,
  purpose: null,
  authorizedServices: [],
  accessPolicy: null,
};

/** The least that each kind needs. */
const least: Record<KeyKind, KindSpec> = {
  issued: {},
  provider: { provider: "openai" },
  secret: { type: "db-credential" },
  encryption: { type: "PHI_DATA" },
};

const flags: { field: keyof KindSpec; value: string | string[]; kinds: KeyKind[]; flag: string }[] = [
  { field: "prefix", value: "kc_test", kinds: ["issued"], flag: "--prefix" },
  { field: "tier", value: "premium", kinds: ["issued"], flag: "--tier" },
  { field: "scopes", value: ["read"], kinds: ["issued"], flag: "--scopes" },
  { field: "provider", value: "groq", kinds: ["provider"], flag: "--provider" },
  { field: "preferredModel", value: "large", kinds: ["provider"], flag: "--preferred-model" },
  { field: "algorithm", value: "AES-256-GCM-SIV", kinds: ["encryption"], flag: "--algorithm" },
  { field: "purpose", value: "backups", kinds: ["encryption"], flag: "--purpose" },
  {
    field: "authorizedServices",
    value: ["billing"],
    kinds: ["provider", "secret", "encryption"],
    flag: "--authorized-service",
  },
  {
    field: "accessPolicy",
    value: "strict",
    kinds: ["provider", "secret", "encryption"],
    flag: "--access-policy",
  },
];

describe("the fields of a new key", () => {
  it("have the kind's defaults and nothing of other kinds", () => {
    expect(kindFields("issued", least.issued)).toEqual({ ...empty, prefix: "kc_live", tier: "basic" });
    expect(kindFields("provider", least.provider)).toEqual({ ...empty, provider: "openai" });
    expect(kindFields("secret", least.secret)).toEqual({ ...empty, type: "db-credential" });
    expect(kindFields("encryption", least.encryption)).toEqual({
      ...empty,
      type: "PHI_DATA",
      algorithm: "AES-256-GCM",
    });
  });

  it("are taken where the kind has them, and refused by the flag's name where it has not", () => {
    for (const { field, value, kinds, flag } of flags) {
      for (const kind of keyKinds) {
        const spec: KindSpec = { ...least[kind], [field]: value };
        if (kinds.includes(kind)) expect(kindFields(kind, spec)[field]).toEqual(value);
        else
          expect(refusalOf(() => kindFields(kind, spec))?.message).toBe(
            `${flag} does not go with --kind ${kind}`,
          );
      }
    }
    expect(codeOf(() => kindFields("issued", { type: "api-key" }))).toBe("usage");
    expect(codeOf(() => kindFields("provider", { ...least.provider, type: "api-key" }))).toBe("usage");
  });

  it("may be said empty for a kind that does not have them", () => {
    expect(kindFields("secret", { ...least.secret, scopes: [], prefix: null, tier: undefined })).toEqual({
      ...empty,
      type: "db-credential",
    });
  });
});

describe("an issued key's tier, prefix and scopes", () => {
  it("are one of the tiers and a prefix that can stand in a key", () => {
    expect(refusalOf(() => kindFields("issued", { tier: "gold" }))?.hint).toBe(
      "one of basic, premium, enterprise",
    );
    expect(codeOf(() => kindFields("issued", { tier: "constructor" }))).toBe("usage");
    expect(codeOf(() => kindFields("issued", { prefix: "Bad.Prefix" }))).toBe("usage");
  });

  it("keep each scope once, in the order said", () => {
    const scopes = ["read", "orders:write", "read", "a.b/c*-_"];
    expect(kindFields("issued", { scopes }).scopes).toEqual(["read", "orders:write", "a.b/c*-_"]);
  });

  it("refuse a scope that could break a list, a line or a terminal", () => {
    for (const scope of ["", "a b", "a,b", "-a", "*", "a\n", "\u001b[31m", "ä", "x".repeat(101)]) {
      expect(
        codeOf(() => kindFields("issued", { scopes: ["read", scope] })),
        scope,
      ).toBe("usage");
    }
    expect(kindFields("issued", { scopes: ["x".repeat(100)] }).scopes).toHaveLength(1);
  });
});

describe("types, providers and algorithms", () => {
  it("are known names, typed in any case and kept as they are written", () => {
    for (const type of secretTypes) {
      expect(kindFields("secret", { type: type.toUpperCase() }).type).toBe(type);
    }
    for (const type of encryptionTypes) {
      expect(kindFields("encryption", { type: type.toLowerCase() }).type).toBe(type);
    }
    for (const algorithm of algorithms) {
      const spec = { ...least.encryption, algorithm: algorithm.toLowerCase() };
      expect(kindFields("encryption", spec).algorithm).toBe(algorithm);
    }
  });

  it("are refused with the list of what they can be, and without what was typed", () => {
    for (const [kind, known] of [
      ["secret", secretTypes],
      ["encryption", encryptionTypes],
    ] as const) {
      expect(refusalOf(() => kindFields(kind, {}))).toMatchObject({
        code: "usage",
        message: "--type is missing",
        hint: `one of ${known.join(", ")}`,
      });
      const wrong = refusalOf(() => kindFields(kind, { type: "mistyped" }));
      expect(wrong?.message).toBe("--type has a value that is none of its own");
    }
    expect(codeOf(() => kindFields("encryption", { ...least.encryption, algorithm: "ROT13" }))).toBe("usage");
  });

  it("need a provider's name in lower case", () => {
    for (const provider of [undefined, null, "", "OpenAI", "-x", "a b", "a_b", "x".repeat(41)]) {
      expect(
        codeOf(() => kindFields("provider", { provider })),
        String(provider),
      ).toBe("usage");
    }
    expect(kindFields("provider", { provider: "x".repeat(40) }).provider).toHaveLength(40);
  });

  it("are a record or a usage error for any text in any field", () => {
    const text = fc.option(fc.string({ unit: "binary" }), { nil: null });
    const spec = fc.record(
      {
        prefix: text,
        tier: text,
        scopes: fc.array(fc.string()),
        provider: text,
        preferredModel: text,
        type: text,
        algorithm: text,
        purpose: text,
        authorizedServices: fc.array(fc.string()),
        accessPolicy: text,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...keyKinds), spec, (kind, given) => {
        expect(["usage", null]).toContain(codeOf(() => kindFields(kind, given)));
      }),
    );
  });
});

describe("an owner", () => {
  it("is the app, the company or a user by id", () => {
    for (const owner of ["app", "company", "user:42", "user:mia@example.org", `user:${"x".repeat(128)}`]) {
      expect(
        codeOf(() => assertOwner(owner)),
        owner,
      ).toBeNull();
    }
  });

  it("is nothing else", () => {
    for (const owner of [
      "",
      "App",
      "user",
      "user:",
      "user:-x",
      "user:a b",
      "app\n",
      "user:a\n",
      `user:${"x".repeat(129)}`,
    ]) {
      expect(
        codeOf(() => assertOwner(owner)),
        owner,
      ).toBe("usage");
    }
  });
});
