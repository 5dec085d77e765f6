import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { KeyWithVersion } from "../app/ports.ts";
import { keyRecord } from "./key-rows.ts";
import type { KeyRow, VersionRow } from "./schema.ts";
import { versionRecord } from "./version-rows.ts";

/** Every column of a key; a column that is added and missing here is a type error. */
const keyColumns = Object.keys({
  id: true,
  tenant_id: true,
  env: true,
  name: true,
  name_folded: true,
  kind: true,
  owner: true,
  active_version: true,
  last_version: true,
  revision: true,
  state: true,
  expires_at: true,
  created_at: true,
  created_by: true,
  updated_at: true,
  rotated_at: true,
  rotated_by: true,
  last_used_at: true,
  rollback_until: true,
  deleted_at: true,
  recoverable_until: true,
  purged_at: true,
  anomaly_at: true,
  tags: true,
  compliance_tags: true,
  description: true,
  correlation_id: true,
  grace_ms: true,
  rollback_window_ms: true,
  lifetime_ms: true,
  rotate_every_ms: true,
  prefix: true,
  tier: true,
  scopes: true,
  provider: true,
  preferred_model: true,
  type: true,
  algorithm: true,
  purpose: true,
  authorized_services: true,
  access_policy: true,
} satisfies Record<keyof KeyRow, true>);

/** A version's own columns, and its key's under names with a prefix: both have a `state`. */
export type VersionWithKeyRow = VersionRow & Record<`key:${string}`, unknown>;

/**
 * Versions with their keys, in one statement: two reads could see the version before somebody's change and the key
 * after it, and accept what was accepted at no moment. `chosen` selects whole versions and must have a limit, which
 * keeps it apart from the join: SQLite with statistics (STAT4) plans a join with parameters anew each time it runs.
 */
export function selectVersionsWithKeys(chosen: RawBuilder<unknown>): RawBuilder<VersionWithKeyRow> {
  const aliased = keyColumns.map((column) => sql`keys.${sql.ref(column)} as ${sql.id(`key:${column}`)}`);
  return sql<VersionWithKeyRow>`select chosen.*, ${sql.join(aliased)}
    from (${chosen}) chosen join keys on keys.id = chosen.key_id
    order by chosen.expires_at, chosen.key_id, chosen.version`;
}

/** The two records that such a row holds. */
export function versionWithKey(row: VersionWithKeyRow): KeyWithVersion {
  const columns = Object.fromEntries(keyColumns.map((column) => [column, row[`key:${column}`]]));
  // Object.fromEntries forgets the names, which are those of the row.
  return { key: keyRecord(columns as unknown as KeyRow), version: versionRecord(row) };
}
