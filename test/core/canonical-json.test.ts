import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, jsonDepthMax } from "../../src/core/canonical-json.ts";
import type { JsonValue } from "../../src/core/canonical-json.ts";
import { Secret } from "../../src/core/secret.ts";
import { codeOf } from "./refusal.ts";

describe("canonical JSON", () => {
  it("writes the example of RFC 8785 §3.2.2", () => {
    const text =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts names by UTF-16 code units, as RFC 8785 §3.2.3 does", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\u{1f600}": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const written = [...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name?.split(" ")[0]);
    expect(written).toEqual(["Carriage", "One", "Control", "Latin", "Euro", "Emoji:", "Hebrew"]);
  });

  it("writes numbers as RFC 8785 appendix B does", () => {
    const samples: [number, string][] = [
      [-0, "0"],
      [5e-324, "5e-324"],
      [-1.7976931348623157e308, "-1.7976931348623157e+308"],
      [9007199254740992, "9007199254740992"],
      [1e21, "1e+21"],
      [999999999999999900000, "999999999999999900000"],
      [0.000001, "0.000001"],
      [9.999999999999997e-7, "9.999999999999997e-7"],
    ];
    for (const [value, text] of samples) expect(canonicalJson(value)).toBe(text);
  });

  it("is read by any JSON parser as the same value, and has one spelling whatever the order of names", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "medium" }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
        const text = canonicalJson(plain);
        expect(JSON.parse(text)).toEqual(plain);
        expect(canonicalJson(reversed(plain))).toBe(text);
        expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(text);
      }),
    );
  });

  it("refuses what JSON cannot carry, instead of writing something else", () => {
    const refused: unknown[] = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      undefined,
      { a: undefined },
      [undefined],
      Array(1),
      1n,
      Symbol("s"),
      () => 1,
      new Date(0),
      new Map(),
      Secret.fromUtf8("plaintext"),
      { nested: Secret.fromUtf8("plaintext") },
    ];
    for (const value of refused) expect(codeOf(() => canonicalJson(value as JsonValue))).toBe("usage");
  });

  it("refuses half of a surrogate pair, in a text and in a name", () => {
    for (const half of ["\ud83d", "\ude00", "a\ud83db"]) {
      expect(codeOf(() => canonicalJson(half))).toBe("usage");
      expect(codeOf(() => canonicalJson({ [half]: 1 }))).toBe("usage");
    }
  });

  it("refuses nesting that would exhaust the stack, and a circle", () => {
    const nested = (depth: number): JsonValue =>
      JSON.parse("[".repeat(depth) + "]".repeat(depth)) as JsonValue;
    expect(codeOf(() => canonicalJson(nested(jsonDepthMax + 1)))).toBe(null);
    expect(codeOf(() => canonicalJson(nested(jsonDepthMax + 2)))).toBe("usage");
    expect(codeOf(() => canonicalJson(nested(100_000)))).toBe("usage");
    const circle: { self?: JsonValue } = {};
    circle.self = circle as JsonValue;
    expect(codeOf(() => canonicalJson(circle as JsonValue))).toBe("usage");
  });

  it("keeps a name that JavaScript treats specially", () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1,"a":2}') as JsonValue)).toBe('{"__proto__":1,"a":2}');
  });
});

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => reversed(item));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(([name, member]): [string, JsonValue] => [
    name,
    reversed(member),
  ]);
  return Object.fromEntries(members.toReversed());
}
