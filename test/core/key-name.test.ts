import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKeyPath } from "../../src/core/key-name.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const messageOf = (path: string): string => refusalOf(() => parseKeyPath(path))?.message ?? "";
const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);

describe("key path", () => {
  it("is a name, an environment and a name, or a tenant too", () => {
    expect(parseKeyPath("payments")).toEqual({ name: "payments" });
    expect(parseKeyPath("prod/payments")).toEqual({ env: "prod", name: "payments" });
    expect(parseKeyPath("acme/prod/payments")).toEqual({ tenant: "acme", env: "prod", name: "payments" });
  });

  it("takes every name of the rule in every part", () => {
    fc.assert(
      fc.property(names, names, names, (tenant, env, name) => {
        expect(parseKeyPath(`${tenant}/${env}/${name}`)).toEqual({ tenant, env, name });
      }),
    );
    expect(parseKeyPath("x".repeat(63))).toEqual({ name: "x".repeat(63) });
  });

  it("refuses everything else without crashing", () => {
    const others = [
      "",
      "/",
      "/a",
      "a/",
      "a//b",
      "a/b/c/d",
      "a/b/c/d/e",
      ".",
      "..",
      "../x",
      "-x",
      "_x",
      "a b",
      "a\\b",
      "a:b",
      "x".repeat(64),
      "x".repeat(100_000),
    ];
    for (const path of others) expect(codeOf(() => parseKeyPath(path))).toBe("usage");
    const rule = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}(?:\/(?!$)|$)){1,3}$/;
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "Z", "9", ".", "-", "_", "/", " ", "\u0430", "\n") }),
        (path) => {
          expect(codeOf(() => parseKeyPath(path))).toBe(
            rule.test(path) && !path.includes("\n") ? null : "usage",
          );
        },
      ),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) =>
        ["usage", null].includes(codeOf(() => parseKeyPath(path))),
      ),
    );
  });

  it("names a letter that only looks like a Latin one by its code point", () => {
    expect(messageOf("p\u0430yments")).toBe(
      "the key's name has U+0430 as character 2, which looks like the letter a and is another",
    );
    expect(messageOf("\u039frders")).toContain("U+039F as character 1, which looks like the letter O");
    expect(messageOf("pr\uff4fd/x")).toContain(
      "the environment has U+FF4F as character 3, which looks like the letter o",
    );
    expect(messageOf("\u{1d41a}cme/prod/x")).toContain(
      "the tenant has U+1D41A as character 1, which looks like the letter a",
    );
    expect(messageOf("caf\u00e9")).toContain("U+00E9");
  });

  it("names control and invisible characters by their code point and never echoes them", () => {
    expect(messageOf("a\u001b[31m")).toBe("the key's name has U+001B as character 2");
    for (const character of [
      "\n",
      "\r",
      "\0",
      "\u0007",
      "\u200b",
      "\u202e",
      "\u0085",
      "\ud800",
      "\u{1f600}",
    ]) {
      const message = messageOf(`a${character}b`);
      expect(message).toMatch(/^the key's name has U\+[0-9A-F]{4,6} as character 2$/);
    }
  });

  it("never echoes more of a path than one printable character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        expect(messageOf(path)).toMatch(/^[ -~]*$/);
      }),
    );
    expect(messageOf("hunter2 is my password")).not.toContain("hunter2");
    expect(messageOf("a*b")).toBe('the key\'s name has "*" as character 2');
    expect(messageOf("-x")).toBe('the key\'s name starts with "-"');
    expect(messageOf("prod//x")).toBe("the environment is empty");
    expect(messageOf("x".repeat(64))).toContain("64 characters; at most 63");
  });
});
