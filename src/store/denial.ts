import { sql } from "kysely";
import type { SqlBool } from "kysely";
import type { BulkDenial, StoreTransaction } from "../app/ports.ts";
import { versionStates } from "../core/model.ts";
import { parseWord } from "./column-values.ts";
import type { Session } from "./session.ts";

/** Writes that deny many keys in one statement each, whatever else is going on. */
export function denialWriter(session: Session): Pick<StoreTransaction, "denyVersions" | "denyKeys"> {
  return {
    denyVersions: async (denial) => await denyVersions(session, denial),
    denyKeys: async ({ keyIds, state, updatedAt }) => {
      // No version is active after a denial, so the newest one tells the expiry (`summarise` in core/transition.ts), and none is left to roll back to.
      await sql`update keys set state = ${state}, active_version = null, rollback_until = null, revision = revision + 1,
        updated_at = ${updatedAt},
        expires_at = (select newest.expires_at from key_versions newest
          where newest.key_id = keys.id order by newest.version desc limit 1)
        where ${session.dialect.anyOf("keys.id", keyIds)}`.execute(session.db);
    },
  };
}

type DeniedVersion = Awaited<ReturnType<StoreTransaction["denyVersions"]>>[number];

/** The former states are read first, in the same transaction: RETURNING knows only the new ones. */
async function denyVersions(session: Session, denial: BulkDenial): Promise<DeniedVersion[]> {
  const { db, dialect } = session;
  if (denial.from.length === 0) return [];
  const ofKeys = dialect.anyOf("key_versions.key_id", denial.keyIds);
  const ofVersion = denial.version === null ? sql<SqlBool>`1 = 1` : sql<SqlBool>`version = ${denial.version}`;
  let former = db
    .selectFrom("key_versions")
    .select(["key_id", "version", "state"])
    .where(ofKeys)
    .where(ofVersion)
    .where("state", "in", denial.from)
    .orderBy("key_id")
    .orderBy("version");
  if (dialect.locksRows) former = former.forUpdate();
  const before = await former.execute();
  const changed = await denialStatement(denial, sql`${ofKeys} and ${ofVersion}`).execute(db);
  const denied = new Set(changed.rows.map((row) => `${row.key_id} ${row.version}`));
  return before
    .filter((row) => denied.has(`${row.key_id} ${row.version}`))
    .map((row) => ({
      keyId: row.key_id,
      version: row.version,
      from: parseWord("state", row.state, versionStates),
    }));
}

/**
 * What is remembered as the former state follows `formerStateOf` in core/denial.ts: what was never accepted cannot
 * come back. A secret is denied when the vault has answered, the rest by this very commit; a denial that stands
 * already keeps its date.
 */
function denialStatement(denial: BulkDenial, which: ReturnType<typeof sql>) {
  return sql<{ key_id: string; version: number }>`update key_versions set
    former_state = case
      when state in ('active', 'rotated') then state
      when state in ('inactive', 'revoked') then former_state end,
    denied_at = case
      when state = 'revoked' and denied_at is not null then denied_at
      when (select kind from keys where keys.id = key_versions.key_id) <> 'secret' then ${denial.at} end,
    state = ${denial.to}, revoked_at = ${denial.at}, revoked_reason = ${denial.reason},
    row_mac = null, row_mac_pepper_version = null
    where ${which} and state in (${sql.join(denial.from)})
    returning key_id, version`;
}
