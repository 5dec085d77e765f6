import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alphabets } from "../../src/leak/alphabet.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { lookaheadBytes, Scanner } from "../../src/leak/scanner.ts";
import { run, startsWith, text } from "../../src/leak/rule.ts";
import { ownKey, ruleOf, scanText, seeded } from "./scan-text.ts";

const pieces = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...leakRules.map((rule) => `${exampleOf(rule, seeded(`p/${rule.id}`)).line}\n`),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("a", "b").map((seed) => ownKey(seed)) },
  fc.constantFrom(
    "\u001b[32m",
    "\u001b[0m",
    "\u001b",
    "\u001b[",
    "\r\n",
    "\n",
    "\u200b",
    "é",
    "🙂",
    " ",
    "sk-",
    "eyJ",
    "-----BEGIN ",
  ),
  fc.string({ maxLength: 40 }),
  fc.constant("x".repeat(300)),
  fc.constant(`padding ${"lorem ipsum ".repeat(300)}\n`),
);

const shown = (text: string | Uint8Array, cut = {}): object[] =>
  scanText(text, cut).map(({ secret: _secret, ...rest }) => rest);

describe("a stream in chunks", () => {
  it("gives the same findings however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 25 }),
        fc.integer({ min: 1, max: 5000 }),
        (parts, chunkBytes) => {
          const text = parts.join("");
          expect(shown(text, { chunkBytes })).toEqual(shown(text));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives the same findings byte by byte", () => {
    const text = leakRules
      .map((rule) => `\u001b[1m${exampleOf(rule, seeded(rule.id)).line}\u001b[0m\n`)
      .join("");
    expect(shown(text, { chunkBytes: 1 })).toEqual(shown(text));
    expect(shown(text).length).toBe(leakRules.length);
  });

  it("gives the same findings whatever the block, also for what lies across two blocks", () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { minLength: 15, maxLength: 40 }),
        fc.constantFrom(16, 64, 1000, 20_000),
        (parts, blockBytes) => {
          const text = parts.join("");
          expect(shown(text, { blockBytes })).toEqual(shown(text));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("finds a token at every distance from a block's end", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("edge"));
    const scanner = new Scanner({
      rules: [ruleOf("github-personal-access-token")],
      now: null,
      blockBytes: 64,
    });
    for (let before = lookaheadBytes - 120; before < lookaheadBytes + 700; before += 7) {
      scanner.start();
      const bytes = Buffer.from(`${"\n".repeat(before)}${token}${" ".repeat(2 * lookaheadBytes)}`);
      const found = [...scanner.write(bytes), ...scanner.finish()];
      expect(found.map(({ offset, line, column }) => ({ offset, line, column }))).toEqual([
        { offset: before, line: before + 1, column: 1 },
      ]);
    }
  });

  it("goes on when a block ends inside a long control sequence, wherever that is", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("control"));
    const sequence = `\u001b[${"1;".repeat(30)}m`;
    for (let before = lookaheadBytes + 440; before < lookaheadBytes + 640; before += 9) {
      const text = `${" ".repeat(before)}${sequence}${token} ${" ".repeat(lookaheadBytes)}`;
      expect(shown(text, { blockBytes: 1 })).toEqual(shown(text));
    }
  });

  it("reads again from the start for the next file", () => {
    const scanner = new Scanner({ rules: leakRules, now: null });
    const { token } = exampleOf(ruleOf("npm-access-token"), seeded("again"));
    for (let round = 0; round < 2; round += 1) {
      scanner.start();
      const found = [...scanner.write(Buffer.from(`\n${token.slice(0, 20)}`)), ...scanner.finish()];
      expect(found).toEqual([]);
      scanner.start();
      const next = [...scanner.write(Buffer.from(`\n ${token}`)), ...scanner.finish()];
      expect(next[0]).toMatchObject({ line: 2, column: 2, offset: 2 });
    }
  });
});

describe("places", () => {
  it("count lines by line feeds and columns in characters of the original", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("place"));
    const text = `one\r\ntwo\rstill two\nünï🙂\u200b \u001b[31m${token}\u001b[0m\n`;
    const [found] = scanText(text);
    const before = text.slice(0, text.indexOf(token));
    expect(found).toMatchObject({
      line: 3,
      column: Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1,
      offset: Buffer.byteLength(before),
    });
    expect(found?.endOffset).toBe(Buffer.byteLength(before) + token.length);
  });

  it("agree with a naive count on any text", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("naive"));
    const filler = fc.constantFrom(
      "a",
      "\n",
      "\r",
      "é",
      "🙂",
      "\u001b[0m",
      "\u200b",
      "\u001b]0;",
      "…",
      "line\n",
      "x".repeat(200),
    );
    fc.assert(
      fc.property(fc.array(filler, { maxLength: 400 }), fc.constantFrom(16, 500), (parts, blockBytes) => {
        const before = parts.join("");
        const text = `${before} ${token} ${"tail ".repeat(4000)}`;
        const line = before.split("\n");
        expect(scanText(text, { blockBytes })[0]).toMatchObject({
          offset: Buffer.byteLength(before) + 1,
          line: line.length,
          column: Array.from(line.at(-1) ?? "").length + 2,
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("what overlaps", () => {
  it("is one finding: the surer, then the longer", () => {
    const { token } = exampleOf(ruleOf("github-server-token"), seeded("overlap"));
    expect(scanText(` ${token} `).map((match) => match.ruleId)).toEqual(["github-server-token"]);
    const own = ownKey("inside");
    expect(scanText(` ${own} `).map((match) => match.ruleId)).toEqual(["keyctl-issued-key"]);
  });

  /** Found by a literal in its middle, 40 characters after its start; `inner` stands in its first part. */
  const outer = {
    ...ruleOf("terraform-api-token"),
    id: "outer",
    left: "any",
    right: "digits",
    entropyMin: 0,
  } as const;
  const rules = [
    {
      ...outer,
      anchors: [{ literal: ".mid.", at: 40 }],
      shapes: [[run("base62", 40), text(".mid."), run("base62", 20)]],
    },
    {
      ...outer,
      id: "inner",
      grade: "possible",
      anchors: startsWith("INNER"),
      shapes: [[text("INNER"), run("base62", 10)]],
    },
  ] as const;
  const inner = (rest: string): string => `${"INNER"}${rest}`;
  const both = `${inner("kL8nO2qR4t")}${inner("aBcdEegHiJ")}zYxWvUtSrQ.mid.${"pQ3rS5tU7vW9xY1zA2bC"}`;

  it("a surer token that begins earlier or later takes the place of a weaker one", () => {
    expect(scanText(` ${both} `, { rules }).map((match) => match.ruleId)).toEqual(["outer"]);
    const later = rules.map((rule) => ({
      ...rule,
      grade: rule.id === "inner" ? ("likely" as const) : ("possible" as const),
    }));
    expect(scanText(` ${both} `, { rules: later }).map((match) => match.ruleId)).toEqual(["inner", "inner"]);
  });

  it("a token found by its middle takes a place that was found in the block before", () => {
    for (let before = 400; before < 640; before += 3) {
      const padded = `${" ".repeat(before)} ${both} ${" ".repeat(2 * lookaheadBytes)}`;
      expect(scanText(padded, { rules, blockBytes: 64 }).map((match) => match.ruleId)).toEqual(["outer"]);
    }
  });

  it("two tokens directly after one another are two findings", () => {
    const first = exampleOf(ruleOf("github-personal-access-token"), seeded("1")).token;
    const second = exampleOf(ruleOf("npm-access-token"), seeded("2")).token;
    const third = exampleOf(ruleOf("sendgrid-api-key"), seeded("3")).token;
    expect(scanText(`${first}${second},${third}`).map((match) => match.ruleId)).toEqual([
      "github-personal-access-token",
      "npm-access-token",
      "sendgrid-api-key",
    ]);
  });

  it("a coloured token of open length ends where its colour ends", () => {
    const { token } = exampleOf(ruleOf("stripe-live-key"), seeded("colour"));
    expect(scanText(`\u001b[33m${token}\u001b[0mdone`)[0]?.length).toBe(token.length);
  });

  it("a secret is only printed as a mask", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("mask"));
    const [found] = scanText(token);
    expect(found?.masked).toBe(`${token.slice(0, 4)}…`);
    expect(JSON.stringify(found)).not.toContain(token.slice(0, 12));
  });
});

describe("hostile input", () => {
  const literals = new Set(
    leakRules.flatMap((rule) => [
      ...rule.anchors.map((anchor) => anchor.literal),
      ...(rule.near?.words ?? []),
      ...rule.shapes.flatMap((shape) => shape.flatMap((part) => ("literal" in part ? [part.literal] : []))),
    ]),
  );

  it("of 60 KB of each literal ends, without findings beyond the text", () => {
    for (const literal of [...literals, ".", "a.", "\u001b[", "\u001b[1;", "-----BEGIN PRIVATE KEY-----"]) {
      const text = literal.repeat(Math.ceil(60_000 / literal.length));
      for (const match of scanText(text)) expect(match.endOffset).toBeLessThanOrEqual(text.length);
    }
  });

  it("of 60 KB of a literal and one alphabet's characters ends", () => {
    for (const literal of [
      "sk-",
      "eyJ",
      "ghs_1_ey",
      "-----BEGIN RSA PRIVATE KEY-----\n",
      "deepseek",
      "accountkey=",
    ]) {
      for (const characters of Object.values(alphabets)) {
        const text = (literal + characters).repeat(Math.ceil(60_000 / (literal.length + characters.length)));
        expect(scanText(text).length).toBeLessThan(5000);
      }
    }
  });

  it("of look-alikes of our own keys ends", () => {
    const tail = `.${"0".repeat(14)}.${"0".repeat(39)}`;
    expect(scanText(`${"a".repeat(40)}${tail}`.repeat(600))).toEqual([]);
    expect(scanText(`a${tail}`.repeat(1000)).every((match) => match.confidence === "doctored")).toBe(true);
  });

  it("of random bytes never fails", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        for (const match of scanText(bytes)) expect(match.offset).toBeLessThan(bytes.length);
      }),
    );
  });
});

describe("files that are no text", () => {
  it("are told by their first bytes, however those arrive", () => {
    const scanner = new Scanner({ rules: [], now: null });
    const cases: [number[], string | null][] = [
      [[0x1f, 0x8b, 8, 0, 0, 0, 0], "gzip is not unpacked"],
      [[0x50, 0x4b, 3, 4, 0, 0], "zip is not unpacked"],
      [[0xff, 0xfe, 0x61, 0], "UTF-16 is not read"],
      [[0x61, 0x62], null],
      [[], null],
    ];
    for (const [bytes, reason] of cases) {
      scanner.start();
      for (const byte of bytes) scanner.write(Uint8Array.of(byte));
      expect(scanner.unreadable).toBe(reason);
      scanner.finish();
    }
  });
});
