import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rotateKey } from "../../src/app/rotate-key.ts";
import { alterStore, copyFile, readStore } from "../e2e/altered-store.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import type { FakeIoOptions } from "../fakes/io.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

interface Seen {
  code: number;
  verdict: string;
  findings: { id: string; level: string; key: string | null; message: string; command: string }[];
  counts: Record<string, number>;
}

async function status(...more: string[]): Promise<Seen> {
  const { code, out, err } = await home.run(["status", "-o", "json", ...more]);
  if (code !== 0 && code !== 8 && code !== 11) throw new Error(`exit ${code}: ${err}`);
  return { code, ...JSON.parse(out) };
}

async function make(name: string, ...more: string[]): Promise<string> {
  return (await home.ok(["create", name, ...more])).trim();
}

async function makeSecret(name: string): Promise<void> {
  await home.ok(["create", name, "--kind", "secret", "--type", "db-credential", "--generate"]);
}

async function makeProvider(name: string, ...more: string[]): Promise<void> {
  const argv = ["create", name, "--kind", "provider", "--provider", "openai", "--from-file", "-", ...more];
  await home.ok(argv, { stdin: ["not", "a", "real", "value"].join("-") });
}

function later(ms: number): void {
  home.now += ms;
}

/** A rotation that stops after its first step; its process is gone when `dead`. */
async function leaveOpen(name: string, dead: boolean): Promise<void> {
  const session = await home.session((step) => {
    throw new Error(`stopped after ${step}`);
  });
  const options = { reason: null, ticket: null, ifRevision: null, idempotencyKey: null };
  const more = { graceMs: null, secret: null, generateLength: null, replace: false, outFile: null };
  await expect(rotateKey(session, { target: { path: name }, ...more, options })).rejects.toThrow("stopped");
  await session.close();
  if (dead) alterStore(home, "update operations set owner_boot = 'a boot before'");
}

/** Something that needs attention, and how the command that is printed with it is run. */
interface Cause {
  id: string;
  level: "notice" | "waiting";
  key: string | null;
  bring: () => Promise<void>;
  /** What a person adds or answers. */
  with?: string[];
  input?: FakeIoOptions;
}

const causes: Cause[] = [
  {
    id: "rotation-required",
    level: "waiting",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments");
      later(90 * dayMs);
    },
  },
  {
    id: "rotation-soon",
    level: "notice",
    key: "dev/payments",
    with: ["--yes"],
    bring: async () => {
      await make("dev/payments", "--rotate-every", "30d");
      later(20 * dayMs);
    },
  },
  {
    id: "expiring",
    level: "waiting",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments", "--expires", "50d");
      later(43 * dayMs);
    },
  },
  {
    id: "overdue",
    level: "waiting",
    key: "prod/payments",
    bring: async () => {
      await make("payments", "--expires", "10d");
      later(10 * dayMs);
    },
  },
  {
    id: "expired",
    level: "notice",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments", "--expires", "10d");
      later(10 * dayMs);
      await home.ok(["reconcile", "--fix"]);
    },
  },
  {
    id: "compromised",
    level: "notice",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments");
      await home.ok(["revoke", "payments", "--reason", "key-compromise", "--yes"]);
    },
  },
  {
    id: "grace-running",
    level: "notice",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments");
      await home.ok(["rotate", "payments", "--yes"]);
    },
  },
  {
    id: "seen",
    level: "notice",
    key: "prod/db",
    with: ["--generate", "--yes"],
    bring: async () => {
      await makeSecret("db");
      await home.ok(["reveal", "db", "--stdout", "--yes"]);
    },
  },
  {
    id: "upstream-open",
    level: "waiting",
    key: "prod/openai",
    with: ["--yes"],
    bring: async () => {
      await makeProvider("openai");
      const revoked = await home.run(["revoke", "openai", "--reason", "superseded", "--yes"]);
      expect(revoked.code).toBe(8);
    },
  },
  {
    // Its name is not found any more, and may be another key's.
    id: "upstream-open",
    level: "waiting",
    key: "prod/gone",
    with: ["--yes"],
    bring: async () => {
      await makeProvider("gone");
      await home.run(["revoke", "gone", "--reason", "superseded", "--yes"]);
      await home.ok(["delete", "gone", "--purge", "--confirm", "gone"]);
    },
  },
  {
    id: "operation-open",
    level: "waiting",
    key: "prod/payments",
    bring: async () => {
      await make("payments");
      await leaveOpen("payments", true);
    },
  },
  {
    id: "vault-task",
    level: "waiting",
    key: "prod/db",
    bring: async () => {
      await makeSecret("db");
      await home.ok(["rotate", "db", "--generate", "--yes"]);
      later(25 * hourMs);
    },
  },
  {
    id: "maintenance-late",
    level: "waiting",
    key: null,
    bring: async () => {
      later(3 * dayMs);
      await Promise.resolve();
    },
  },
  {
    id: "checkpoint-late",
    level: "notice",
    key: null,
    bring: async () => {
      const value = await make("payments");
      await home.ok(["verify"], { stdin: value });
      later(3 * dayMs);
    },
  },
  {
    id: "never-used",
    level: "notice",
    key: "prod/payments",
    bring: async () => {
      await make("payments");
      later(30 * dayMs);
    },
  },
  {
    id: "stale",
    level: "notice",
    key: "prod/payments",
    bring: async () => {
      const value = await make("payments");
      await home.ok(["verify"], { stdin: value });
      later(90 * dayMs);
    },
  },
  {
    id: "suspended",
    level: "notice",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments");
      await home.ok(["suspend", "payments", "--reason", "test"]);
    },
  },
  {
    id: "deleted",
    level: "notice",
    key: "prod/payments",
    with: ["--yes"],
    bring: async () => {
      await make("payments");
      await home.ok(["delete", "payments", "--yes"]);
    },
  },
  {
    id: "deleted",
    level: "notice",
    key: "prod/old",
    with: ["--confirm", "old"],
    bring: async () => {
      await make("old");
      await home.ok(["delete", "old", "--yes"]);
      later(30 * dayMs);
    },
  },
];

/** The line's own command, as a person copies it. */
async function runPrinted(command: string, cause: Cause): Promise<void> {
  const [program, ...argv] = command.split(" ");
  expect(program).toBe("keyctl");
  await home.ok([...argv, ...(cause.with ?? [])], cause.input);
}

describe("what needs attention", () => {
  it.each(causes)("is $id, and is gone once the command printed with it was run", async (cause) => {
    await cause.bring();
    const before = await status();
    const found = before.findings.filter(({ id }) => id === cause.id);
    expect(found).toMatchObject([{ id: cause.id, level: cause.level, key: cause.key }]);
    expect(before.counts[cause.id]).toBe(1);
    if (cause.level === "waiting") expect(before).toMatchObject({ code: 8, verdict: "waiting" });
    await runPrinted(found[0]?.command ?? "", cause);
    const after = await status();
    expect(after.findings.filter(({ id }) => id === cause.id)).toEqual([]);
    expect(after.counts[cause.id]).toBe(0);
  });

  it("is nothing in a new home, and only a notice does not wake a monitor", async () => {
    expect(await status()).toMatchObject({ code: 0, verdict: "ok", findings: [] });
    await make("payments");
    await home.ok(["rotate", "payments", "--yes"]);
    expect(await status()).toMatchObject({ code: 0, verdict: "ok", findings: [{ id: "grace-running" }] });
  });

  it("is a running operation too, as a notice, while its process lives", async () => {
    await make("payments");
    await leaveOpen("payments", false);
    const seen = await status();
    expect(seen).toMatchObject({ code: 0, findings: [{ id: "operation-running", key: "prod/payments" }] });
  });

  it("is an unusual use for a week", async () => {
    await make("payments");
    alterStore(home, "update keys set anomaly_at = :now", { now: home.now - 1 });
    expect(await status()).toMatchObject({ code: 8, findings: [{ id: "anomaly", key: "prod/payments" }] });
    later(7 * dayMs);
    await home.ok(["reconcile", "--fix"]);
    expect((await status()).counts["anomaly"]).toBe(0);
  });

  it("is a key that nobody uses: never in thirty days, or not any more for ninety", async () => {
    const used = await make("used");
    await make("idle");
    await home.ok(["verify"], { stdin: used });
    later(30 * dayMs);
    const idle = (seen: Seen, kind: string) =>
      seen.findings.filter(({ id }) => id === kind).map(({ key }) => key);
    expect(idle(await status(), "never-used")).toEqual(["prod/idle"]);
    expect(idle(await status(), "stale")).toEqual([]);
    later(60 * dayMs);
    expect(idle(await status(), "stale")).toEqual(["prod/used"]);
  });

  it("is counted where it is too much to be shown, and the printed command shows it all", async () => {
    for (const name of ["a", "b", "c"]) await make(name);
    later(90 * dayMs);
    await home.ok(["reconcile", "--fix"]);
    const shown = await home.run(["status", "--limit", "1"]);
    expect(shown.out).toContain("and 2 more → keyctl status --limit 3\n");
    const seen = await status("--limit", "1");
    expect(seen.counts["rotation-required"]).toBe(3);
    expect(seen.findings.filter(({ id }) => id === "rotation-required")).toHaveLength(1);
    const whole = await home.run(["status", "--limit", "3"]);
    expect(whole.out).not.toContain(" more →");
    for (const name of ["a", "b", "c"]) expect(whole.out).toContain(`keyctl rotate prod/${name}\n`);
  });

  it("is named with the flags that lead to the same place", async () => {
    await make("payments");
    await home.ok(["rotate", "payments", "--yes"]);
    const { findings } = await status("--tenant", "default", "--store", `sqlite:${home.path}/store.db`);
    expect(findings[0]?.command).toBe(
      `keyctl revoke prod/payments --version 1 --reason superseded --store sqlite:${home.path}/store.db --tenant default`,
    );
  });
});

describe("the log", () => {
  it("is read at its end: an entry that was changed is exit 11, and its tale is not told", async () => {
    const value = await make("payments");
    await home.ok(["verify"], { stdin: value });
    alterStore(
      home,
      "drop trigger audit_entries_refuses_update; update audit_entries set bytes = cast(replace(bytes, 'key.verify', 'key.rotate') as blob)",
    );
    const seen = await status();
    expect(seen).toMatchObject({ code: 11, verdict: "broken", attempts: null, accesses: null });
    expect(seen.findings[0]).toMatchObject({ id: "log-broken", command: "keyctl audit-verify" });
    expect((await home.run(["audit-verify"])).code).toBe(11);
    expect((await home.run(["status"])).out).toContain("the log is not whole");
  });

  it.each([
    ["entries were cut off it", "delete from audit_entries where seq > 1"],
    ["its head was set back", "update audit_heads set size = 1"],
    ["its tree was emptied", "update audit_heads set size = 0, frontier = x''"],
  ])("is exit 11 when %s", async (_what, statement) => {
    await make("payments");
    alterStore(home, `drop trigger audit_entries_refuses_delete; ${statement}`);
    expect(await status()).toMatchObject({ code: 11, verdict: "broken" });
  });

  it("is exit 11 when this client has seen more of it: an older store was put back", async () => {
    await make("first");
    const putBack = copyFile(home, "store.db");
    await make("second");
    await home.ok(["reconcile", "--fix"]);
    expect((await status()).code).toBe(0);
    putBack();
    const seen = await status();
    expect(seen).toMatchObject({ code: 11, findings: [{ id: "log-broken" }] });
    expect(seen.findings[0]?.message).toMatch(/the checkpoint that this client remembers was of \d+$/);
  });

  it("gives the newest uses of keys and what was refused, newest first, at most as many as asked for", async () => {
    const value = await make("payments");
    await make("other");
    later(1_000);
    await home.ok(["verify"], { stdin: value });
    later(1_000);
    expect((await home.run(["verify"], { stdin: `${value.slice(0, -1)}-` })).code).toBe(13);
    const seen: unknown = await status();
    const refused = { operation: "key.verify", outcome: "denied", key: null, actor: "tester" };
    expect(seen).toMatchObject({
      code: 0,
      attempts: [refused],
      accesses: [refused, { operation: "key.verify", outcome: "success", key: "prod/payments" }],
      findings: [{ id: "refusals", level: "notice" }],
    });
    expect(await status("--limit", "1")).toMatchObject({ accesses: [refused] });
    later(7 * dayMs + 1);
    expect(await status()).toMatchObject({ attempts: [], counts: { refusals: 0 } });
  });
});

describe("status", () => {
  it("needs no vault, changes no byte of the store, and says what it does not know", async () => {
    await make("payments");
    const before = readStore(home, "select * from audit_entries");
    rmSync(`${home.path}/vault.db`);
    const { code, out, err } = await home.run(["status"]);
    expect(code, err).toBe(0);
    expect(err).toBe("");
    expect(out).toContain("not looked at here: the vault, signatures → keyctl doctor, keyctl audit-verify");
    expect(readStore(home, "select * from audit_entries")).toEqual(before);
  });

  it("fits a terminal of 80 columns, and never breaks a command", async () => {
    const long = `a-key-${"of-a-long-name-".repeat(3)}`.slice(0, -1);
    await make(long);
    await home.ok(["rotate", long, "--yes"]);
    await home.run(["verify"], { stdin: "nonsense" });
    later(91 * dayMs);
    const { out } = await home.run(["status"], { terminal: { stdout: true }, env: { NO_COLOR: "1" } });
    const { findings } = await status();
    expect(findings.length).toBeGreaterThan(2);
    for (const { command } of findings) expect(out).toContain(`→ ${command}\n`);
    const wide = out.split("\n").filter((line) => line.length > 80);
    for (const line of wide) expect(line).toMatch(/^ +→ keyctl /);
  });

  it("gives one finding a line as jsonl, a table as csv, and keys' names", async () => {
    await make("payments");
    await makeSecret("db");
    await home.ok(["rotate", "payments", "--yes"]);
    later(91 * dayMs);
    const lines = (await home.run(["status", "-o", "jsonl"])).out.trimEnd().split("\n");
    const ids = lines.map((line): unknown => JSON.parse(line).id);
    expect(ids).toContain("maintenance-late");
    const csv = (await home.run(["status", "-o", "csv"])).out.trimEnd().split("\n");
    expect(csv[0]).toBe("level,id,key,version,since,until,message,command");
    expect(csv).toHaveLength(lines.length + 1);
    expect((await home.run(["status", "-o", "name"])).out.split("\n")).toContain("prod/db");
  });

  it("shows a user its own keys only, and nothing of the log and the upkeep", async () => {
    await make("mine", "--owner", "user:tester");
    await make("theirs", "--owner", "user:other");
    await makeProvider("theirs-too", "--owner", "user:other");
    for (const name of ["mine", "theirs"]) await home.ok(["rotate", name, "--yes"]);
    await home.run(["revoke", "theirs-too", "--reason", "superseded", "--yes"]);
    later(100 * dayMs);
    alterStore(home, "update memberships set role = 'user'");
    const seen: unknown = await status();
    expect(seen).toMatchObject({
      scope: "own",
      attempts: null,
      accesses: null,
      checkpoint: null,
      maintenance: null,
    });
    expect(seen).toMatchObject({ totals: { byState: { active: 1 }, rotationRequired: 1 } });
    expect(JSON.stringify(seen)).not.toContain("theirs");
    const { out } = await home.run(["status"]);
    expect(out).toContain("default, your own keys");
    expect(out).not.toMatch(/theirs|maintenance|entries/);
  });

  it("is refused to an auditor, who is sent to the log; the refusal is an entry there", async () => {
    await make("payments");
    alterStore(home, "update memberships set role = 'auditor'");
    const refused = await home.run(["status"]);
    expect(refused.code).toBe(5);
    expect(refused.out).toBe("");
    expect(refused.err).toContain("hint: keyctl audit-verify and keyctl audit-list show the log");
    const [entry] = readStore(home, "select * from audit_entries order by ts desc, seq desc limit 1");
    expect(entry).toMatchObject({ operation: "tenant.status", outcome: "denied", sensitivity: "CRITICAL" });
  });

  it("looks at every environment, and at no other tenant", async () => {
    await make("dev/payments");
    await make("prod/payments");
    later(90 * dayMs);
    const keys = (await status("--env", "test")).findings.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(["dev/payments", "prod/payments"]));
    alterStore(
      home,
      `insert into tenants (id, name, name_folded, created_at) values ('elsewhere', 'e', 'e', 1);
       update keys set tenant_id = 'elsewhere' where env = 'dev'`,
    );
    expect((await status()).findings.map(({ key }) => key)).not.toContain("dev/payments");
  });
});
