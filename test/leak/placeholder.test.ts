import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { alphabets } from "../../src/leak/alphabet.ts";
import { exampleOf, randomText } from "../../src/leak/example.ts";
import { entropy, placeholderReason, placeholders } from "../../src/leak/placeholder.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { ruleOf, scanText, seeded } from "./scan-text.ts";

const gh = (body: string): string => `ghp${"_"}${body.padEnd(36, "0").slice(0, 36)}`;

describe("placeholders are no findings", () => {
  it.each([
    ["one character", gh("x".repeat(36))],
    ["mostly one character", gh(`a1B2${"0".repeat(32)}`)],
    ["the alphabet", gh(alphabets.lower + alphabets.digits)],
    ["counting down", gh("9876543210".repeat(4))],
    ["a short piece again and again", gh("deadBEEF".repeat(5))],
    ["a word of samples", gh("aB3dYOURTOKENHERE7x9QkLmZpW2vT5nR8sJ4hG1f")],
    ["EXAMPLE at the end", `AKIA${"IOSFODNN7"}EXAMPLE`],
    ["stars", "token: ***"],
    ["a partial mask", "sk-…abcd"],
  ])("%s", (_name, text) => {
    expect(scanText(` ${text} `)).toEqual([]);
  });

  it("the documentation's own keys", () => {
    const stripe = ["sk_test", "4eC39HqLyjWDarjtT1zdp7dc"].join("_");
    expect(placeholderReason(stripe.slice(8), stripe)).toContain("documentation");
    expect(scanText(` ${stripe} `)).toEqual([]);
    const jwt = [
      { alg: "HS256", typ: "JWT" },
      { sub: "1234567890", name: "John Doe", iat: 1_516_239_022 },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    const signature = ["SflKxwRJSMeKKF2QT4f", "wpMeJf36POk6yJV_adQssw5c"].join("");
    expect(scanText(` ${[...jwt, signature].join(".")} `)).toEqual([]);
  });

  it("a word that stands there by chance in a long payload hides nothing", () => {
    expect(placeholderReason(`EXAMPLE${randomText("base62", 300, seeded("long"))}`, "")).toBeNull();
  });

  it("a valid checksum makes a finding of what looks like a placeholder", () => {
    const { token } = exampleOf(ruleOf("github-personal-access-token"), (count) =>
      new Uint8Array(count).fill(33),
    );
    expect(new Set(token.slice(4, -6)).size).toBe(1);
    expect(scanText(token)[0]).toMatchObject({ confidence: "certain" });
  });

  it("each says why", () => {
    expect(placeholders.every(({ reason }) => reason.length > 10)).toBe(true);
    expect(placeholderReason("", "")).toBeNull();
    expect(placeholderReason("a", "a")).toContain("one character");
  });

  it("random tokens of every rule are none", () => {
    for (const rule of leakRules) {
      for (let round = 0; round < 20; round += 1) {
        const { token } = exampleOf(rule, seeded(`${rule.id}/${round}`));
        if (rule.structure === undefined) expect(placeholderReason(token, token)).toBeNull();
      }
    }
  });
});

describe("entropy", () => {
  it("is in bits per character", () => {
    expect(entropy("")).toBe(0);
    expect(entropy("aaaa")).toBe(0);
    expect(entropy("abab")).toBe(1);
    expect(entropy("abcd")).toBe(2);
  });

  it("keeps words out and random bodies in", () => {
    expect(scanText(` ${gh("aabbaabbccaabbccddaabbaabbccaabbccdd")} `)).toEqual([]);
    const digest = createHash("sha256").update("x").digest("base64url").replaceAll(/[-_]/gu, "a");
    expect(scanText(` ${gh(digest)} `)).toHaveLength(1);
  });
});
