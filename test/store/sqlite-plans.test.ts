import SqliteDatabase from "better-sqlite3";
import { Kysely } from "kysely";
import { describe, expect, it } from "vitest";
import type { KeyFilter, Store } from "../../src/app/ports.ts";
import { revocableStates } from "../../src/core/denial.ts";
import { keyConditions, versionConditions } from "../../src/core/key-health.ts";
import { migrate } from "../../src/store/migrate.ts";
import type { Tables } from "../../src/store/schema.ts";
import { sqliteDialect } from "../../src/store/sqlite/dialect.ts";
import { kyselyDialect } from "../../src/store/sqlite/driver.ts";
import { storeOver } from "../../src/store/store.ts";
import { addSimpleKey, collect, insertPeople } from "./place.ts";
import {
  actor,
  auditAppend,
  chainTree,
  idOf,
  keyRecord,
  leakTag,
  operation,
  outboxItem,
  otherProcess,
  revocation,
  someProcess,
  tenant,
} from "./records.ts";

/** Tables that grow with use: none of them may be read from end to end, nor sorted whole. */
const large =
  /\b(keys|key_versions|wrapped_keys|leak_tags|operations|outbox|revocations|audit_\w+|vault_references)\b/;

interface Seen {
  sql: string;
  parameters: readonly unknown[];
}

/** A store in memory that notes every statement it sends. */
async function watchedStore(): Promise<{
  store: Store;
  seen: Map<string, Seen>;
  database: SqliteDatabase.Database;
}> {
  const seen = new Map<string, Seen>();
  const database = new SqliteDatabase(":memory:");
  const dialect = sqliteDialect(chainTree);
  const db = new Kysely<Tables>({
    dialect: kyselyDialect(database, ":memory:"),
    log: ({ query }) => void seen.set(query.sql, { sql: query.sql, parameters: query.parameters }),
  });
  await migrate(db, dialect, () => ({ uuid: idOf(9, 9), createdAt: 1 }));
  const store = storeOver({ url: "sqlite::memory:", db, dialect, clock: { now: () => 1 } });
  await store.transaction(insertPeople);
  await addSimpleKey(store, { publicId: "p-1" });
  seen.clear();
  return { store, seen, database };
}

function planOf(database: SqliteDatabase.Database, { sql, parameters }: Seen): string[] {
  const rows = database
    .prepare<unknown[], { detail: string }>(`explain query plan ${sql}`)
    .all(...parameters);
  return rows.map((row) => row.detail);
}

/** A walk over a partial index of what is open is short however long the table is. */
function isWholeTable(step: string): boolean {
  return step.startsWith("SCAN ") && large.test(step) && !/USING (COVERING )?INDEX \w+_open\b/.test(step);
}

async function readAll(store: Store): Promise<void> {
  const key = idOf(3, 1);
  await store.keyById(key);
  await store.keysNamed({ tenantId: tenant.id, name: "x", limit: 20 });
  await store.keyByName({ tenantId: tenant.id, env: "prod", name: "x" });
  await store.keysByIds([key]);
  await store.versions(key);
  await store.versionsOfKeys([key]);
  await store.versionByPublicId("p-1");
  await store.wrappedKeys(key, 1);
  await store.overdueVersions(9, 10, [tenant.id]);
  await store.rootReferences("kek");
  await store.leakTagsOf(key);
  await store.matchLeakTag(new Uint8Array(32));
  await collect(store.leakTags(tenant.id));
  await store.operationById(idOf(4, 1));
  await store.openOperationOf(key);
  await store.openOperations();
  await store.idempotentRequest({ tenantId: tenant.id, actorId: actor.id, verb: "create", key: "k" });
  await store.outbox({ limit: 5 });
  await store.outbox({ limit: 5, tenantIds: [tenant.id], dueAt: 5 });
  await store.outbox({ limit: 5, keyId: key, dueAt: 5 });
  await store.outboxOfOperation(idOf(4, 1));
  await store.revocations(key);
  await store.revocationsOfOperation(idOf(4, 1));
  await store.openUpstreams(tenant.id);
}

async function readAudit(store: Store): Promise<void> {
  const log = "system";
  await store.auditHead(log);
  await store.auditPersonal(log, 0);
  await store.checkpoints(log);
  await store.newestCheckpoint(log);
  const conditions = [
    {},
    { since: 1, until: 99_999 },
    { actorId: actor.id },
    { keyId: idOf(3, 1) },
    { operation: "key.rotate" },
  ];
  for (const condition of [...conditions, { operationId: idOf(4, 1) }]) {
    for (const newestFirst of [false, true])
      await collect(store.auditEntries({ log, newestFirst, ...condition }));
  }
}

async function writeAll(store: Store): Promise<void> {
  const keyId = idOf(3, 1);
  await store.transaction(async (tx) => {
    await tx.insertLeakTag(leakTag(keyId, 1));
    await tx.insertOperation(operation(1));
    await tx.takeOperation({ id: idOf(4, 1), from: someProcess, to: otherProcess, at: 2 });
    await tx.advanceOperation({
      id: idOf(4, 1),
      owner: otherProcess,
      from: "record",
      to: "note",
      status: "open",
      at: 3,
    });
    await tx.closeOperations({ keyIds: [keyId], status: "superseded", at: 4 });
    await tx.insertOutbox([outboxItem(1)]);
    await tx.deferOutbox(idOf(5, 1), 9);
    await tx.cancelOutbox({ keyId, version: 1, task: "disable-key", at: 9 });
    await tx.finishOutbox(idOf(5, 1), 9);
    await tx.insertRevocations([revocation(1)]);
    await tx.updateRevocation(idOf(6, 1), { undoneAt: 9 });
    await tx.purgeIdempotentRequests(1);
    await tx.updateKey({ ...keyRecord(1), revision: 2 }, 1);
    await tx.updateVersion({ keyId, version: 1, from: "active", set: { vaultReference: "vault://a/1" } });
    await tx.touchVersion({ keyId, version: 1, lastUsedAt: 9 });
    await tx.touchReference("vault://a/1", 9);
    const denial = {
      keyIds: [keyId],
      version: null,
      from: revocableStates("revoked"),
      to: "revoked",
    } as const;
    await tx.denyVersions({ ...denial, from: [...denial.from], keyIds: [keyId], reason: "cessation", at: 9 });
    await tx.denyKeys({ keyIds: [keyId], state: "revoked", updatedAt: 9 });
    await tx.appendAudit("system", [auditAppend(1, { keyId, operationId: idOf(4, 1) })]);
  });
}

const filters: KeyFilter[] = [
  {},
  ...(["pending", "active", "rotated", "inactive", "revoked", "expired", "deleted"] as const).map(
    (state) => ({ state }),
  ),
  { kind: "issued" },
  { type: "PHI_DATA" },
  { type: "PHI_DATA", state: "active" },
  { provider: "openai" },
  { owner: "user:1" },
  { tags: { a: "b" } },
  { expiringBefore: 50 },
  { unusedSince: 50 },
];

describe("query plans of the sqlite store", () => {
  it("no read and no write goes through a large table from end to end", async () => {
    const { store, seen, database } = await watchedStore();
    await writeAll(store);
    await readAll(store);
    await readAudit(store);
    const plans = [...seen.values()].filter(({ sql }) => /^\s*(select|update|delete|insert)/.test(sql));
    expect(plans.length).toBeGreaterThan(50);
    for (const statement of plans) {
      const whole = planOf(database, statement).filter(isWholeTable);
      expect([statement.sql, whole]).toEqual([statement.sql, []]);
    }
  });

  it("a list is read in the order of an index, so that a page costs a page; only what is about to expire is sorted", async () => {
    const { store, seen, database } = await watchedStore();
    for (const env of ["prod", null]) {
      for (const filter of filters) {
        for (const after of [null, { name: "a", id: "b" }]) {
          seen.clear();
          await store.listKeys({ tenantId: tenant.id, env, filter, now: 9, limit: 10, after });
          for (const statement of seen.values()) {
            const steps = planOf(database, statement);
            expect([filter, steps.filter(isWholeTable)]).toEqual([filter, []]);
            const sorts = steps.some((step) => step.includes("TEMP B-TREE"));
            if (sorts)
              expect([filter, steps.join()]).toEqual([filter, expect.stringContaining("keys_by_expiry")]);
          }
        }
      }
    }
  });

  it("a filter that may match few keys has an index of its own, so that a page does not cost a walk", async () => {
    const { store, seen, database } = await watchedStore();
    const indexes: [KeyFilter, string][] = [
      [{ state: "revoked" }, "keys_by_state"],
      [{ state: "active" }, "keys_by_state"],
      [{ kind: "issued" }, "keys_by_kind"],
      [{ type: "PHI_DATA" }, "keys_by_type"],
      [{ provider: "openai" }, "keys_by_provider"],
      [{ owner: "user:1" }, "keys_by_owner"],
      [{ type: "PHI_DATA", state: "active" }, "keys_by_(type|state)"],
      [{ state: "expired" }, "keys_by_expiry .* keys_by_state"],
      [{ expiringBefore: 50 }, "keys_by_expiry"],
    ];
    for (const [filter, index] of indexes) {
      for (const after of [null, { name: "a", id: "b" }]) {
        seen.clear();
        await store.listKeys({ tenantId: tenant.id, env: "prod", filter, now: 9, limit: 10, after });
        const steps = [...seen.values()].flatMap((statement) => planOf(database, statement));
        expect([filter, steps.join("; ")]).toEqual([filter, expect.stringMatching(`USING INDEX ${index} `)]);
      }
    }
  });

  it("what needs attention is found in an index of its own, however many keys there are that do not", async () => {
    const { store, seen, database } = await watchedStore();
    const steps = () => [...seen.values()].flatMap((statement) => planOf(database, statement)).join("; ");
    const ofTenant = { tenantId: tenant.id, ownedBy: null, now: 9 };
    const ofOwners = { ...ofTenant, ownedBy: ["user:1", "user:2"] };
    const indexes: Record<(typeof keyConditions)[number], string> = {
      secure: "keys_by_rotation (tenant_id=? AND <expr>>?)",
      "rotation-soon": "keys_by_rotation (tenant_id=? AND <expr>>? AND <expr><?)",
      "rotation-required": "keys_by_rotation (tenant_id=? AND <expr><?)",
      expiring: "keys_by_expiry (tenant_id=? AND expires_at>? AND expires_at<?)",
      overdue: "keys_by_expiry (tenant_id=? AND expires_at>? AND expires_at<?)",
      expired: "keys_in_state (tenant_id=? AND state=?)",
      "never-used": "keys_never_used (tenant_id=? AND created_at<?)",
      stale: "keys_by_last_use (tenant_id=? AND last_used_at>? AND last_used_at<?)",
      suspended: "keys_in_state (tenant_id=? AND state=?)",
      deleted: "keys_in_state (tenant_id=? AND state=?)",
      compromised: "keys_in_state (tenant_id=? AND state=?)",
      anomaly: "keys_by_anomaly (tenant_id=? AND anomaly_at>?)",
    };
    for (const condition of keyConditions) {
      seen.clear();
      await store.keysInCondition(ofTenant, condition, 10);
      await store.countKeys(ofTenant, condition, 10);
      // Both statements, the page in the order of the index.
      expect([condition, steps().split(`INDEX ${indexes[condition]}`)]).toHaveProperty("1.length", 3);
      expect(steps()).not.toContain("TEMP B-TREE");
      seen.clear();
      await store.keysInCondition(ofOwners, condition, 10);
      await store.countKeys(ofOwners, condition, 10);
      expect(steps().split("INDEX keys_of_owner (owner=?)")).toHaveLength(3);
    }
  });

  it("totals, graces, seen values, tasks and refusals are ranges of indexes too", async () => {
    const { store, seen, database } = await watchedStore();
    const plan = async (read: () => Promise<unknown>): Promise<string[]> => {
      seen.clear();
      await read();
      const steps = [...seen.values()].flatMap((statement) => planOf(database, statement));
      expect(steps.filter(isWholeTable)).toEqual([]);
      return steps.filter((step) => step.includes(" INDEX "));
    };
    const scope = { tenantId: tenant.id, ownedBy: null, now: 9 };
    const totals = await plan(async () => await store.keyTotals(scope, 10));
    expect(new Set(totals)).toEqual(
      new Set(["SEARCH keys USING COVERING INDEX keys_in_state (tenant_id=? AND state=? AND kind=?)"]),
    );
    const indexes = { "in-grace": "key_versions_by_grace (grace_until>?)", seen: "key_versions_seen" };
    for (const condition of versionConditions) {
      const [first] = await plan(async () => await store.versionsInCondition(scope, condition, 10));
      expect(first).toContain(`chosen USING INDEX ${indexes[condition]}`);
      const [counted] = await plan(async () => await store.countVersions(scope, condition, 10));
      expect(counted).toContain(`chosen USING INDEX ${indexes[condition]}`);
    }
    const due = await plan(async () => await store.dueOutbox({ tenantId: tenant.id, now: 9, limit: 10 }));
    expect(due).toEqual([
      expect.stringContaining("outbox_open_of_tenant (tenant_id=? AND attempts>?)"),
      expect.stringContaining("outbox_open_of_tenant (tenant_id=? AND attempts=? AND not_before<?)"),
    ]);
    const refused = { log: tenant.id, since: 1 };
    for (const read of [
      async () => await store.refusals({ ...refused, limit: 10 }),
      async () => await store.countRefusals({ ...refused, max: 10 }),
    ]) {
      expect(await plan(read)).toEqual([
        expect.stringMatching(/INDEX audit_entries_not_done \(log=\? AND ts>\?\)/),
      ]);
    }
  });

  it("a bulk revoke finds its keys by tenant, owner or provider; by tags alone it must look at every key", async () => {
    const { store, seen, database } = await watchedStore();
    const planFor = async (selector: Parameters<Store["selectKeyIds"]>[0]) => {
      seen.clear();
      await store.selectKeyIds(selector);
      return [...seen.values()].flatMap((statement) => planOf(database, statement)).filter(isWholeTable);
    };
    expect(await planFor({ tenantId: tenant.id })).toEqual([]);
    expect(await planFor({ tenantId: tenant.id, tags: { a: "b" } })).toEqual([]);
    expect(await planFor({ owner: "user:1" })).toEqual([]);
    expect(await planFor({ provider: "openai" })).toEqual([]);
    expect(await planFor({ tags: { a: "b" } })).toHaveLength(1);
  });
});
