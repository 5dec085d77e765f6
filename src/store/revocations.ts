import { sql } from "kysely";
import { revokeReasons, severities } from "../core/model.ts";
import type { Revocation, StoreReader, StoreTransaction } from "../app/ports.ts";
import { batches } from "./batches.ts";
import { parseOptionalWord, parseWord } from "./column-values.ts";
import type { RevocationRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const upstreams = ["open", "done"] as const;

const ofKey: FixedQuery<RevocationRow> = (db) =>
  db
    .selectFrom("revocations")
    .selectAll()
    .where("key_id", "=", "")
    .orderBy("revoked_at", "desc")
    .orderBy("id", "desc");
const ofOperation: FixedQuery<RevocationRow> = (db) =>
  db.selectFrom("revocations").selectAll().where("operation_id", "=", "").orderBy("key_id").orderBy("id");
const upstreamOpen: FixedQuery<RevocationRow> = (db) =>
  db
    .selectFrom("revocations")
    .selectAll()
    .where("upstream", "=", sql.lit("open"))
    .where("undone_at", "is", null)
    .where("tenant_id", "=", "")
    .orderBy("revoked_at")
    .orderBy("id");

function revocation(row: RevocationRow): Revocation {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    operationId: row.operation_id,
    version: row.version,
    reason: parseWord("reason", row.reason, revokeReasons),
    severity: parseOptionalWord("severity", row.severity, severities),
    revokedAt: row.revoked_at,
    undoUntil: row.undo_until,
    undoneAt: row.undone_at,
    upstream: parseOptionalWord("upstream", row.upstream, upstreams),
    upstreamUrl: row.upstream_url,
  };
}

function revocationRow(record: Revocation): RevocationRow {
  return {
    id: record.id,
    tenant_id: record.tenantId,
    key_id: record.keyId,
    operation_id: record.operationId,
    version: record.version,
    reason: record.reason,
    severity: record.severity,
    revoked_at: record.revokedAt,
    undo_until: record.undoUntil,
    undone_at: record.undoneAt,
    upstream: record.upstream,
    upstream_url: record.upstreamUrl,
  };
}

/** Reads of revocations; one that was undone is no open task at its provider any more. */
export function revocationReader(
  session: Session,
): Pick<StoreReader, "revocations" | "revocationsOfOperation" | "openUpstreams"> {
  return {
    revocations: async (keyId) => (await lookup(session, ofKey, [keyId])).map(revocation),
    revocationsOfOperation: async (operationId) =>
      (await lookup(session, ofOperation, [operationId])).map(revocation),
    openUpstreams: async (tenantId) => (await lookup(session, upstreamOpen, [tenantId])).map(revocation),
  };
}

/** Writes of revocations. */
export function revocationWriter(
  session: Session,
): Pick<StoreTransaction, "insertRevocations" | "updateRevocation"> {
  return {
    insertRevocations: async (records) => {
      for (const rows of batches(records.map(revocationRow))) {
        await session.db.insertInto("revocations").values(rows).execute();
      }
    },
    updateRevocation: async (id, { undoneAt, upstream }) => {
      const columns = {
        ...(undoneAt === undefined ? {} : { undone_at: undoneAt }),
        ...(upstream === undefined ? {} : { upstream }),
      };
      if (Object.keys(columns).length === 0) return;
      await session.db.updateTable("revocations").set(columns).where("id", "=", id).execute();
    },
  };
}
