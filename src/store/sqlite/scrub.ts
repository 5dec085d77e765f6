import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Tables } from "../schema.ts";

/** Holds what is left while the table is emptied; in the database itself, so that memory does not depend on its size. */
const left = sql.table("audit_personal_left");

/**
 * `secure_delete` overwrites what is deleted, but SQLite may have moved a row between pages before, and the former place is
 * then free space that nothing overwrites. So the table is emptied and filled again: emptied pages are overwritten whole.
 * The write-ahead log holds pages as they were; it is emptied when nobody reads from it any more.
 */
export async function scrub(db: Kysely<Tables>): Promise<boolean> {
  await db.transaction().execute(async (tx) => {
    await sql`create table ${left} as select * from audit_personal_data order by rowid`.execute(tx);
    await tx.deleteFrom("audit_personal_data").execute();
    await sql`insert into audit_personal_data select * from ${left} order by rowid`.execute(tx);
    await sql`drop table ${left}`.execute(tx);
  });
  const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(db);
  return rows[0]?.busy === 0;
}
