import { describe, expect, it } from "vitest";
import {
  scanForLeaks,
  scanOutcome,
  type LeakCandidate,
  type ManagedMatch,
  type ScanDeps,
  type ScanItem,
} from "../../src/app/scan-for-leaks.ts";
import { KeyctlError } from "../../src/core/errors.ts";
import { formatIssuedKey } from "../../src/core/issued-key.ts";
import { exampleOf } from "../../src/leak/example.ts";
import type { ScanReport } from "../../src/leak/finding.ts";
import { ruleOf, seeded } from "../leak/scan-text.ts";

const random = seeded("own");
const own = Buffer.from(
  formatIssuedKey({ prefix: "kc_live", id10: random(10), secret24: random(24) }).reveal(),
).toString("latin1");
const github = exampleOf(ruleOf("github-personal-access-token"), seeded("app")).token;
const at = Date.UTC(2026, 10, 21, 8);

function file(path: string, ...chunks: (string | Uint8Array | Error)[]): ScanItem {
  return {
    kind: "file",
    path,
    async *chunks() {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield await Promise.resolve(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      }
    },
  };
}

const payments = {
  keyId: "0199-id",
  name: "payments",
  tenant: "acme",
  env: "prod",
  version: 2,
  state: "active",
  asOf: at,
  owner: "company",
};

interface Setting {
  find?: (candidate: LeakCandidate) => Promise<ManagedMatch | null>;
  from?: "store" | "bundle";
  fingerprint?: ScanDeps["fingerprint"];
}

async function scan(
  items: ScanItem[],
  setting: Setting = {},
): Promise<{ report: ScanReport; warnings: string[] }> {
  const warnings: string[] = [];
  let now = at;
  const report = await scanForLeaks({
    clock: { now: () => (now += 5) },
    sources: items,
    managed: setting.find === undefined ? null : { from: setting.from ?? "store", find: setting.find },
    fingerprint: setting.fingerprint ?? (() => null),
    warn: (message) => warnings.push(message),
  });
  return { report, warnings };
}

const knowsOwn = async (candidate: LeakCandidate): Promise<ManagedMatch | null> =>
  await Promise.resolve(Buffer.from(candidate.bytes).toString("latin1") === own ? payments : null);

function withState(state: string): Setting {
  return { find: async () => await Promise.resolve({ ...payments, state }) };
}

describe("a scan", () => {
  it("of nothing finds nothing", async () => {
    const { report } = await scan([]);
    expect(report).toEqual({
      findings: [],
      coverage: { files: 0, bytes: 0, managed: "none", skipped: [] },
      summary: { leaks: 0, managed: 0, incomplete: false },
      durationMs: 5,
    });
  });

  it("names the managed key, its owner and the command that stops it", async () => {
    const { report } = await scan([file("ci.log", `\u001b[32mtoken=${own}\u001b[0m\n`)], { find: knowsOwn });
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]?.managed).toEqual({
      ...payments,
      asOf: "2026-11-21T08:00:00.000Z",
      command: "keyctl revoke acme/prod/payments --version 2 --reason key-compromise --yes",
    });
    expect(report.summary).toEqual({ leaks: 1, managed: 1, incomplete: false });
    expect(report.coverage.managed).toBe("store");
  });

  it("asks for each distinct secret once, with the exact bytes and the public id of ours", async () => {
    const asked: [string, string | null][] = [];
    const find = async (candidate: LeakCandidate): Promise<null> => {
      asked.push([Buffer.from(candidate.bytes).toString("latin1"), candidate.publicId]);
      return await Promise.resolve(null);
    };
    await scan([file("a", `${github} ${own}\n${github}`), file("b", own)], { find, from: "bundle" });
    expect(asked).toEqual([
      [github, null],
      [own, own.split(".")[1]],
    ]);
  });

  it("counts files and bytes and reads across chunks and files without mixing them", async () => {
    const { report } = await scan([
      file("a", github.slice(0, 10), github.slice(10), "\n"),
      file("b", github.slice(0, 10)),
      file("c", github.slice(10)),
    ]);
    expect(report.coverage).toMatchObject({ files: 3, bytes: 41 + 40 });
    expect(report.findings.map(({ path, count }) => ({ path, count }))).toEqual([{ path: "a", count: 1 }]);
  });

  it("carries the fingerprint of the exact secret", async () => {
    const { report } = await scan([file("a", github)], {
      fingerprint: (bytes) =>
        Buffer.from(bytes).toString("latin1") === github ? "0123456789abcdef0123" : null,
    });
    expect(report.findings[0]?.fingerprint).toBe("0123456789abcdef0123");
  });

  it("reads sources as they come", async () => {
    async function* later(): AsyncGenerator<ScanItem> {
      yield await Promise.resolve(file("-", `x ${github}`));
    }
    const report = await scanForLeaks({
      clock: { now: () => 0 },
      sources: later(),
      managed: null,
      fingerprint: () => null,
      warn: () => undefined,
    });
    expect(report.findings[0]).toMatchObject({ path: "-", column: 3 });
  });
});

describe("what was not read is never clean", () => {
  it("a source that could not be opened is listed", async () => {
    const { report } = await scan([{ kind: "skipped", path: "x", reason: "permission denied" }]);
    expect(report.coverage).toMatchObject({
      files: 0,
      skipped: [{ path: "x", reason: "permission denied" }],
    });
    expect(report.summary.incomplete).toBe(true);
  });

  it("a source that fails half way keeps what was found in it", async () => {
    const { report } = await scan([
      file("x", `${github} `, new KeyctlError("unavailable", "input/output error")),
      file("y", "clean"),
    ]);
    expect(report.findings).toHaveLength(1);
    expect(report.coverage).toMatchObject({
      files: 1,
      skipped: [{ path: "x", reason: "input/output error" }],
    });
  });

  it("a compressed or UTF-16 file is listed", async () => {
    const { report } = await scan([
      file("a.gz", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0)),
      file("w.log", Uint8Array.of(0xff, 0xfe, 0x61, 0)),
    ]);
    expect(report.coverage.skipped).toEqual([
      { path: "a.gz", reason: "gzip is not unpacked" },
      { path: "w.log", reason: "UTF-16 is not read" },
    ]);
  });

  it("a programming error is not hidden", async () => {
    await expect(scan([file("x", new TypeError("a bug"))])).rejects.toThrow("a bug");
  });

  it("records that cannot be reached are said to be none", async () => {
    let calls = 0;
    const { report, warnings } = await scan([file("a", `${github} ${own}`)], {
      find: async () => {
        calls += 1;
        return await Promise.reject(new KeyctlError("unavailable", "the vault cannot be reached"));
      },
    });
    expect(calls).toBe(1);
    expect(report.coverage.managed).toBe("none");
    expect(report.findings).toHaveLength(2);
    expect(warnings).toEqual(["our own keys were not all looked up: the vault cannot be reached"]);
    const broken = scan([file("a", own)], {
      find: async () => await Promise.reject(new KeyctlError("integrity", "a row was changed")),
    });
    await expect(broken).rejects.toThrow("a row was changed");
  });
});

describe("the command that stops a leak", () => {
  async function commandOf(match: ManagedMatch): Promise<string | null> {
    const { report } = await scan([file("a", own)], { find: async () => await Promise.resolve(match) });
    const managed = report.findings[0]?.managed;
    return managed === null || managed === undefined || "foreign" in managed ? null : managed.command;
  }

  it("raises a revoked version to compromised, and is none when nothing is left to do", async () => {
    expect(await commandOf({ ...payments, state: "revoked" })).toContain("--reason key-compromise");
    for (const state of ["compromised", "destroyed"])
      expect(await commandOf({ ...payments, state })).toBeNull();
  });

  it("cannot be made to run something else by a record that was tampered with", async () => {
    expect(await commandOf({ ...payments, name: "x; rm -rf '~'" })).toBe(
      `keyctl revoke 'acme/prod/x; rm -rf '\\''~'\\''' --version 2 --reason key-compromise --yes`,
    );
  });
});

describe("the outcome", () => {
  const any = { failOn: "any", requireManaged: false } as const;
  const outcome = async (
    items: ScanItem[],
    setting: Setting,
    policy: { failOn?: "any" | "managed" | "none"; requireManaged?: boolean } = {},
  ): Promise<string> => scanOutcome((await scan(items, setting)).report, { ...any, ...policy });
  const gone: ScanItem = { kind: "skipped", path: "x", reason: "permission denied" };
  const clean = file("clean", "nothing");
  const nobody: Setting = { find: async () => await Promise.resolve(null) };

  it("is ok for clean text", async () => {
    expect(await outcome([clean], {})).toBe("ok");
    expect(await outcome([clean], nobody, { requireManaged: true })).toBe("ok");
  });

  it("is leaks for any secret, also one of another tenant", async () => {
    expect(await outcome([file("a", github)], nobody)).toBe("leaks");
    expect(
      await outcome([file("a", own)], { find: async () => await Promise.resolve({ foreign: true }) }),
    ).toBe("leaks");
  });

  it.each(["active", "rotated", "pending", "inactive", "expired"])(
    "is managed-leak for a key of ours that is %s",
    async (state) => {
      expect(await outcome([file("a", own)], withState(state))).toBe("managed-leak");
      expect(await outcome([file("a", own)], withState(state), { failOn: "managed" })).toBe("managed-leak");
      expect(await outcome([file("a", own)], withState(state), { failOn: "none" })).toBe("ok");
    },
  );

  it.each(["revoked", "compromised", "destroyed"])("is leaks for a key of ours that is %s", async (state) => {
    expect(await outcome([file("a", own)], withState(state))).toBe("leaks");
    expect(await outcome([file("a", own)], withState(state), { failOn: "managed" })).toBe("ok");
  });

  it("is incomplete only when nothing was found", async () => {
    expect(await outcome([gone, clean], {})).toBe("incomplete");
    expect(await outcome([gone, file("a", github)], {})).toBe("leaks");
    expect(await outcome([gone, file("a", own)], withState("active"))).toBe("managed-leak");
    expect(await outcome([gone, file("a", github)], {}, { failOn: "none" })).toBe("ok");
  });

  it("is incomplete when our keys had to be looked up and were not, unless a secret already fails the scan", async () => {
    expect(await outcome([clean], {}, { requireManaged: true })).toBe("incomplete");
    expect(await outcome([file("a", github)], {}, { requireManaged: true })).toBe("leaks");
    expect(await outcome([file("a", github)], {}, { requireManaged: true, failOn: "managed" })).toBe(
      "incomplete",
    );
    expect(await outcome([file("a", github)], nobody, { requireManaged: true, failOn: "managed" })).toBe(
      "ok",
    );
  });
});
