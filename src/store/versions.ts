import { sql } from "kysely";
import type { SqlBool } from "kysely";
import type { StoreReader, StoreTransaction, VersionPatch } from "../app/ports.ts";
import { plainBytes } from "./column-values.ts";
import type { VersionRow, WrappedKeyRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";
import { recordVersionReference } from "./vault-references.ts";
import { versionColumns, versionRecord, versionRow } from "./version-rows.ts";
import { selectVersionsWithKeys, versionWithKey } from "./version-with-key.ts";
import type { VersionWithKeyRow } from "./version-with-key.ts";

const ofKey: FixedQuery<VersionRow> = (db) =>
  db.selectFrom("key_versions").selectAll().where("key_id", "=", "").orderBy("version");
const withPublicId: FixedQuery<VersionWithKeyRow> = (db) => ({
  compile: () =>
    selectVersionsWithKeys(sql`select * from key_versions where public_id = ${""} limit 1`).compile(db),
});
const wrapsOf: FixedQuery<WrappedKeyRow> = (db) =>
  db
    .selectFrom("wrapped_keys")
    .selectAll()
    .where("key_id", "=", "")
    .where("version", "=", 0)
    .orderBy("kek_reference");

/** Reads of versions and of the wraps of their data keys. */
export function versionReader(
  session: Session,
): Pick<
  StoreReader,
  "versions" | "versionsOfKeys" | "versionByPublicId" | "wrappedKeys" | "overdueVersions"
> {
  return {
    versions: async (keyId) => (await lookup(session, ofKey, [keyId])).map(versionRecord),
    versionsOfKeys: async (keyIds) => {
      const chosen = session.dialect.anyOf("key_versions.key_id", keyIds);
      const query = session.db.selectFrom("key_versions").selectAll().where(chosen);
      const rows = await query.orderBy("key_id").orderBy("version").execute();
      return rows.map(versionRecord);
    },
    versionByPublicId: async (publicId) => {
      const [row] = await lookup(session, withPublicId, [publicId]);
      return row === undefined ? null : versionWithKey(row);
    },
    wrappedKeys: async (keyId, version) =>
      (await lookup(session, wrapsOf, [keyId, version])).map((row) => ({
        keyId: row.key_id,
        version: row.version,
        kekReference: row.kek_reference,
        algorithm: row.algorithm,
        wrapped: plainBytes(row.wrapped),
      })),
    overdueVersions: async (now, limit, tenantIds) => {
      const ours = session.dialect.anyOf("keys.tenant_id", tenantIds);
      // As a condition, not a join: the walk is along the expiries, and ends at the limit.
      const chosen = sql`select * from key_versions
        where state in ('active', 'rotated', 'inactive') and expires_at is not null and expires_at <= ${now}
          and exists (select 1 from keys where keys.id = key_versions.key_id and ${ours})
        order by expires_at, key_id, version limit ${limit}`;
      return (await selectVersionsWithKeys(chosen).execute(session.db)).rows.map(versionWithKey);
    },
  };
}

/** Writes of single versions and of the wraps of their data keys. */
export function versionWriter(
  session: Session,
): Pick<
  StoreTransaction,
  "insertVersion" | "updateVersion" | "insertWrappedKey" | "eraseValues" | "touchVersion"
> {
  return {
    insertVersion: async (version) => {
      await session.db.insertInto("key_versions").values(versionRow(version)).execute();
      if (version.vaultReference !== null)
        await recordVersionReference(session, version, version.vaultReference);
    },
    updateVersion: async (patch) => await updateVersion(session, patch),
    insertWrappedKey: async ({ keyId, version, kekReference, algorithm, wrapped }) => {
      const row = { key_id: keyId, version, kek_reference: kekReference, algorithm, wrapped };
      await session.db.insertInto("wrapped_keys").values(row).execute();
    },
    eraseValues: async (keyId) => {
      for (const table of ["wrapped_keys", "vault_references"] as const)
        await session.db.deleteFrom(table).where("key_id", "=", keyId).execute();
    },
    touchVersion: async (touch) => await touchVersion(session, touch),
  };
}

async function touchVersion(
  { db }: Session,
  touch: Parameters<StoreTransaction["touchVersion"]>[0],
): Promise<void> {
  const { keyId, version, lastUsedAt, seenAt } = touch;
  const older = (column: string, at: number) =>
    sql<SqlBool>`(${sql.ref(column)} is null or ${sql.ref(column)} < ${at})`;
  const ofVersion = (set: Partial<VersionRow>) =>
    db.updateTable("key_versions").set(set).where("key_id", "=", keyId).where("version", "=", version);
  const used = { last_used_at: lastUsedAt };
  await ofVersion(used).where(older("last_used_at", lastUsedAt)).execute();
  await db
    .updateTable("keys")
    .set(used)
    .where("id", "=", keyId)
    .where(older("last_used_at", lastUsedAt))
    .execute();
  if (seenAt !== undefined) await ofVersion({ seen_at: seenAt }).where(older("seen_at", seenAt)).execute();
}

async function updateVersion(session: Session, patch: VersionPatch): Promise<boolean> {
  const columns: Readonly<Record<string, string>> = versionColumns;
  const assignments = Object.entries(patch.set).flatMap(([field, value]) => {
    const column = columns[field];
    return column === undefined || value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`];
  });
  // Nothing to set is still a question: is the row in that state?
  if (assignments.length === 0) assignments.push(sql`state = state`);
  const result = await sql`update key_versions set ${sql.join(assignments)}
    where key_id = ${patch.keyId} and version = ${patch.version} and state = ${patch.from}`.execute(
    session.db,
  );
  if ((result.numAffectedRows ?? 0n) === 0n) return false;
  const reference = patch.set.vaultReference ?? null;
  if (reference !== null) await recordVersionReference(session, patch, reference);
  return true;
}
