import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  durationMsMax,
  formatDuration,
  formatElapsed,
  parseDuration,
  parseExpiry,
} from "../../src/core/duration.ts";
import { codeOf } from "./refusal.ts";

const dayMs = 86_400_000;

describe("duration", () => {
  it("is a number with a unit, or several from large to small", () => {
    const samples: [string, number][] = [
      ["90d", 90 * dayMs],
      ["24h", dayMs],
      ["30m", 1_800_000],
      ["45s", 45_000],
      ["2w", 14 * dayMs],
      ["500ms", 500],
      ["1h30m", 5_400_000],
      ["1w1d1h1m1s1ms", 8 * dayMs + 3_661_001],
      ["0", 0],
      ["0s", 0],
      ["007d", 7 * dayMs],
    ];
    for (const [text, ms] of samples) expect(parseDuration(text)).toBe(ms);
  });

  it("is at most a hundred years, and no number of digits overflows it", () => {
    expect(parseDuration("36500d")).toBe(durationMsMax);
    for (const text of ["36501d", "36500d1ms", "999999999999999w", `${"9".repeat(400)}d`]) {
      expect(codeOf(() => parseDuration(text))).toBe("usage");
    }
  });

  it("refuses everything else", () => {
    const others = [
      "",
      " ",
      "d",
      "90",
      "90D",
      "90 d",
      " 90d",
      "90d\n",
      "-1d",
      "+1d",
      "1.5h",
      "1e3s",
      "30m1h",
      "1d1d",
      "1y",
      "1mo",
      "\u0661d",
      "NaN",
      "Infinity",
    ];
    for (const text of others) expect(codeOf(() => parseDuration(text))).toBe("usage");
    fc.assert(
      fc.property(fc.string(), (text) => ["usage", null].includes(codeOf(() => parseDuration(text)))),
    );
  });

  it("is shown in its two largest units, which read back to what is left", () => {
    const samples: [number, string][] = [
      [0, "0s"],
      [1, "1ms"],
      [1_500, "1s500ms"],
      [5_400_000, "1h30m"],
      [dayMs, "1d"],
      [90 * dayMs, "90d"],
      [dayMs + 3_600_000 + 60_000, "1d1h"],
      [dayMs + 60_000, "1d"],
      [-5_000, "-5s"],
    ];
    for (const [ms, text] of samples) expect(formatDuration(ms)).toBe(text);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: durationMsMax }), (ms) => {
        const shown = parseDuration(formatDuration(ms));
        expect(shown).toBeLessThanOrEqual(ms);
        expect(ms - shown).toBeLessThan(Math.max(1, ms / 24));
      }),
    );
  });
});

describe("expiry", () => {
  it("is a lifetime", () => {
    expect(parseExpiry("90d")).toEqual({ lifetimeMs: 90 * dayMs });
    expect(codeOf(() => parseExpiry("0"))).toBe("usage");
    expect(codeOf(() => parseExpiry("0d"))).toBe("usage");
  });

  it("is a date, from its first moment in UTC, or a time with a zone", () => {
    const samples: [string, string][] = [
      ["2027-01-31", "2027-01-31T00:00:00.000Z"],
      ["2028-02-29", "2028-02-29T00:00:00.000Z"],
      ["2027-01-31T12:30Z", "2027-01-31T12:30:00.000Z"],
      ["2027-01-31T12:30:15Z", "2027-01-31T12:30:15.000Z"],
      ["2027-01-31T12:30:15.5Z", "2027-01-31T12:30:15.500Z"],
      ["2027-01-31T01:00:00.123+02:00", "2027-01-30T23:00:00.123Z"],
      ["2027-01-31T23:59:59.999-05:30", "2027-02-01T05:29:59.999Z"],
    ];
    for (const [text, iso] of samples) expect(parseExpiry(text)).toEqual({ at: Date.parse(iso) });
  });

  it("reads every moment that ISO 8601 text can hold", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(parseExpiry(date.toISOString())).toEqual({ at: date.getTime() });
        },
      ),
    );
  });

  it("refuses days and times that do not exist, and a time without a zone", () => {
    const others = [
      "2027-02-29",
      "2027-02-30",
      "2027-04-31",
      "2027-13-01",
      "2027-00-10",
      "2027-01-00",
      "2027-01-31T24:00Z",
      "2027-01-31T12:60Z",
      "2027-01-31T12:00:60Z",
      "2027-01-31T12:00+24:00",
      "2027-01-31T12:00+01:60",
      "2027-01-31T12:00",
      "2027-01-31T12:00:00",
      "2027-1-31",
      "2027-01-31 12:00Z",
      "2027-01-31Z",
      "2027-01-31T12Z",
      "2027-01-31T12:00z",
      "2027-01-31T12:00:00.1234Z",
      "2027-01-31\n",
      "2027-",
    ];
    for (const text of others)
      expect(
        codeOf(() => parseExpiry(text)),
        text,
      ).toBe("usage");
  });

  it("never crashes on any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => ["usage", null].includes(codeOf(() => parseExpiry(`2027-${text}`)))),
    );
    fc.assert(fc.property(fc.string(), (text) => ["usage", null].includes(codeOf(() => parseExpiry(text)))));
  });
});

it("time that passed is told in whole seconds, toward zero", () => {
  const told = [0, 999, 10_068, -1_500, 93_784_999].map(formatElapsed);
  expect(told).toEqual(["0s", "0s", "10s", "-1s", "1d2h"]);
});
