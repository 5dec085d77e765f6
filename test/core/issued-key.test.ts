import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase62 } from "../../src/core/base62.ts";
import {
  assertPrefix,
  formatIssuedKey,
  formatPublicId,
  parseIssuedKey,
  parsePublicId,
} from "../../src/core/issued-key.ts";
import { Secret } from "../../src/core/secret.ts";
import { exampleKey, exampleText, hex, id10, publicId, secret24 } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const prefixes = fc.stringMatching(/^[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,2}$/);
const parts = fc.record({
  prefix: prefixes,
  id10: fc.uint8Array({ minLength: 10, maxLength: 10 }),
  secret24: fc.uint8Array({ minLength: 24, maxLength: 24 }),
});

function textOf(secret: Secret): string {
  return Buffer.from(secret.reveal()).toString("latin1");
}

/** A text with a right checksum, so that only what is before it can be what is refused. */
function withChecksum(body: string): string {
  return body + encodeBase62(hex(crc32(body).toString(16).padStart(8, "0")), 6);
}

describe("issued key", () => {
  it("is the documented example for the documented bytes, and the other way round", () => {
    expect(textOf(exampleKey())).toBe(exampleText);
    const parsed = parseIssuedKey(exampleText);
    expect(parsed).toMatchObject({ prefix: "kc_live", publicId, id10 });
    expect(parsed?.secret24.equals(Secret.fromBytes(secret24))).toBe(true);
    expect(formatPublicId(id10)).toBe(publicId);
    expect(parsePublicId(publicId)).toEqual(id10);
  });

  it("comes back from its text, for every prefix and all bytes, as text and as secret", () => {
    fc.assert(
      fc.property(parts, (given) => {
        const key = formatIssuedKey(given);
        for (const form of [key, textOf(key)]) {
          const parsed = parseIssuedKey(form);
          expect(parsed).toMatchObject({ prefix: given.prefix, id10: given.id10 });
          expect(parsed?.secret24.equals(Secret.fromBytes(given.secret24))).toBe(true);
        }
      }),
    );
  });

  it("is refused when any one character of it is another", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: exampleText.length - 1 }),
        fc.string({ minLength: 1, maxLength: 1 }),
        (place, other) => {
          fc.pre(exampleText.charAt(place) !== other);
          expect(parseIssuedKey(exampleText.slice(0, place) + other + exampleText.slice(place + 1))).toBe(
            null,
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("is refused when two neighbours are swapped, when it is cut, and with anything around it", () => {
    for (let place = 0; place < exampleText.length - 1; place++) {
      const [a, b] = [exampleText.charAt(place), exampleText.charAt(place + 1)];
      if (a !== b)
        expect(parseIssuedKey(exampleText.slice(0, place) + b + a + exampleText.slice(place + 2))).toBe(null);
    }
    for (let length = 0; length < exampleText.length; length++)
      expect(parseIssuedKey(exampleText.slice(0, length))).toBe(null);
    for (const text of [
      `${exampleText}\n`,
      ` ${exampleText}`,
      `${exampleText}.`,
      `.${exampleText}`,
      exampleText + exampleText,
    ]) {
      expect(parseIssuedKey(text)).toBe(null);
    }
  });

  it("is refused with values out of range, even under a right checksum", () => {
    const secret33 = encodeBase62(secret24, 33);
    expect(parseIssuedKey(withChecksum(`kc_live.${publicId}.${secret33}`))).not.toBe(null);
    expect(parseIssuedKey(withChecksum(`kc_live.${"z".repeat(14)}.${secret33}`))).toBe(null);
    expect(parseIssuedKey(withChecksum(`kc_live.${publicId}.${"z".repeat(33)}`))).toBe(null);
    expect(parseIssuedKey(withChecksum(`kc_live.${publicId}0.${secret33.slice(1)}`))).toBe(null);
    expect(parseIssuedKey(withChecksum(`kc_live.${publicId}.${secret33}.`))).toBe(null);
    expect(parseIssuedKey(withChecksum(`kc_live.${publicId}.${secret33}000000.`))).toBe(null);
  });

  it("is refused with a prefix that none can have, even under a right checksum", () => {
    const rest = `.${publicId}.${encodeBase62(secret24, 33)}`;
    expect(parseIssuedKey(withChecksum(`${"k".repeat(32)}${rest}`))).not.toBe(null);
    for (const prefix of [
      "",
      "Kc",
      "1kc",
      "kc_",
      "_kc",
      "kc__live",
      "kc-live",
      "k c",
      "k\u0441",
      "k".repeat(33),
    ]) {
      expect(parseIssuedKey(withChecksum(prefix + rest))).toBe(null);
      expect(codeOf(() => assertPrefix(prefix))).toBe("usage");
    }
  });

  it("never crashes on any text or bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => parseIssuedKey(text) === null),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => parseIssuedKey(Secret.fromBytes(bytes)) === null,
      ),
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => parsePublicId(text)?.length !== 0));
  });

  it("is not made from too few or too many bytes, or with a bad prefix", () => {
    expect(codeOf(() => formatIssuedKey({ prefix: "kc", id10: new Uint8Array(9), secret24 }))).toBe(
      "failure",
    );
    expect(codeOf(() => formatIssuedKey({ prefix: "kc", id10, secret24: new Uint8Array(25) }))).toBe(
      "failure",
    );
    expect(codeOf(() => formatIssuedKey({ prefix: "KC", id10, secret24 }))).toBe("usage");
  });

  it("shows nothing of the secret when the parts are printed", () => {
    const shown = JSON.stringify(parseIssuedKey(exampleText));
    expect(shown).toContain("[redacted]");
    expect(shown).not.toContain("17,34,51");
  });
});
