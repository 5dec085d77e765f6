import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { cleanText, csvField, printable, printableJson } from "../../src/cli/foreign-text.ts";
import { isCi, isColoured } from "../../src/cli/io.ts";
import { isoTime } from "../../src/core/iso-time.ts";
import { relativeTime } from "../../src/cli/render/times.ts";
import { nearestName } from "../../src/core/near-name.ts";
import { fakeIo } from "../fakes/io.ts";

// What a terminal obeys or hides; the test's own list, so that a hole in the code's shows.
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe("text from outside", () => {
  it("is printed without anything that a terminal obeys or hides", () => {
    expect(cleanText("a\nb\tc\u001b[2J\u009b\u202e\u200b\ufeff\u{e0041}")).toBe(
      "a\\nb\\tc\\u001b[2J\\u009b\\u202e\\u200b\\ufeff\\udb40\\udc41",
    );
    expect(cleanText("Grüße, 東京 🗝")).toBe("Grüße, 東京 🗝");
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (text) =>
          !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/u.test(cleanText(text)),
      ),
    );
  });

  it("gives a CI no command", () => {
    for (const text of ["::error::x", ":::x", "##[group]", "##vso[task.setvariable]", "##VSO[x]", "::::"]) {
      expect(printable(text, true)).not.toMatch(/::|##\[|##vso\[/i);
      expect(printable(text, false)).toBe(text);
    }
  });

  it("keeps its value in JSON and is safe to print there", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom("", "::a", "##[b", "##vso[c"),
        (text, more) => {
          const json = printableJson(JSON.stringify({ text: text + more }, null, 2), true);
          expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ text: text + more })));
          expect(json).not.toMatch(/::|##\[|##vso\[/i);
          expect(obeyed.test(json.replaceAll("\n", "").replaceAll(/\p{Cf}/gu, ""))).toBe(false);
        },
      ),
    );
  });

  it("starts no formula in a spreadsheet", () => {
    for (const text of ["=1", "+1", "-1", "@a", "\t=1", " =1", "\r=1"]) expect(csvField(text)).toMatch(/^"'/);
    expect(csvField('a"b')).toBe('"a""b"');
    expect(csvField("a,b")).toBe('"a,b"');
    expect(csvField("plain-text")).toBe("plain-text");
  });
});

describe("times", () => {
  it("are ISO 8601 for scripts and relative for people", () => {
    expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(isoTime(null)).toBeNull();
    const now = 1_000_000_000;
    expect(relativeTime(null, now)).toBe("-");
    expect(relativeTime(now + 400, now)).toBe("now");
    expect(relativeTime(now + 90 * 86_400_000, now)).toBe("in 90d");
    expect(relativeTime(now - 5_400_999, now)).toBe("1h30m ago");
  });
});

describe("the environment", () => {
  it("is a CI when it says so", () => {
    expect([isCi({}), isCi({ CI: "false" }), isCi({ CI: "0" }), isCi({ CI: "" })]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([isCi({ CI: "1" }), isCi({ TF_BUILD: "True" }), isCi({ GITHUB_ACTIONS: "true" })]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("decides about colour for each stream by itself", () => {
    const { stdout, stderr } = fakeIo({ terminal: { stderr: true } });
    expect([isColoured(stdout, {}), isColoured(stderr, {})]).toEqual([false, true]);
    expect(isColoured(stderr, { CLICOLOR_FORCE: "0", TERM: "dumb" })).toBe(false);
  });
});

describe("exit codes", () => {
  it("are one number per name and one name per number", () => {
    const codes = Object.values(exitCodes).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.toSorted((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 22, 130,
    ]);
  });
});

describe("a near name", () => {
  it("is at most two edits away, and none when nothing is near", () => {
    expect(nearestName("lsit", ["list", "show"])).toBe("list");
    expect(nearestName("STORE", ["store"])).toBe("store");
    expect(nearestName("stroe", ["store", "stores"])).toBe("store");
    expect(nearestName("revok", ["revoke", "rotate"])).toBe("revoke");
    expect(nearestName("abcdef", ["list", "show"])).toBeNull();
    expect(nearestName("x", [])).toBeNull();
  });
});
