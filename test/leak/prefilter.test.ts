import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PairPrefilter, type Keyword } from "../../src/leak/prefilter.ts";

const keywords: Keyword[] = [
  { literal: "sk-", ignoreCase: false },
  { literal: "sk-proj-", ignoreCase: false },
  { literal: "Q~", ignoreCase: false },
  { literal: "abab", ignoreCase: false },
  { literal: "secret", ignoreCase: true },
  { literal: "t-secret", ignoreCase: true },
  { literal: ".", ignoreCase: false, also: { at: 3, byte: 0x2e } },
];

function naive(text: string, from: number, to: number): string[] {
  const found: string[] = [];
  for (const [id, keyword] of keywords.entries()) {
    const subject = keyword.ignoreCase ? text.toLowerCase() : text;
    for (let at = from; at < to; at += 1) {
      const partner =
        keyword.also === undefined || text.charCodeAt(at + keyword.also.at) === keyword.also.byte;
      if (subject.startsWith(keyword.literal, at) && partner) found.push(`${at}:${id}`);
    }
  }
  return found.toSorted();
}

function scan(filter: PairPrefilter, text: string, range: { from: number; to: number }): string[] {
  const found = filter.scan(Buffer.from(text, "latin1"), range.from, range.to);
  return Array.from(
    { length: found.count },
    (_, index) => `${found.positions[index]}:${found.keywords[index]}`,
  ).toSorted();
}

const piece = fc.constantFrom(
  "s",
  "k",
  "-",
  "sk-",
  "sk-proj-",
  "Q~",
  "ab",
  "SeCrEt",
  "secret",
  "t-",
  ".",
  "x",
  "..",
  "\u00ff",
  "\n",
);

describe("the prefilter", () => {
  const filter = new PairPrefilter(keywords);

  it("finds every keyword that begins in the range, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(), fc.nat(), (parts, first, second) => {
        const text = parts.join("");
        const from = text.length === 0 ? 0 : first % text.length;
        const to = Math.min(text.length, from + (second % (text.length + 1)));
        expect(scan(filter, text, { from, to })).toEqual(naive(text, from, to));
      }),
      { numRuns: 500 },
    );
  });

  it("finds keywords across its slices and more of them than its first list holds", () => {
    for (const text of ["sk-proj-.".repeat(12_000), "ab".repeat(40_000)]) {
      expect(scan(filter, text, { from: 0, to: text.length })).toEqual(naive(text, 0, text.length));
    }
  });

  it("finds nothing in nothing", () => {
    expect(scan(filter, "", { from: 0, to: 0 })).toEqual([]);
    expect(scan(new PairPrefilter([]), "secret", { from: 0, to: 6 })).toEqual([]);
    expect(scan(filter, "s", { from: 0, to: 1 })).toEqual([]);
  });
});
