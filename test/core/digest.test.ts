import { describe, expect, it } from "vitest";
import { digestMatches, digestOf, dummyDigest } from "../../src/core/digest.ts";
import { deriveKeys } from "../../src/core/root-keys.ts";
import { Secret } from "../../src/core/secret.ts";
import { id10, pepper, secret24, tenant16, toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const { verifierKey } = deriveKeys(pepper);
const input = { tenant16, prefix: "kc_live", id10, secret24 };

describe("digest of an issued key", () => {
  it("is the known answer, from bytes and from a secret", () => {
    const known = "fa5f3ef5821fd9b74592c4288c4fbaa07807b09070f5d2987e85b9bf601251ac";
    expect(toHex(digestOf(verifierKey, input))).toBe(known);
    expect(toHex(digestOf(verifierKey, { ...input, secret24: Secret.fromBytes(secret24) }))).toBe(known);
  });

  it("is another for another tenant, prefix, id, secret or pepper", () => {
    const changed = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
    const others = [
      digestOf(verifierKey, { ...input, tenant16: changed(tenant16) }),
      digestOf(verifierKey, { ...input, prefix: "kc_test" }),
      digestOf(verifierKey, { ...input, id10: changed(id10) }),
      digestOf(verifierKey, { ...input, secret24: changed(secret24) }),
      digestOf(changed(verifierKey), input),
    ];
    for (const other of others) expect(digestMatches(other, digestOf(verifierKey, input))).toBe(false);
  });

  it("matches itself only, and never a row without a digest or with half of one", () => {
    const digest = digestOf(verifierKey, input);
    expect(digestMatches(digest, Uint8Array.from(digest))).toBe(true);
    expect(digestMatches(digest, null)).toBe(false);
    expect(digestMatches(digest, digest.subarray(1))).toBe(false);
    expect(digestMatches(digest, new Uint8Array(0))).toBe(false);
  });

  it("answers no for an id that no row has", () => {
    expect(dummyDigest(verifierKey)).toBe(false);
  });

  it("is not made from parts of the wrong size", () => {
    const wrong = [
      { ...input, tenant16: new Uint8Array(15) },
      { ...input, prefix: "k".repeat(256) },
      { ...input, id10: new Uint8Array(11) },
      { ...input, secret24: new Uint8Array(23) },
    ];
    for (const parts of wrong) expect(codeOf(() => digestOf(verifierKey, parts))).toBe("failure");
  });
});
