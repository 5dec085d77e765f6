import { describe, expect, it } from "vitest";
import { severities } from "../../src/core/model.ts";
import { alphabets } from "../../src/leak/alphabet.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { pemBytesMax } from "../../src/leak/pem.ts";
import type { LeakRule } from "../../src/leak/rule.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { lookaheadBytes, lookbehindBytes } from "../../src/leak/scanner.ts";
import { lengthMax } from "../../src/leak/shape.ts";
import { ruleOf, scanText, seeded } from "./scan-text.ts";

const each = leakRules.map((rule) => [rule.id, rule] as const);

function example(rule: LeakRule, seed = "a"): { token: string; before: string; after: string } {
  const { token, line } = exampleOf(rule, seeded(`${rule.id}/${seed}`));
  const at = line.indexOf(token);
  return { token, before: line.slice(0, at), after: line.slice(at + token.length) };
}

const checksummed = leakRules.filter((rule) => rule.proof !== undefined);
/** Marks that no vendor documents: without one a finding is weaker, not doctored. */
function isMark(rule: LeakRule): boolean {
  return rule.proof === "openai-marker" || rule.proof === "groq-marker" || rule.id === "anthropic-key";
}

/** The token with its shape kept and what its proof looks at spoiled. */
function spoil(rule: LeakRule, token: string): string {
  const flip = (at: number): string => {
    const digit = token[at] === "b" ? "c" : "b";
    return token.slice(0, at) + digit + token.slice(at + 1);
  };
  switch (rule.proof) {
    case "openai-marker":
      return flip(token.indexOf("T3BlbkFJ") + 3);
    case "groq-marker":
      return flip(27);
    case "anthropic-tail":
      return flip(token.length - 1);
    case "pypi-macaroon":
      return token.slice(0, -8);
    case "jwt":
      return flip(6);
    case "github-server-token":
      return flip(token.indexOf("ey") + 6);
    case "crc-base62":
      return flip(token.indexOf("_") + 3);
    case "github-fine-grained":
      return flip(30);
    default:
      return flip(rule.proof === "gitlab-routable" ? 8 : 1);
  }
}

describe("the rules as data", () => {
  it("have unique ids in kebab case, a vendor in lower case, a title and a documentation link", () => {
    expect(new Set(leakRules.map((rule) => rule.id)).size).toBe(leakRules.length);
    for (const rule of leakRules) {
      expect(rule.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(rule.provider).toMatch(/^[a-z0-9]+$/);
      expect(rule.title.length).toBeGreaterThan(3);
      expect(severities).toContain(rule.severity);
      expect(rule.docs).toMatch(/^https:\/\/[a-z0-9.-]+\//);
    }
  });

  it("cover the named vendors", () => {
    const providers = new Set(leakRules.map((rule) => rule.provider));
    const named =
      "openai anthropic groq google azure aws github gitlab slack stripe twilio sendgrid huggingface replicate " +
      "perplexity xai npm pypi databricks hashicorp doppler pem jwt deepseek";
    for (const name of named.split(" ")) expect(providers).toContain(name);
  });

  it.each(each)("%s can be found by a literal that stands in its shapes", (_id, rule) => {
    expect(rule.anchors.length + (rule.near?.words.length ?? 0)).toBeGreaterThan(0);
    expect(rule.anchors.every((anchor) => anchor.literal.length >= 2 && anchor.at < lookbehindBytes)).toBe(
      true,
    );
    expect((rule.near?.words ?? []).every((word) => word === word.toLowerCase())).toBe(true);
  });

  it("fit into what the scanner looks ahead", () => {
    for (const rule of leakRules) {
      const longest = Math.max(0, ...rule.shapes.map(lengthMax));
      expect(longest + (rule.near?.withinBytes ?? 0) + 32).toBeLessThan(lookaheadBytes);
    }
    expect(pemBytesMax + 32).toBeLessThan(lookaheadBytes);
  });

  it.each(each)("%s never lets a run swallow what follows it", (_id, rule) => {
    for (const shape of rule.shapes) {
      for (const [index, part] of shape.entries()) {
        const next = shape[index + 1];
        if (!("run" in part) || part.min === part.max || next === undefined) continue;
        const firsts =
          "literal" in next
            ? [next.literal[0]]
            : "oneOf" in next
              ? next.oneOf.map((text) => text[0])
              : Array.from(alphabets[next.run]);
        for (const first of firsts) expect(alphabets[part.run]).not.toContain(first);
      }
    }
  });
});

describe("every rule", () => {
  it.each(each)("%s finds a valid token, whole, and says how sure it is", (id, rule) => {
    for (const seed of ["a", "b", "c"]) {
      const { token, before, after } = example(rule, seed);
      const found = scanText(`2026-11-21 step ${before}${token}${after} done\n`);
      expect(found.map((match) => match.ruleId)).toEqual([id]);
      expect(found[0]).toMatchObject({ provider: rule.provider, length: token.length });
      expect(found[0]?.offset).toBe(16 + before.length);
      const sure =
        rule.structure === undefined
          ? rule.proof === undefined
            ? [rule.grade]
            : ["certain", "likely"]
          : ["certain"];
      const graded = rule.proof === "entra-tail" ? ["certain"] : sure;
      expect(graded).toContain(found[0]?.confidence);
    }
  });

  it.each(each)("%s leaves a near miss alone", (id, rule) => {
    const { token, before, after } = example(rule);
    const half = Math.floor(token.length / 2);
    const misses = [
      token.slice(0, half),
      `${token.slice(0, half)}!${token.slice(half + 1)}`,
      token.slice(0, Math.max(4, token.length - 60)).toLowerCase(),
    ];
    for (const miss of misses) {
      if (rule.structure === "pem") break;
      const found = scanText(`${before}${miss}${after}\n`).filter((match) => match.ruleId === id);
      // A cut token of open length may still have its shape; then its proof says what it is.
      for (const match of found) expect(match.confidence).not.toBe("certain");
      if (rule.shapes.every((shape) => shape.every((part) => !("run" in part) || part.min === part.max))) {
        expect(found).toEqual([]);
      }
    }
  });

  it.each(checksummed.map((rule) => [rule.id, rule] as const))(
    "%s reports a doctored token and says so",
    (id, rule) => {
      const { token, before, after } = example(rule);
      const found = scanText(`${before}${spoil(rule, token)}${after}\n`);
      expect(found.map((match) => match.ruleId)).toEqual([id]);
      expect(found[0]?.confidence).toBe(isMark(rule) ? "possible" : "doctored");
      expect(found[0]?.proof).toMatch(/altered|missing/);
      if (!isMark(rule)) expect(found[0]?.severity).toBe("low");
    },
  );

  it.each(leakRules.filter((rule) => rule.near !== undefined).map((rule) => [rule.id, rule] as const))(
    "%s says nothing away from its word, and something whatever its case",
    (id, rule) => {
      const { token, before } = example(rule);
      expect(scanText(`value=${token}\n`)).toEqual([]);
      expect(scanText(`${before.toUpperCase()}${token}\n`).map((match) => match.ruleId)).toEqual([id]);
    },
  );
});

/** What stands directly around a token in real logs. */
const contexts: readonly (readonly [string, string, string])[] = [
  ["alone on its line", "", ""],
  ["after a colour code", "\u001b[32m", "\u001b[0m"],
  ["after an erase code", "\u001b[0K", " "],
  ["coloured and glued to text", "see\u001b[1;31m", "\u001b[0mhere"],
  ["in double quotes", '"', '"'],
  ["in single quotes", "'", "'"],
  ["in backticks", "`", "`"],
  ["in escaped quotes", '\\"', '\\"'],
  ["after a written line end", "\\n", "\\n"],
  ["percent-encoded quotes", "%22", "%22"],
  ["unicode-escaped quotes", "\\u0022", "\\u0022"],
  ["before a comma", "(", ","],
  ["before a round bracket", "(", ")"],
  ["before a square bracket", "[", "]"],
  ["before a curly bracket", "{", "}"],
  ["before an ampersand", "?key=", "&x=1"],
  ["before an at sign", "https://user:", "@host"],
  ["before an angle bracket", ">", "<"],
  ["before a pipe", "|", "|"],
  ["before a semicolon", "Key=", ";"],
  ["before a carriage return", " ", "\r"],
  ["after a zero-width space", "\u200b", "\u200b"],
  ["in a hyperlink code", "\u001b]8;;https://host/?t=", "\u001b\\link\u001b]8;;\u001b\\"],
];

/** Cells that cannot pass, with the reason. */
const unclear: Record<string, string> = {
  "percent-encoded quotes/slack-session-cookie":
    "percent escapes are part of the cookie, so where it ends cannot be seen",
};

describe.each(contexts)("a token %s", (name, left, right) => {
  const readable = each.filter(([id]) => !(`${name}/${id}` in unclear));
  it.each(readable)("%s is found whole", (id, rule) => {
    const { token, before } = example(rule, "context");
    const opening = rule.near === undefined ? left : before + (rule.near.withinBytes < 10 ? "" : left);
    const found = scanText(`log ${opening}${token}${right}\nnext line`);
    expect(found.map((match) => match.ruleId)).toEqual([id]);
    expect(found[0]?.length).toBe(token.length);
  });
});

describe("a token that is cut up by what a terminal does not show", () => {
  const single = each.filter(([, rule]) => rule.structure === undefined);
  it.each(single)("%s is found with a colour code inside", (id, rule) => {
    const { token, before, after } = example(rule, "inside");
    const middle = Math.floor(token.length / 2);
    const found = scanText(`x ${before}${token.slice(0, middle)}\u001b[1;4m${token.slice(middle)}${after}`);
    expect(found.map((match) => match.ruleId)).toEqual([id]);
    expect(found[0]).toMatchObject({ length: token.length, offset: 2 + before.length });
    expect((found[0]?.endOffset ?? 0) - (found[0]?.offset ?? 0)).toBe(token.length + 6);
  });

  it("is found with a zero-width space or a soft hyphen inside its prefix", () => {
    const { token } = example(ruleOf("github-personal-access-token"));
    for (const mark of ["\u200b", "\u00ad", "\ufeff", "\u2060"]) {
      expect(scanText(`${token.slice(0, 2)}${mark}${token.slice(2)} ok`)).toHaveLength(1);
    }
  });
});

describe("neighbours", () => {
  it("a token glued to a letter or an underscore before it is found", () => {
    for (const id of [
      "github-personal-access-token",
      "gitlab-personal-access-token",
      "anthropic-api-key",
      "sendgrid-api-key",
    ]) {
      const { token } = example(ruleOf(id));
      for (const left of ["x", "_", "9"])
        expect(scanText(`${left}${token} `).map((match) => match.ruleId)).toEqual([id]);
    }
  });

  it("a valid checksum outweighs what stands around it", () => {
    const { token } = example(ruleOf("azure-storage-key"));
    expect(scanText(`abc${token}=`)[0]).toMatchObject({ ruleId: "azure-storage-key", confidence: "certain" });
  });

  it("a longer run of the same alphabet is no token without a checksum", () => {
    const { token } = example(ruleOf("google-api-key"));
    expect(scanText(`${token}A`)).toEqual([]);
    expect(scanText(`task-${"a1B2".repeat(5)}`)).toEqual([]);
  });

  it("words that only end like a prefix are no keys", () => {
    const slug = "feature/disk-proj-some-very-long-branch-name-with-many-words-in-it-and-more-words-0";
    expect(scanText(`checkout ${slug}\nrisk-assessment task-runner desk-admin-panel\n`)).toEqual([]);
  });
});
