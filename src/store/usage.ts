import { sql } from "kysely";
import type { StoreReader, StoreTransaction, UsageEvent } from "../app/ports.ts";
import type { DataKeyRow, UsageEventRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

/** A busy back end writes thousands of rows a second: one statement per row takes longer on its way than in the database. */
const rowsPerStatement = 50;

const insertOf = (count: number): FixedQuery<never> => {
  const rows = Array.from({ length: count }, () => sql`(${""}, ${0}, ${0}, ${""}, ${0}, ${0}, ${null})`);
  return (db) => ({
    compile: () =>
      sql<never>`insert into usage_events (log, seq, place, key_id, version, at, request_id)
        values ${sql.join(rows)}`.compile(db),
  });
};
const insertOne = insertOf(1);
const insertMany = insertOf(rowsPerStatement);
const ofBatch: FixedQuery<UsageEventRow> = (db) =>
  db.selectFrom("usage_events").selectAll().where("log", "=", "").where("seq", "=", 0).orderBy("place");
const dataKeyCount: FixedQuery<{ count: number }> = (db) =>
  db
    .selectFrom("data_keys")
    .select(sql<number>`count(*)`.as("count"))
    .where("key_id", "=", "")
    .where("version", "=", 0);

/** Reads of what keys were used for. */
export function usageReader(session: Session): Pick<StoreReader, "usageEvents" | "countDataKeys"> {
  return {
    usageEvents: async ({ log, seq }) =>
      (await lookup(session, ofBatch, [log, seq])).map((row) => ({
        keyId: row.key_id,
        version: row.version,
        at: row.at,
        requestId: row.request_id,
      })),
    countDataKeys: async ({ keyId, version }) =>
      Number((await lookup(session, dataKeyCount, [keyId, version]))[0]?.count ?? 0),
  };
}

/** Writes of what keys were used for. */
export function usageWriter(session: Session): Pick<StoreTransaction, "insertUsage" | "insertDataKey"> {
  return {
    insertUsage: async ({ log, seq, events }) => {
      const row = ({ keyId, version, at, requestId }: UsageEvent, place: number) => [
        log,
        seq,
        place,
        keyId,
        version,
        at,
        requestId,
      ];
      const rows = events.map(row);
      const whole = rows.length - (rows.length % rowsPerStatement);
      for (let start = 0; start < whole; start += rowsPerStatement) {
        await lookup(session, insertMany, rows.slice(start, start + rowsPerStatement).flat());
      }
      for (const single of rows.slice(whole)) await lookup(session, insertOne, single);
    },
    insertDataKey: async ({ id, tenantId, keyId, version, createdAt }) => {
      const row: DataKeyRow = { id, tenant_id: tenantId, key_id: keyId, version, created_at: createdAt };
      await session.db.insertInto("data_keys").values(row).execute();
    },
  };
}
