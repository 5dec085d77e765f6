import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gcmOpen, gcmSeal } from "../../src/core/aes-gcm.ts";
import { toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const place = { key: new Uint8Array(32), nonce: new Uint8Array(12), associatedData: new Uint8Array(0) };

describe("AES-256-GCM", () => {
  it("is test case 14 of the specification by McGrew and Viega", () => {
    const sealed = gcmSeal(place, new Uint8Array(16));
    expect(toHex(sealed)).toBe("cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919");
    expect(gcmOpen(place, sealed)).toEqual(new Uint8Array(16));
  });

  it("opens what it sealed, and nothing that was changed or cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (plaintext, where) => {
        const sealed = gcmSeal(place, plaintext);
        expect(gcmOpen(place, sealed)).toEqual(plaintext);
        const changed = sealed.map((byte, index) => (index === where % sealed.length ? byte ^ 1 : byte));
        expect(gcmOpen(place, changed)).toBe(null);
        expect(gcmOpen(place, sealed.subarray(0, where % sealed.length))).toBe(null);
        expect(gcmOpen({ ...place, associatedData: Uint8Array.of(0) }, sealed)).toBe(null);
      }),
    );
  });

  it("takes no other key or nonce size", () => {
    for (const wrong of [
      { ...place, key: new Uint8Array(16) },
      { ...place, nonce: new Uint8Array(16) },
    ]) {
      expect(codeOf(() => gcmSeal(wrong, new Uint8Array(1)))).toBe("failure");
      expect(codeOf(() => gcmOpen(wrong, new Uint8Array(17)))).toBe("failure");
    }
  });
});
