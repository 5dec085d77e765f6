import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  leakFingerprint,
  leakPayloadKey,
  leakTag,
  leakWindow,
  rollingBase,
  rollingHash,
} from "../../src/core/leak-tag.ts";
import { leakKey } from "../../src/core/root-keys.ts";
import { Secret } from "../../src/core/secret.ts";
import { exampleKey, exampleText, pepper, tenant16, toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const kLeak = leakKey(pepper, tenant16);
const known = "ed949dd2064d0f2b6653cfc4920b57031d5a6ee41f2e04ffdff0dc605039a89e";

describe("leak tag", () => {
  it("is the known answer for the exact bytes handed out, known as a secret or found in a text", () => {
    expect(toHex(leakTag(kLeak, exampleKey()))).toBe(known);
    expect(toHex(leakTag(kLeak, Buffer.from(exampleText)))).toBe(known);
  });

  it("gives the fingerprint and the payload key of the known answers", () => {
    const tag = leakTag(kLeak, exampleKey());
    expect(toHex(leakFingerprint(tag))).toBe(known.slice(0, 20));
    expect(toHex(leakPayloadKey(tag))).toBe(
      "9db401d270cb6f5e92619e6a9ac4693cebbbeca6733c6746c5d3e27bf6a7a6b5",
    );
  });

  it("is another for another tenant", () => {
    expect(leakTag(leakKey(pepper, new Uint8Array(16)), exampleKey())).not.toEqual(
      leakTag(kLeak, exampleKey()),
    );
  });
});

describe("rolling hash", () => {
  it("is the known answer, over the first 16 characters of an issued key's secret part", () => {
    const window = leakWindow(exampleKey(), "issued");
    expect(Buffer.from(window).toString()).toBe("002m5tuTuyngBseW");
    expect(rollingBase(kLeak)).toBe(1_693_389_171);
    expect(rollingHash(kLeak, window)).toBe(2_148_965_873);
  });

  it("is the known answer, over the first 16 bytes of any other secret", () => {
    const window = leakWindow(Secret.fromUtf8("correct horse battery"), "other");
    expect(Buffer.from(window).toString()).toBe("correct horse ba");
    expect(rollingHash(kLeak, window)).toBe(4_188_595_716);
  });

  it("is the sum of the format for every window, and its base is odd for every key", () => {
    const sized = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(sized(32), sized(16), (key, window) => {
        const base = BigInt(rollingBase(key));
        expect(base & 1n).toBe(1n);
        let sum = 0n;
        for (const [index, byte] of window.entries()) sum += BigInt(byte) * base ** BigInt(15 - index);
        expect(rollingHash(key, window)).toBe(Number(sum % (1n << 32n)));
      }),
    );
  });

  it("is not made for what must not have a tag", () => {
    expect(codeOf(() => leakWindow(Secret.fromUtf8("fifteen bytes.."), "other"))).toBe("failure");
    expect(codeOf(() => leakWindow(Secret.fromUtf8("not an issued key at all"), "issued"))).toBe("failure");
    expect(codeOf(() => rollingHash(kLeak, new Uint8Array(15)))).toBe("failure");
  });
});
