import { sql } from "kysely";
import type { Kysely, SqlBool } from "kysely";
import type { AuditAppend, AuditRow, AuditTree } from "../../app/ports.ts";
import type { AuditPage, StoreDialect } from "../dialect.ts";
import type { SchemaWords } from "../migration.ts";
import type { Tables } from "../schema.ts";
import { appendAudit } from "./append-audit.ts";
import { isLockFailure } from "./failures.ts";
import { scrub } from "./scrub.ts";

const leafLength = 32;

/** `kctl`, in the header of the file (SQLite file format §1.3.14): what has it is a store of ours. */
export const applicationId = 0x6b_63_74_6c;

const words: SchemaWords = {
  mark: [`pragma application_id = ${applicationId}`],
  integer: "integer",
  bytes: "blob",
  table: " strict",
  orderedTable: " strict, without rowid",
  appendOnly: (table) =>
    ["update", "delete"].map(
      (verb) => `create trigger ${table}_refuses_${verb} before ${verb} on ${table}
begin
  select raise(abort, '${table} is append-only');
end`,
    ),
};

/** What SQLite does in its own way. */
export function sqliteDialect(tree: AuditTree): StoreDialect {
  return {
    words,
    // A transaction holds the only write lock from its begin.
    locksRows: false,
    anyOf: (column, values) =>
      sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`,
    // Both sides go through the same function, so that no escape in a name or value is read in two ways.
    hasEntries: (column, entries) => sql<SqlBool>`not exists (
      select 1 from json_each(${JSON.stringify(entries)}) wanted where not exists (
        select 1 from json_each(${sql.ref(column)}) has where has.key = wanted.key and has.value = wanted.value))`,
    hasSchema: async (db) => {
      const found = await sql`select 1 from sqlite_schema where type = 'table' and name = 'meta'`.execute(db);
      return found.rows.length > 0;
    },
    // The transaction has begun immediate: nobody else writes.
    lockSchema: async () => {},
    appendAudit: async (tx: Kysely<Tables>, log: string, entries: readonly AuditAppend[]) =>
      await appendAudit({ tx, tree }, log, entries),
    auditPage,
    scrub,
    isContended: isLockFailure,
  };
}

interface PackedRow {
  seq: number;
  packed: Uint8Array;
}

/** Leaf and bytes travel as one value: taking two out of the driver costs as much as finding the row. */
async function auditPage(db: Kysely<Tables>, page: AuditPage): Promise<AuditRow[]> {
  const matching = page.matching.map((condition) => sql`and ${condition}`);
  const { rows } = await sql<PackedRow>`select seq, cast(leaf || bytes as blob) as packed from audit_entries
    where log = ${page.log} and seq >= ${page.from} and seq < ${page.to} ${sql.join(matching, sql` `)}
    order by seq ${sql.raw(page.newestFirst ? "desc" : "asc")} limit ${page.limit}`.execute(db);
  return rows.map(({ seq, packed }) => ({
    seq,
    bytes: packed.subarray(leafLength),
    leaf: packed.subarray(0, leafLength),
  }));
}
