import { sql } from "kysely";
import type { SqlBool } from "kysely";
import type { LeakTag, StoreReader, StoreTransaction } from "../app/ports.ts";
import { plainBytes } from "./column-values.ts";
import type { LeakTagRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const ofKey: FixedQuery<LeakTagRow> = (db) =>
  db
    .selectFrom("leak_tags")
    .selectAll()
    .where("key_id", "=", "")
    .orderBy("version")
    .orderBy("pepper_version");
const withTag: FixedQuery<LeakTagRow> = (db) =>
  db
    .selectFrom("leak_tags")
    .selectAll()
    .where("tag", "=", new Uint8Array(0))
    .orderBy("key_id")
    .orderBy("version");

const pageSize = 2_000;
const ofTenant: FixedQuery<LeakTagRow> = (db) =>
  db
    .selectFrom("leak_tags")
    .selectAll()
    .where("tenant_id", "=", "")
    .where(sql<SqlBool>`(key_id, version, pepper_version) > (${""}, ${0}, ${0})`)
    .orderBy("key_id")
    .orderBy("version")
    .orderBy("pepper_version")
    .limit(sql.lit(pageSize));

function leakTag(row: LeakTagRow): LeakTag {
  return {
    tag: plainBytes(row.tag),
    tenantId: row.tenant_id,
    keyId: row.key_id,
    version: row.version,
    pepperVersion: row.pepper_version,
    byteLength: row.byte_length,
    rollingHash: row.rolling_hash,
  };
}

/** Reads of the tags by which leaked secrets are recognised. */
export function leakTagReader(
  session: Session,
): Pick<StoreReader, "leakTagsOf" | "matchLeakTag" | "leakTags"> {
  return {
    leakTagsOf: async (keyId) => (await lookup(session, ofKey, [keyId])).map(leakTag),
    matchLeakTag: async (tag) => {
      const [row] = await lookup(session, withTag, [tag]);
      return row === undefined ? null : leakTag(row);
    },
    leakTags: (tenantId) => leakTags(session, tenantId),
  };
}

/** Page by page, by key, version and pepper version. */
async function* leakTags(session: Session, tenantId: string): AsyncGenerator<LeakTag> {
  let last: [string, number, number] = ["", 0, 0];
  for (;;) {
    const rows = await lookup(session, ofTenant, [tenantId, ...last]);
    for (const row of rows) {
      yield leakTag(row);
      last = [row.key_id, row.version, row.pepper_version];
    }
    if (rows.length < pageSize) return;
  }
}

/** Writes of leak tags. */
export function leakTagWriter(session: Session): Pick<StoreTransaction, "insertLeakTag"> {
  return {
    insertLeakTag: async (tag) => {
      await session.db
        .insertInto("leak_tags")
        .values({
          key_id: tag.keyId,
          version: tag.version,
          pepper_version: tag.pepperVersion,
          tenant_id: tag.tenantId,
          tag: tag.tag,
          byte_length: tag.byteLength,
          rolling_hash: tag.rollingHash,
        })
        .execute();
    },
  };
}
