import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gcmSeal } from "../../src/core/aes-gcm.ts";
import { openEnvelope, parseEnvelopeHeader, sealEnvelope } from "../../src/core/envelope.ts";
import type { SealInput } from "../../src/core/envelope.ts";
import { hkdf } from "../../src/core/hkdf.ts";
import { Secret } from "../../src/core/secret.ts";
import { toHex } from "./known-values.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const context = {
  table: "provider_key",
  column: "secret",
  tenant16: filled(0xaa, 16),
  row16: filled(0xbb, 16),
  version: 1n,
};
const keys = { dek: filled(0x11, 32), kAuth: filled(0x22, 32) };
const input: SealInput = {
  ...keys,
  kAuthVersion: 1,
  context,
  plaintext: Secret.fromUtf8("hello"),
  random: { salt32: filled(0x33, 32), nonce12: filled(0x44, 12) },
};
const sealed = sealEnvelope(input);

describe("envelope KCE1", () => {
  it("is the known answer", () => {
    expect(toHex(sealed)).toBe(
      `${toHex(Buffer.from("KCE1"))}01010000${"33".repeat(32)}` +
        "4b099733b26b0cdd3e3d6988ac32d57b8ec6b6e98fa290a56e3da51774de02e6" +
        `${"44".repeat(12)}00000005fd7653f2bc892a223e354ad993b263fab4cae8c449`,
    );
    expect(openEnvelope({ ...keys, bytes: sealed, context }).equals(input.plaintext)).toBe(true);
  });

  it("names the version of K_auth that opens it", () => {
    const header = parseEnvelopeHeader(sealEnvelope({ ...input, kAuthVersion: 255 }));
    expect(header).toMatchObject({
      kAuthVersion: 255,
      ciphertextLength: 5,
      salt: input.random.salt32,
      nonce: input.random.nonce12,
    });
  });

  it("gives back every plaintext, of any length, in every place", () => {
    const places = fc.record({
      table: fc.string(),
      column: fc.string(),
      version: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), places, (bytes, place) => {
        const plaintext = Secret.fromBytes(bytes);
        const where = { ...context, ...place };
        const envelope = sealEnvelope({ ...input, plaintext, context: where });
        expect(envelope.length).toBe(bytes.length + 104);
        expect(openEnvelope({ ...keys, bytes: envelope, context: where }).equals(plaintext)).toBe(true);
      }),
    );
  });

  it("does not open when any single bit of it is another", () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const bytes = sealed.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(codeOf(() => openEnvelope({ ...keys, bytes, context }))).toBe("integrity");
    }
  });

  it("does not open when it is cut or made longer", () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => openEnvelope({ ...keys, bytes: sealed.subarray(0, length), context }))).toBe(
        "integrity",
      );
    }
    const longer = Uint8Array.from([...sealed, 0]);
    expect(codeOf(() => openEnvelope({ ...keys, bytes: longer, context }))).toBe("integrity");
  });

  const moved = {
    table: { ...context, table: "provider_keys" },
    column: { ...context, column: "secrets" },
    "table and column with the border moved": { ...context, table: "provider_keys", column: "ecret" },
    tenant: { ...context, tenant16: filled(0xab, 16) },
    row: { ...context, row16: filled(0xba, 16) },
    version: { ...context, version: 2n },
  };
  for (const [what, place] of Object.entries(moved)) {
    it(`does not open in another ${what}`, () => {
      expect(codeOf(() => openEnvelope({ ...keys, bytes: sealed, context: place }))).toBe("integrity");
    });
  }

  it("does not open under another data key, nor under another K_auth", () => {
    expect(codeOf(() => openEnvelope({ ...keys, dek: filled(0x12, 32), bytes: sealed, context }))).toBe(
      "integrity",
    );
    expect(codeOf(() => openEnvelope({ ...keys, kAuth: filled(0x21, 32), bytes: sealed, context }))).toBe(
      "integrity",
    );
    expect(codeOf(() => openEnvelope({ ...keys, dek: filled(0x11, 31), bytes: sealed, context }))).toBe(
      "integrity",
    );
    expect(codeOf(() => openEnvelope({ ...keys, kAuth: filled(0x22, 64), bytes: sealed, context }))).toBe(
      "integrity",
    );
  });

  it("does not open without its commitment, even when the tag agrees", () => {
    // What who holds the keys could make, to have one ciphertext open under two of them.
    const header = sealed.map((byte, index) => (index >= 40 && index < 72 ? 0 : byte)).subarray(0, 88);
    const salt = input.random.salt32;
    const ikm = Buffer.concat([keys.dek, keys.kAuth]);
    const key = hkdf({ hash: "sha512", ikm, salt, info: "KCE1\u0001DERIVEKEY", lengthBytes: 32 });
    const place = Buffer.from("KCE1-CTX\0\0\u000cprovider_key\0\u0006secret");
    const version = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
    const seal = (start: Uint8Array): Uint8Array => {
      const associatedData = Buffer.concat([start, place, context.tenant16, context.row16, version]);
      return Buffer.concat([
        start,
        gcmSeal({ key, nonce: input.random.nonce12, associatedData }, Buffer.from("hello")),
      ]);
    };
    expect(toHex(seal(sealed.subarray(0, 88)))).toBe(toHex(sealed));
    expect(codeOf(() => openEnvelope({ ...keys, bytes: seal(header), context }))).toBe("integrity");
  });

  it("refuses another magic, suite or K_auth version 0, and anything where zeros must stand, as an unknown form", () => {
    for (const place of [0, 3, 4, 6, 7, 84, 87]) {
      const bytes = sealed.map((byte, index) => (index === place ? byte + 1 : byte));
      expect(refusalOf(() => parseEnvelopeHeader(bytes))?.message).toContain("form");
    }
    const versionless = sealed.map((byte, index) => (index === 5 ? 0 : byte));
    expect(refusalOf(() => parseEnvelopeHeader(versionless))?.message).toContain("form");
  });

  it("refuses any bytes without crashing, also behind a right beginning", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 88 }), (bytes, kept) => {
        const hostile = Uint8Array.from([...sealed.subarray(0, kept), ...bytes]);
        expect(codeOf(() => openEnvelope({ ...keys, bytes: hostile, context }))).toBe("integrity");
      }),
    );
  });

  it("is not sealed with keys, chance or a place of the wrong size", () => {
    const wrong: Partial<SealInput>[] = [
      { kAuthVersion: 0 },
      { kAuthVersion: 256 },
      { kAuthVersion: 1.5 },
      { random: { salt32: filled(1, 31), nonce12: filled(1, 12) } },
      { random: { salt32: filled(1, 32), nonce12: filled(1, 16) } },
      { context: { ...context, tenant16: filled(1, 15) } },
      { context: { ...context, row16: filled(1, 17) } },
      { context: { ...context, version: -1n } },
      { context: { ...context, version: 2n ** 64n } },
      { context: { ...context, table: "t".repeat(65_536) } },
    ];
    for (const change of wrong) expect(codeOf(() => sealEnvelope({ ...input, ...change }))).toBe("failure");
    expect(codeOf(() => sealEnvelope({ ...input, dek: filled(1, 16) }))).toBe("integrity");
  });
});
