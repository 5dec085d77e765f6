import { sql } from "kysely";
import type { RawBuilder, SqlBool } from "kysely";
import type { AuditQuery, AuditRow, StoreReader, StoreTransaction, StoredCheckpoint } from "../app/ports.ts";
import { plainBytes } from "./column-values.ts";
import type { AuditCheckpointRow, AuditHeadRow, AuditPersonalRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

/**
 * A page grows to at most this many entries, and to about this many bytes. What lives longer than a page of this size is
 * only freed by a full garbage collection: with 4 MiB an export held twice the memory, and was no faster.
 */
const pageEntriesMax = 5_000;
const pageBytes = 128 * 1024;
/** The first page is small: many readers want only a few entries. */
const firstPageEntries = 200;

const logs: FixedQuery<{ log: string }> = (db) => db.selectFrom("audit_heads").select("log").orderBy("log");
const headOf: FixedQuery<AuditHeadRow> = (db) =>
  db.selectFrom("audit_heads").selectAll().where("log", "=", "");
const personalOf: FixedQuery<AuditPersonalRow> = (db) =>
  db
    .selectFrom("audit_personal_data")
    .selectAll()
    .where("log", "=", "")
    .where("seq", "=", 0)
    .orderBy("field");
const checkpointsOf: FixedQuery<AuditCheckpointRow> = (db) =>
  db.selectFrom("audit_checkpoints").selectAll().where("log", "=", "").orderBy("size").orderBy("created_at");
const newestOf: FixedQuery<AuditCheckpointRow> = (db) =>
  db
    .selectFrom("audit_checkpoints")
    .selectAll()
    .where("log", "=", "")
    .orderBy("size", "desc")
    .orderBy("created_at", "desc")
    .limit(sql.lit(1));

function checkpoint(row: AuditCheckpointRow): StoredCheckpoint {
  return { log: row.log, size: row.size, note: row.note, createdAt: row.created_at };
}

type AuditReader = Pick<
  StoreReader,
  | "auditLogs"
  | "auditHead"
  | "auditEntries"
  | "auditPersonal"
  | "countPersonal"
  | "checkpoints"
  | "newestCheckpoint"
>;

/** Reads of the audit logs. */
export function auditReader(session: Session): AuditReader {
  return {
    auditLogs: async () => (await lookup(session, logs, [])).map((row) => row.log),
    auditHead: async (log) => {
      const [row] = await lookup(session, headOf, [log]);
      if (row === undefined) return { size: 0, frontier: new Uint8Array(0) };
      return { size: row.size, frontier: plainBytes(row.frontier) };
    },
    auditEntries: (query) => auditEntries(session, query),
    auditPersonal: async (log, seq) =>
      (await lookup(session, personalOf, [log, seq])).map((row) => ({
        field: row.field,
        salt: plainBytes(row.salt),
        value: row.value,
      })),
    countPersonal: async (of) => {
      const [counted] = await session.db
        .selectFrom("audit_personal_data")
        .select([sql<number>`count(distinct seq)`.as("entries"), sql<number>`count(*)`.as("fields")])
        .where(isBesideEntriesOf(of))
        .execute();
      return { entries: Number(counted?.entries ?? 0), fields: Number(counted?.fields ?? 0) };
    },
    checkpoints: async (log) => (await lookup(session, checkpointsOf, [log])).map(checkpoint),
    newestCheckpoint: async (log) => {
      const [row] = await lookup(session, newestOf, [log]);
      return row === undefined ? null : checkpoint(row);
    },
  };
}

/** Appends to the audit logs; nothing here changes or removes an entry. What stands beside entries can be erased. */
export function auditWriter(
  session: Session,
): Pick<StoreTransaction, "appendAudit" | "insertCheckpoint" | "erasePersonal"> {
  return {
    erasePersonal: async (of) => {
      const result = await session.db
        .deleteFrom("audit_personal_data")
        .where(isBesideEntriesOf(of))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    appendAudit: async (log, entries) => await session.dialect.appendAudit(session.db, log, entries),
    insertCheckpoint: async ({ log, size, note, createdAt }) => {
      await session.db
        .insertInto("audit_checkpoints")
        .values({ log, size, note, created_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
  };
}

/** Of personal data: it belongs to an entry of this log by this actor. */
function isBesideEntriesOf({ log, actorId }: { log: string; actorId: string }): RawBuilder<SqlBool> {
  return sql<SqlBool>`log = ${log} and seq in (
    select seq from audit_entries where log = ${log} and actor_id = ${actorId})`;
}

/** Page by page from where the former one ended, so that memory does not depend on the log's length. */
async function* auditEntries(session: Session, query: AuditQuery): AsyncGenerator<AuditRow> {
  const { log, newestFirst = false } = query;
  const range = await seqRange(session, query);
  let { from, to } = range;
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  let entries = firstPageEntries;
  while (from < to && left > 0) {
    const limit = Math.min(entries, left);
    const page = { log, from, to, newestFirst, limit, matching: conditions(query) };
    const rows = await session.dialect.auditPage(session.db, page);
    let bytes = 0;
    for (const row of rows) {
      bytes += row.bytes.length;
      yield row;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    left -= rows.length;
    if (newestFirst) to = last.seq;
    else from = last.seq + 1;
    entries = Math.min(pageEntriesMax, Math.max(1, Math.floor(pageBytes / (bytes / rows.length))));
  }
}

/**
 * The stretch of the log to read. Entries are in order of time only as far as clocks are, so a range of time is first
 * turned into the smallest stretch that holds all of it, from the index alone; the exact times are checked per entry.
 */
async function seqRange(session: Session, query: AuditQuery): Promise<{ from: number; to: number }> {
  const from = query.fromSeq ?? 0;
  const to = query.toSeq ?? Number.MAX_SAFE_INTEGER;
  if (query.since === undefined && query.until === undefined) return { from, to };
  const [span] = await session.db
    .selectFrom("audit_entries")
    .select([sql<number | null>`min(seq)`.as("first"), sql<number | null>`max(seq)`.as("last")])
    .where("log", "=", query.log)
    .where(timeIsWithin(query))
    .execute();
  const first = span?.first ?? null;
  const last = span?.last ?? null;
  if (first === null || last === null) return { from: 0, to: 0 };
  return { from: Math.max(from, first), to: Math.min(to, last + 1) };
}

/** `since` is included, `until` is not: as in `audit/filter.ts`. */
function timeIsWithin({ since, until }: AuditQuery): RawBuilder<SqlBool> {
  return sql<SqlBool>`ts >= ${since ?? Number.MIN_SAFE_INTEGER} and ts < ${until ?? Number.MAX_SAFE_INTEGER}`;
}

function conditions(query: AuditQuery): RawBuilder<SqlBool>[] {
  const found: RawBuilder<SqlBool>[] = [];
  if (query.since !== undefined || query.until !== undefined) found.push(timeIsWithin(query));
  if (query.actorId !== undefined) found.push(sql<SqlBool>`actor_id = ${query.actorId}`);
  if (query.keyId !== undefined) found.push(sql<SqlBool>`key_id = ${query.keyId}`);
  if (query.operation !== undefined) found.push(sql<SqlBool>`operation = ${query.operation}`);
  if (query.operationId !== undefined) found.push(sql<SqlBool>`operation_id = ${query.operationId}`);
  if (query.notDone === true) found.push(sql<SqlBool>`outcome <> 'success'`);
  return found;
}
