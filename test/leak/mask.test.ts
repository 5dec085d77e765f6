import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { Masker, maskPatterns } from "../../src/leak/mask.ts";
import { secretForms } from "../../src/leak/secret-forms.ts";

const mark = "[redacted]";

/** All that comes out of a stream that comes in these pieces. */
function masked(secrets: readonly Uint8Array[], pieces: readonly Uint8Array[]): Buffer {
  const masker = new Masker(maskPatterns(secrets.map((bytes) => Secret.fromBytes(bytes))));
  const parts = pieces.map((piece) => Uint8Array.from(masker.write(piece)));
  return Buffer.concat([...parts, masker.finish()]);
}

function maskedText(secret: string, text: string): string {
  return masked([Buffer.from(secret)], [Buffer.from(text)]).toString();
}

/** What it should be, done slowly: every place of every form, with what overlaps or touches taken together. */
function expectedOf(secrets: readonly Uint8Array[], text: Buffer): Buffer {
  const hidden = Array.from(text, () => false);
  for (const form of secrets.flatMap((bytes) => secretForms(Secret.fromBytes(bytes)))) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
      hidden.fill(true, at, at + form.length);
    }
  }
  const parts: Buffer[] = [];
  for (let i = 0; i < text.length; i++) {
    if (!hidden[i]) parts.push(text.subarray(i, i + 1));
    else if (i === 0 || !hidden[i - 1]) parts.push(Buffer.from(mark));
  }
  return Buffer.concat(parts);
}

/** Few letters, so that secrets overlap with each other and with themselves. */
const letters = fc.constantFrom(0x61, 0x62, 0x0a, 0x2b);
const secretBytes = fc.uint8Array({ minLength: 8, maxLength: 24 });
const tightBytes = fc.array(letters, { minLength: 8, maxLength: 14 }).map((bytes) => Uint8Array.from(bytes));
const secretLists = fc.array(fc.oneof(secretBytes, tightBytes), { minLength: 1, maxLength: 3 });

/** A text made of forms of the secrets, whole and cut, and of noise in between. */
const scenes = secretLists.chain((secrets) => {
  const forms = secrets.flatMap((bytes) => secretForms(Secret.fromBytes(bytes)));
  const form = fc.constantFrom(...forms);
  const cut = fc
    .tuple(form, fc.nat(), fc.nat())
    .map(([bytes, from, to]) => bytes.subarray(from % bytes.length, 1 + (to % bytes.length)));
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.array(letters, { maxLength: 20 }).map((bytes) => Uint8Array.from(bytes)),
  );
  const text = fc.array(fc.oneof(form, cut, noise), { maxLength: 12 }).map((parts) => Buffer.concat(parts));
  return fc.record({ secrets: fc.constant(secrets), text });
});

function cutInto(text: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return at.slice(1).map((end, i) => text.subarray(at[i], end));
}

describe("the masker", () => {
  it("masks every form of every secret, however the stream comes in pieces", () => {
    fc.assert(
      fc.property(scenes, fc.array(fc.nat(), { maxLength: 30 }), ({ secrets, text }, cuts) => {
        const expected = expectedOf(secrets, text).toString("latin1");
        expect(masked(secrets, [text]).toString("latin1")).toBe(expected);
        expect(masked(secrets, cutInto(text, cuts)).toString("latin1")).toBe(expected);
        expect(
          masked(
            secrets,
            [...text].map((byte) => Uint8Array.of(byte)),
          ).toString("latin1"),
        ).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("holds back nothing but what may be the beginning of a secret", () => {
    fc.assert(
      fc.property(scenes, ({ secrets, text }) => {
        const forms = secrets.flatMap((bytes) => secretForms(Secret.fromBytes(bytes)));
        const masker = new Masker(maskPatterns(secrets.map((bytes) => Secret.fromBytes(bytes))));
        let read = Buffer.alloc(0);
        let seen = 0;
        for (const byte of text) {
          read = Buffer.concat([read, Uint8Array.of(byte)]);
          seen += masker.write(Uint8Array.of(byte)).length;
          if (seen === expectedOf(secrets, read).length) continue;
          const ends = (count: number): boolean =>
            forms.some((form) =>
              Buffer.from(form.subarray(0, count)).equals(read.subarray(read.length - count)),
            );
          expect(Array.from({ length: read.length }, (_, i) => i + 1).some(ends)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("lets a prompt through at once: it need not end with a newline", () => {
    const masker = new Masker(maskPatterns([Secret.fromUtf8("correct horse battery")]));
    expect(Buffer.from(masker.write(Buffer.from("Name: "))).toString()).toBe("Name: ");
  });

  it("leaves bytes without a secret as they are, whatever they are", () => {
    const bytes = randomBytes(300_000);
    const pieces = [bytes.subarray(0, 100_001), bytes.subarray(100_001)];
    expect(masked([Buffer.from("correct horse battery")], pieces).equals(bytes)).toBe(true);
  });

  it("masks a secret as large as a vault takes, whole and in its encodings", () => {
    const secret = randomBytes(25 * 1024);
    for (const form of [secret, Buffer.from(secret.toString("base64")), Buffer.from(secret.toString("hex"))])
      expect(masked([secret], [Buffer.from("<"), form, Buffer.from(">")]).toString("latin1")).toBe(
        `<${mark}>`,
      );
  });
});

describe("a secret is masked", () => {
  const secret = 'p@ss+w/rd=ü"1<&>';

  it("in base64, wherever it begins in it, and in the alphabet of URLs", () => {
    const forms = ["", "a", "ab"].flatMap((before) => {
      const text = Buffer.from(`${before}${secret}`).toString("base64");
      return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
    });
    for (const form of forms) {
      const left = maskedText(secret, form).replace(mark, "");
      expect(left.length, form).toBeLessThanOrEqual(3);
    }
  });

  it("in base64 that a tool broke into lines", () => {
    const long = randomBytes(200);
    for (const columns of [64, 76]) {
      const lines = long.toString("base64").match(new RegExp(`.{1,${columns}}`, "g")) ?? [];
      const left = masked([long], [Buffer.from(lines.join("\n"))]).toString();
      expect(left.replaceAll(mark, "").trim()).toBe("");
    }
  });

  it.each([
    ["hex", Buffer.from(secret).toString("hex")],
    ["HEX", Buffer.from(secret).toString("hex").toUpperCase()],
    ["a URL", encodeURIComponent(secret)],
    ["a URL in lower case", encodeURIComponent(secret).replaceAll(/%../g, (found) => found.toLowerCase())],
    ["a form", new URLSearchParams({ a: `${secret} x` }).toString().slice(2, -2)],
    ["a JSON string", JSON.stringify(secret).slice(1, -1)],
    ["JSON of Python", String.raw`p@ss+w/rd=\u00fc\"1<&>`],
    ["JSON of PHP", String.raw`p@ss+w\/rd=\u00fc\"1<&>`],
    ["JSON of Go", String.raw`p@ss+w/rd=ü\"1\u003c\u0026\u003e`],
  ])("in %s", (_how, form) => {
    expect(maskedText(secret, `<${form}>`)).toBe(`<${mark}>`);
  });

  it("line by line when it has many, and short lines are left", () => {
    const lines = ["-----BEGIN X-----", "AAAABBBBCCCC", "short", "DDDDEEEEFFFF"];
    expect(maskedText(lines.join("\n"), `${lines.join("\n")}!`)).toBe(`${mark}!`);
    expect(maskedText(lines.join("\r\n"), "  AAAABBBBCCCC\nshort\n")).toBe(`  ${mark}\nshort\n`);
  });

  it("once where two of them touch or overlap", () => {
    expect(maskedText("abababab", "xababababababx")).toBe(`x${mark}x`);
    expect(maskedText("abcdefgh", "abcdefghabcdefgh")).toBe(mark);
  });
});
