import { KeyctlError } from "../core/errors.ts";
import type { BulkSelector, StoreReader, StoreTransaction } from "../app/ports.ts";
import { foldName } from "./column-values.ts";
import { keyRecord, keyRow } from "./key-rows.ts";
import { listKeys } from "./list-keys.ts";
import type { KeyRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const byId: FixedQuery<KeyRow> = (db) => db.selectFrom("keys").selectAll().where("id", "=", "");
const byName: FixedQuery<KeyRow> = (db) =>
  db
    .selectFrom("keys")
    .selectAll()
    .where("tenant_id", "=", "")
    .where("env", "=", "")
    .where("name_folded", "=", "")
    .where("purged_at", "is", null);

const named: FixedQuery<KeyRow> = (db) =>
  db
    .selectFrom("keys")
    .selectAll()
    .where("tenant_id", "=", "")
    .where("name_folded", "=", "")
    .where("purged_at", "is", null)
    .orderBy("id")
    .limit(0);

/** Reads of keys. */
export function keyReader(
  session: Session,
): Pick<StoreReader, "keyById" | "keyByName" | "keysNamed" | "keysByIds" | "listKeys" | "selectKeyIds"> {
  return {
    keyById: async (id) => {
      const [row] = await lookup(session, byId, [id]);
      return row === undefined ? null : keyRecord(row);
    },
    keyByName: async ({ tenantId, env, name }) => {
      const [row] = await lookup(session, byName, [tenantId, env, foldName(name)]);
      return row === undefined ? null : keyRecord(row);
    },
    keysNamed: async ({ tenantId, name, limit }) =>
      (await lookup(session, named, [tenantId, foldName(name), limit])).map(keyRecord),
    keysByIds: async (ids) => {
      const chosen = session.dialect.anyOf("keys.id", ids);
      const rows = await session.db.selectFrom("keys").selectAll().where(chosen).orderBy("id").execute();
      return rows.map(keyRecord);
    },
    listKeys: async (page) => await listKeys(session, page),
    selectKeyIds: async (selector) => await selectKeyIds(session, selector),
  };
}

async function selectKeyIds(session: Session, selector: BulkSelector): Promise<string[]> {
  let query = session.db.selectFrom("keys").select("id").where("state", "<>", "deleted");
  if (selector.tenantId !== undefined) query = query.where("tenant_id", "=", selector.tenantId);
  if (selector.owner !== undefined) query = query.where("owner", "=", selector.owner);
  if (selector.provider !== undefined) query = query.where("provider", "=", selector.provider);
  if (selector.tags !== undefined)
    query = query.where(session.dialect.hasEntries("keys.tags", selector.tags));
  const rows = await query.orderBy("id").execute();
  return rows.map((row) => row.id);
}

/** Writes of single keys. */
export function keyWriter(session: Session): Pick<StoreTransaction, "insertKey" | "updateKey"> {
  return {
    insertKey: async (key) => {
      const result = await session.db
        .insertInto("keys")
        .values(keyRow(key))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) {
        throw new KeyctlError("conflict", `there is a key named ${key.name} in ${key.env} already`, {
          hint: `keyctl show ${key.env}/${key.name}`,
          retryable: false,
        });
      }
    },
    updateKey: async (key, expectedRevision) => {
      const { id, ...columns } = keyRow(key);
      const result = await session.db
        .updateTable("keys")
        .set(columns)
        .where("id", "=", id)
        .where("revision", "=", expectedRevision)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
