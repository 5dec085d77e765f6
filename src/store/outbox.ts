import { sql } from "kysely";
import type { SqlBool } from "kysely";
import type { OutboxItem, StoreReader, StoreTransaction } from "../app/ports.ts";
import { batches } from "./batches.ts";
import { parseWord } from "./column-values.ts";
import type { OutboxRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const tasks = [
  "disable-secret",
  "disable-key",
  "sweep-secret",
  "sweep-key",
  "purge-secret",
  "purge-key",
] as const satisfies OutboxItem["task"][];

const ofOperation: FixedQuery<OutboxRow> = (db) =>
  db.selectFrom("outbox").selectAll().where("operation_id", "=", "").orderBy("created_at").orderBy("id");

/** What a row says is to be done. */
export function outboxItem(row: OutboxRow): OutboxItem {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    version: row.version,
    task: parseWord("task", row.task, tasks),
    reference: row.reference,
    operationId: row.operation_id,
    notBefore: row.not_before,
    attempts: row.attempts,
    createdAt: row.created_at,
    doneAt: row.done_at,
  };
}

function outboxRow(item: OutboxItem): OutboxRow {
  return {
    id: item.id,
    tenant_id: item.tenantId,
    key_id: item.keyId,
    version: item.version,
    task: item.task,
    reference: item.reference,
    operation_id: item.operationId,
    not_before: item.notBefore,
    attempts: item.attempts,
    created_at: item.createdAt,
    done_at: item.doneAt,
  };
}

/** Reads of what the vault must still be told. */
export function outboxReader(session: Session): Pick<StoreReader, "outbox" | "outboxOfOperation"> {
  return {
    outbox: async ({ keyId, tenantIds, dueAt, limit }) => {
      let query = session.db.selectFrom("outbox").selectAll().where("done_at", "is", null);
      if (keyId !== undefined) query = query.where("key_id", "=", keyId);
      if (tenantIds !== undefined) query = query.where(session.dialect.anyOf("tenant_id", tenantIds));
      if (dueAt !== undefined) query = query.where("not_before", "<=", dueAt);
      const rows = await query.orderBy("created_at").orderBy("id").limit(limit).execute();
      return rows.map(outboxItem);
    },
    outboxOfOperation: async (operationId) =>
      (await lookup(session, ofOperation, [operationId])).map(outboxItem),
  };
}

/** Writes of what the vault must be told. */
export function outboxWriter(
  session: Session,
): Pick<StoreTransaction, "insertOutbox" | "finishOutbox" | "deferOutbox" | "cancelOutbox"> {
  const open = sql<SqlBool>`done_at is null`;
  return {
    insertOutbox: async (items) => {
      for (const rows of batches(items.map(outboxRow))) {
        await session.db.insertInto("outbox").values(rows).execute();
      }
    },
    finishOutbox: async (id, at) => {
      await session.db.updateTable("outbox").set({ done_at: at }).where("id", "=", id).where(open).execute();
    },
    deferOutbox: async (id, notBefore) => {
      await session.db
        .updateTable("outbox")
        .set({ not_before: notBefore, attempts: sql<number>`attempts + 1` })
        .where("id", "=", id)
        .where(open)
        .execute();
    },
    cancelOutbox: async ({ keyId, version, task, at }) => {
      await session.db
        .updateTable("outbox")
        .set({ done_at: at })
        .where("key_id", "=", keyId)
        .where(open)
        .where("version", "=", version)
        .where("task", "=", task)
        .execute();
    },
  };
}
