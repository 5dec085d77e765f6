import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseActorName, parseLogin } from "../../src/core/actor-name.ts";
import { codeOf } from "./refusal.ts";

describe("an actor's name", () => {
  it("is of any one script, in normal form, whatever form it was typed in", () => {
    for (const name of [
      "Mia Lang",
      "Zoë",
      "Ελένη",
      "Ольга",
      "山田 太郎",
      "O'Neil-Smith, Jr. (build)",
      "🤖 deploy",
    ])
      expect(parseActorName(name)).toBe(name.normalize("NFC"));
    expect(parseActorName("Zoe\u0308")).toBe("Zo\u00eb");
    expect(parseActorName("x".repeat(64))).toHaveLength(64);
    expect(codeOf(() => parseActorName("x".repeat(65)))).toBe("usage");
  });

  it.each([
    ["empty", ""],
    ["a blank", " "],
    ["blanks at an end", "mia "],
    ["two blanks", "mia  lang"],
    ["a blank that is none of the plain ones", "mia\u00a0lang"],
    ["a line's end", "mia\nroot"],
    ["an escape sequence", "mia\u001b[2J"],
    ["a null byte", "mia\u0000"],
    ["a reversal of what is read", "mia\u202eimda"],
    ["a zero-width joiner", "mi\u200da"],
    ["a filler that is a letter", "mia\u3164"],
    ["a variation selector", "mia\ufe0f"],
    ["half a character", "mia\ud83d"],
    ["a private character", "mia\ue000"],
    ["Cyrillic among Latin", "m\u0456a"],
    ["Greek among Latin", "mi\u03b1"],
    ["piled marks", `m${"\u0301\u0302\u0303\u0304\u0305"}ia`],
    ["an id", "0192f0c1-0000-7000-8000-00000000000a"],
  ])("is not %s", (_what, name) => {
    expect(codeOf(() => parseActorName(name))).toBe("usage");
    expect(codeOf(() => parseLogin(name))).toBe("usage");
  });

  it("never holds what moves a cursor or cannot be seen, whatever is typed; and saying it again changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 70 }), (text) => {
        if (codeOf(() => parseActorName(text)) !== null) return;
        const name = parseActorName(text);
        expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(parseActorName(name)).toBe(name);
      }),
    );
  });
});

describe("a login", () => {
  it("is taken as the system gives it", () => {
    for (const login of ["mia", "svc_billing", "mia.lang@example.org", "CORP\\mia", "_www", "x".repeat(128)])
      expect(parseLogin(login)).toBe(login);
  });

  it("is not changed to another form: it would be somebody else's", () => {
    expect(codeOf(() => parseLogin("Zoe\u0308"))).toBe("usage");
    expect(codeOf(() => parseLogin("mia lang"))).toBe("usage");
    expect(codeOf(() => parseLogin("x".repeat(129)))).toBe("usage");
  });
});
