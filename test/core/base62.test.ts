import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase62, encodeBase62 } from "../../src/core/base62.ts";
import { hex, toHex } from "./known-values.ts";

const widths = [
  { bytes: 10, characters: 14 },
  { bytes: 24, characters: 33 },
  { bytes: 4, characters: 6 },
];
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The same in big integers, to compare with. */
function slowly(value: bigint, width: number): string {
  let text = "";
  for (let rest = value; text.length < width; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text;
}

describe("base 62", () => {
  it("counts 0-9, A-Z, a-z, most significant first, padded with 0", () => {
    expect(encodeBase62(hex("000000000000000000" + "3d"), 14)).toBe("0000000000000z");
    expect(encodeBase62(hex("000000000000000000" + "3e"), 14)).toBe("00000000000010");
    expect(encodeBase62(hex("0000000a"), 6)).toBe("00000A");
  });

  for (const { bytes, characters } of widths) {
    it(`takes every value of ${bytes} bytes to ${characters} characters and back`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: bytes, maxLength: bytes }), (value) => {
          const text = encodeBase62(value, characters);
          expect(text).toBe(slowly(BigInt(`0x${toHex(value)}`), characters));
          expect(decodeBase62(text, bytes)).toEqual(value);
        }),
      );
    });

    it(`refuses from 2^${bytes * 8} on, to the last bit`, () => {
      const end = 1n << BigInt(bytes * 8);
      expect(decodeBase62(slowly(end - 1n, characters), bytes)).toEqual(new Uint8Array(bytes).fill(255));
      for (const value of [end, end + 1n, 62n ** BigInt(characters) - 1n]) {
        expect(decodeBase62(slowly(value, characters), bytes)).toBe(null);
      }
    });
  }

  it("refuses every character that is not of the alphabet", () => {
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code);
      expect(decodeBase62(`00000${character}`, 4) === null).toBe(!alphabet.includes(character));
    }
  });

  it("never crashes on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 30 }), (text, length) => {
        const bytes = decodeBase62(text, length);
        expect(bytes === null || bytes.length === length).toBe(true);
      }),
    );
  });
});
