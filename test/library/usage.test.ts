import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseEntry } from "../../src/audit/entry.ts";
import type { AuditEntry } from "../../src/audit/entry.ts";
import { usageRoot } from "../../src/audit/usage.ts";
import type { UsageEvent } from "../../src/app/ports.ts";
import { alterStore, readStore } from "../e2e/altered-store.ts";
import { withSession } from "../e2e/invariants.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, OpenedKeyring } from "../fakes/home.ts";

let home: Home;
let keyring: OpenedKeyring;
let issued: string;

beforeEach(async () => {
  home = await makeHome();
  issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
  keyring = await home.keyring();
});
afterEach(async () => {
  await keyring.close();
  home.remove();
});

interface Logged {
  entry: AuditEntry;
  rows: UsageEvent[];
}

/** What the library wrote of one operation, oldest first, with the rows that belong to it. */
async function logged(operation: string): Promise<Logged[]> {
  return await withSession(home, async ({ store, caller }) => {
    const found: Logged[] = [];
    for await (const { bytes, seq } of store.auditEntries({ log: caller.tenant.id, operation })) {
      const rows = await store.usageEvents({ log: caller.tenant.id, seq });
      found.push({ entry: parseEntry(bytes), rows });
    }
    return found;
  });
}

const afterOf = ({ entry }: Logged): Record<string, unknown> => entry.after as Record<string, unknown>;
const times = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let done = 0; done < count; done += 1) await work();
};

describe("validations", () => {
  it("are written when a minute is over: each a row, all of them one entry with the root of their bytes", async () => {
    const begun = home.now;
    await keyring.verify(issued, { requestId: "request-1" });
    home.now += 59_999;
    await keyring.verify(issued);
    keyring.look();
    await keyring.verify(issued);
    expect(await logged("usage.batch")).toEqual([]);
    home.now += 1;
    keyring.look();
    await keyring.flush();
    const [batch, ...more] = await logged("usage.batch");
    expect(more).toEqual([]);
    if (batch === undefined) throw new Error("nothing was written");
    const { keyId } = await keyring.verify(issued);
    expect(batch.rows).toEqual([
      { keyId, version: 1, at: begun, requestId: "request-1" },
      { keyId, version: 1, at: begun + 59_999, requestId: null },
      { keyId, version: 1, at: begun + 59_999, requestId: null },
    ]);
    expect(batch.entry).toMatchObject({ outcome: "success", sensitivity: "MEDIUM", key: null });
    expect(batch.entry.after).toEqual({
      rows: 3,
      root: Buffer.from(usageRoot(batch.rows)).toString("hex"),
      keys: { [String(keyId)]: 3 },
      since: begun,
      until: begun + 59_999,
      unrecorded: 0,
    });
  });

  it("are written by the thousand when there are many, and none is lost or doubled", async () => {
    await times(2_500, async () => await keyring.verify(issued));
    await keyring.flush();
    const batches = await logged("usage.batch");
    expect(batches.map(({ rows }) => rows.length).reduce((sum, count) => sum + count)).toBe(2_500);
    for (const batch of batches) {
      expect(batch.rows.length).toBeLessThanOrEqual(1_000);
      expect(afterOf(batch)["root"]).toBe(Buffer.from(usageRoot(batch.rows)).toString("hex"));
    }
  });

  it("move the key's time of last use with their batch, not before", async () => {
    const lastUse = async (): Promise<number | null> => {
      const [key] = JSON.parse(await home.ok(["list", "-o", "json"])) as { lastUsedAt: string | null }[];
      return key?.lastUsedAt == null ? null : Date.parse(key.lastUsedAt);
    };
    await keyring.verify(issued);
    expect(await lastUse()).toBeNull();
    await keyring.flush();
    expect(await lastUse()).toBe(home.now);
  });

  it("carry no secret, not even one that was passed as the request's id", async () => {
    await keyring.verify(issued, { requestId: issued });
    await keyring.verify(issued, { requestId: "with blank" });
    await keyring.verify(issued, { requestId: "r".repeat(65) });
    await keyring.flush();
    const [batch] = await logged("usage.batch");
    expect(batch?.rows.map(({ requestId }) => requestId)).toEqual([
      "[redacted:keyctl-issued-key]",
      null,
      null,
    ]);
  });
});

describe("denials", () => {
  const wrong = "not-a-key";

  it("are an entry each, with where they came from as commitments", async () => {
    await keyring.verify(wrong, { ip: "192.0.2.1", userAgent: "agent/1", requestId: "r-1" });
    keyring.look();
    await keyring.flush();
    const [denial, ...more] = await logged("key.verify");
    expect(more).toEqual([]);
    expect(denial?.entry).toMatchObject({ outcome: "denied", sensitivity: "HIGH", key: null });
    expect(denial?.entry.after).toEqual({ version: null, reason: "invalid", requestId: "r-1" });
    expect(Object.keys(denial?.entry.personal ?? {})).toEqual(expect.arrayContaining(["ip", "userAgent"]));
    expect(JSON.stringify(denial?.entry)).not.toContain("192.0.2.1");
  });

  it("name the key when the secret was right", async () => {
    await home.ok(["revoke", "orders", "--reason", "superseded", "--yes"]);
    await keyring.verify(issued);
    await keyring.flush();
    const [denial] = await logged("key.verify");
    expect(denial?.entry).toMatchObject({
      key: { name: "orders" },
      after: { version: 1, reason: "revoked" },
    });
  });

  it("beyond 60 a minute of one key are one entry that counts them; other keys' are not among them", async () => {
    await home.ok(["revoke", "orders", "--reason", "superseded", "--yes"]);
    await times(100, async () => await keyring.verify(wrong));
    await times(5, async () => await keyring.verify(issued));
    await keyring.flush();
    expect(await logged("key.verify")).toHaveLength(65);
    home.now += 60_000;
    keyring.look();
    await keyring.flush();
    const counts = (await logged("key.verify")).slice(65);
    expect(counts.map(({ entry }) => [entry.key, entry.after])).toEqual([
      [null, { count: 40, denied: { invalid: 40 }, since: home.now - 60_000 }],
    ]);
    await keyring.verify(wrong);
    await keyring.flush();
    expect(await logged("key.verify")).toHaveLength(67);
  });

  it("begin a new minute by themselves, also when nobody looked meanwhile", async () => {
    await times(61, async () => await keyring.verify(wrong));
    home.now += 60_000;
    await keyring.verify(wrong);
    await keyring.flush();
    const afters = (await logged("key.verify")).slice(60).map(afterOf);
    expect(afters).toEqual([
      { count: 1, denied: { invalid: 1 }, since: home.now - 60_000 },
      { version: null, reason: "invalid", requestId: null },
    ]);
  });

  it("are counted to the end when the keyring is closed", async () => {
    await times(70, async () => await keyring.verify(wrong));
    await keyring.close();
    const all = await logged("key.verify");
    expect(all).toHaveLength(61);
    expect(all.at(-1)?.entry.after).toMatchObject({ count: 10 });
  });
});

describe("audit-verify --state", () => {
  const verify = async (): Promise<{ code: number; out: string }> =>
    await home.run(["audit-verify", "--state"]);

  it("finds validations in order, and finds every row that was changed, added or taken away", async () => {
    await times(3, async () => await keyring.verify(issued));
    await keyring.flush();
    expect(await verify()).toMatchObject({ code: 0 });
    const [row] = readStore(home, "select * from usage_events where place = 2");
    const changes = [
      "update usage_events set version = 2 where place = 1",
      "update usage_events set version = -1",
      "update usage_events set version = 1, key_id = 'x'",
      "update usage_events set version = 1, key_id = (select id from keys); delete from usage_events where place = 2",
    ];
    for (const change of changes) {
      alterStore(home, change);
      const { code, out } = await verify();
      expect(code).toBe(11);
      expect(out).toMatch(/the validations that entry \d+ counted are not the ones in the store/);
    }
    if (row === undefined) throw new Error("the row is not there");
    const values = "values (:log, :seq, :place, :key_id, :version, :at, :request_id)";
    alterStore(home, `insert into usage_events ${values}`, row);
    expect(await verify()).toMatchObject({ code: 0 });
  });
});

describe("a store that cannot be written", () => {
  it("keeps nobody waiting: keys are judged, and what is to be written is written later, whole", async () => {
    await withSession(home, async ({ store }) => {
      await store.transaction(async () => {
        expect(await keyring.verify(issued)).toMatchObject({ valid: true });
        home.now += 60_000;
        keyring.look();
        await expect(keyring.flush()).rejects.toMatchObject({ code: "unavailable", retryable: true });
      });
    });
    expect(keyring.warnings.join()).toContain("is tried again: the store is locked");
    await keyring.flush();
    const batches = await logged("usage.batch");
    expect(batches.map(({ rows }) => rows.length)).toEqual([1]);
  });
});
