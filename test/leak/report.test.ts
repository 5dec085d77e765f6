import { describe, expect, it } from "vitest";
import { exampleOf } from "../../src/leak/example.ts";
import {
  FindingCollector,
  isBetter,
  mask,
  toFinding,
  type Finding,
  type ScanReport,
} from "../../src/leak/finding.ts";
import { redactText } from "../../src/leak/redact.ts";
import { formatText, toJsonLines } from "../../src/leak/report.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { ruleOf, scanText, seeded } from "./scan-text.ts";

const { token } = exampleOf(ruleOf("github-personal-access-token"), seeded("report"));

function collect(files: readonly (readonly [string, string])[]): Finding[] {
  const collector = new FindingCollector();
  for (const [path, text] of files) for (const match of scanText(text)) collector.add(path, match);
  return collector.list().map((collected) => toFinding(collected, { fingerprint: null, managed: null }));
}

function report(findings: Finding[], more: Partial<ScanReport["coverage"]> = {}): ScanReport {
  const coverage = { files: 1, bytes: 10, managed: "none" as const, skipped: [], ...more };
  const managed = findings.filter((finding) => finding.managed !== null).length;
  return {
    findings,
    coverage,
    summary: { leaks: findings.length, managed, incomplete: coverage.skipped.length > 0 },
    durationMs: 3,
  };
}

describe("findings", () => {
  it("are one for each distinct secret, with its count and its first place", () => {
    const other = exampleOf(ruleOf("npm-access-token"), seeded("other")).token;
    const found = collect([
      ["a.log", `${token}\n${token}\n`],
      ["b.log", `${other} ${token}`],
    ]);
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ path: "a.log", line: 1, column: 1, offset: 0, count: 3 });
    expect(found[0]?.occurrences).toEqual([
      { path: "a.log", line: 1, column: 1, offset: 0 },
      { path: "a.log", line: 2, column: 1, offset: 41 },
      { path: "b.log", line: 1, column: 42, offset: 41 },
    ]);
    expect(found[1]).toMatchObject({ provider: "npm", count: 1, path: "b.log" });
  });

  it("have exactly the fields of the contract", () => {
    expect(Object.keys(collect([["a", token]])[0] ?? {}).toSorted()).toEqual(
      [
        ..."ruleId provider severity confidence proof path line column offset length step count occurrences".split(
          " ",
        ),
        ..."masked fingerprint decodedFrom managed".split(" "),
      ].toSorted(),
    );
  });

  it("list the first 100 places and count all", () => {
    const [found] = collect([["a.log", `${token}\n`.repeat(250)]]);
    expect(found?.count).toBe(250);
    expect(found?.occurrences).toHaveLength(100);
  });

  it("take the surer of two readings of the same secret", () => {
    const plain = scanText(token)[0];
    if (plain === undefined) throw new Error("nothing found");
    const collector = new FindingCollector();
    collector.add("a", { ...plain, confidence: "possible", ruleId: "weaker" });
    collector.add("b", plain);
    collector.add("c", { ...plain, confidence: "doctored", ruleId: "weakest" });
    expect(collector.list()).toHaveLength(1);
    expect(collector.list()[0]).toMatchObject({
      count: 3,
      first: { path: "a" },
      match: { ruleId: plain.ruleId },
    });
    expect(isBetter({ confidence: "likely", length: 2 }, { confidence: "likely", length: 1 })).toBe(true);
    expect(isBetter({ confidence: "likely", length: 1 }, { confidence: "likely", length: 1 })).toBe(false);
  });

  it("show at most the first twelve characters, and of unprefixed secrets four", () => {
    expect(mask("abcdefghijklmnop", 0)).toBe("abcd…");
    expect(mask("github_pat_abcdef", 11)).toBe("github_pat_…");
    expect(mask("-----BEGIN PRIVATE", 99)).toBe("-----BEGIN P…");
  });
});

describe("the report for people", () => {
  const finding = collect([["a.log", `${token}\n`.repeat(8)]])[0];
  if (finding === undefined) throw new Error("nothing found");

  it("names place, rule, proof and more places", () => {
    expect(formatText(report([finding]), { ci: false })).toEqual([
      "a.log:1:1  critical  github-personal-access-token  (github, certain)",
      "  ghp_…  40 characters, 8 times; CRC-32 holds",
      "  also a.log:2:1",
      "  also a.log:3:1",
      "  also a.log:4:1",
      "  also a.log:5:1",
      "  and 3 more",
      "",
      "1 secret found in 1 file, 10 bytes; our own keys were not looked up",
    ]);
  });

  it("names the key, its owner and the command that stops it", () => {
    const ours = {
      keyId: "id",
      name: "payments",
      tenant: "acme",
      env: "prod",
      version: 2,
      state: "active",
      asOf: "2026-11-21T00:00:00.000Z",
      owner: "company",
      command: "keyctl revoke acme/prod/payments",
    };
    const lines = formatText(
      report([{ ...finding, managed: ours, proof: null, count: 1 }], { managed: "store", files: 2 }),
      { ci: false },
    );
    expect(lines).toContain("  our key acme/prod/payments, version 2, active, owner company");
    expect(lines).toContain("  to stop it: keyctl revoke acme/prod/payments");
    expect(lines.at(-1)).toBe("1 secret found, 1 of them managed here in 2 files, 10 bytes");
    const done = formatText(report([{ ...finding, managed: { ...ours, command: null } }]), { ci: false });
    expect(done.join("\n")).not.toContain("to stop it");
    expect(
      formatText(report([{ ...finding, managed: { foreign: true } }]), { ci: false }).join("\n"),
    ).toContain("another tenant");
  });

  it("says what was not read", () => {
    const lines = formatText(report([], { skipped: [{ path: "x", reason: "permission denied" }] }), {
      ci: false,
    });
    expect(lines).toEqual([
      "not read: x: permission denied",
      "no secret found in 1 file, 10 bytes; our own keys were not looked up; 1 file not read",
    ]);
  });

  it("prints nothing from outside that moves a cursor or commands a CI runner", () => {
    const path = "a\u001b[31m\n\u202e::error::x##[command]y##vso[task]";
    const skipped = [{ path, reason: "no such file or directory" }];
    const plain = formatText(report([{ ...finding, path }], { skipped }), { ci: false }).join("\n");
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(plain.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/u);
    expect(plain).toContain("\\u{1b}[31m\\u{a}\\u{202e}");
    const ci = formatText(report([{ ...finding, path }], { skipped }), { ci: true }).join("\n");
    for (const command of ["::", "##[", "##vso["]) {
      expect(plain).toContain(command);
      expect(ci).not.toContain(command);
    }
  });
});

describe("the report as JSON Lines", () => {
  it("is one object for each finding and one for the rest", () => {
    const whole = report(collect([["a", token]]));
    const lines = toJsonLines(whole);
    expect(lines).toEqual([
      whole.findings[0],
      { coverage: whole.coverage, summary: whole.summary, durationMs: 3 },
    ]);
  });
});

describe("no report holds a secret", () => {
  it("of any rule, in any form", () => {
    const secrets = leakRules.map((rule) => exampleOf(rule, seeded(`canary/${rule.id}`)));
    const whole = report(collect([["all.log", secrets.map(({ line }) => line).join("\n")]]));
    expect(whole.findings).toHaveLength(leakRules.length);
    const printed = [
      ...formatText(whole, { ci: true }),
      ...formatText(whole, { ci: false }),
      JSON.stringify(whole),
      ...toJsonLines(whole).map((line) => JSON.stringify(line)),
    ].join("\n");
    for (const { token: secret } of secrets) {
      // Whatever stands after the prefix that every token of its kind has.
      for (let at = 12; at + 8 <= secret.length; at += 8) {
        const piece = secret.slice(at, at + 8);
        if (/^[-A-Z ]+$/u.test(piece)) continue;
        expect(printed).not.toContain(piece);
      }
    }
  });
});

describe("redacting a text", () => {
  it("puts the rule's name in a secret's place and leaves the rest", () => {
    expect(redactText(`rotated because ${token} was in «ünï» log`)).toBe(
      "rotated because [redacted:github-personal-access-token] was in «ünï» log",
    );
    expect(redactText(`${token},${token}`)).toBe(
      "[redacted:github-personal-access-token],[redacted:github-personal-access-token]",
    );
    expect(redactText("nothing to see")).toBe("nothing to see");
    expect(redactText("")).toBe("");
  });

  it("takes out colour codes inside the secret with it", () => {
    expect(redactText(`a ${token.slice(0, 9)}\u001b[1m${token.slice(9)} b`)).toBe(
      "a [redacted:github-personal-access-token] b",
    );
  });

  it("leaves nothing of any rule's token", () => {
    for (const rule of leakRules) {
      const { token: secret, line } = exampleOf(rule, seeded(`redact/${rule.id}`));
      expect(redactText(line)).toBe(line.replace(secret, `[redacted:${rule.id}]`));
    }
  });
});
