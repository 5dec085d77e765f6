import { KeyctlError } from "../core/errors.ts";
import type { StoreReader, StoreTransaction } from "../app/ports.ts";
import { parseTextList, plainBytes } from "./column-values.ts";
import type { IdempotencyKeyRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const byKey: FixedQuery<IdempotencyKeyRow> = (db) =>
  db
    .selectFrom("idempotency_keys")
    .selectAll()
    .where("tenant_id", "=", "")
    .where("actor_id", "=", "")
    .where("verb", "=", "")
    .where("key", "=", "");

/** Reads of requests that were answered before. */
export function idempotencyReader(session: Session): Pick<StoreReader, "idempotentRequest"> {
  return {
    idempotentRequest: async ({ tenantId, actorId, verb, key }) => {
      const [row] = await lookup(session, byKey, [tenantId, actorId, verb, key]);
      if (row === undefined) return null;
      return {
        tenantId: row.tenant_id,
        actorId: row.actor_id,
        verb: row.verb,
        key: row.key,
        requestHash: plainBytes(row.request_hash),
        operationId: row.operation_id,
        keyIds: parseTextList("key_ids", row.key_ids),
        version: row.version,
        createdAt: row.created_at,
      };
    },
  };
}

/** Writes of requests that were answered. */
export function idempotencyWriter(
  session: Session,
): Pick<StoreTransaction, "insertIdempotentRequest" | "purgeIdempotentRequests"> {
  return {
    insertIdempotentRequest: async (request) => {
      const result = await session.db
        .insertInto("idempotency_keys")
        .values({
          tenant_id: request.tenantId,
          actor_id: request.actorId,
          verb: request.verb,
          key: request.key,
          request_hash: request.requestHash,
          operation_id: request.operationId,
          key_ids: JSON.stringify(request.keyIds),
          version: request.version,
          created_at: request.createdAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) {
        throw new KeyctlError("conflict", "another request has used this idempotency key", {
          hint: "run the same command again to get its answer, or choose another key",
        });
      }
    },
    purgeIdempotentRequests: async (before) => {
      const query = session.db.deleteFrom("idempotency_keys").where("created_at", "<", before);
      return Number((await query.executeTakeFirst()).numDeletedRows);
    },
  };
}
