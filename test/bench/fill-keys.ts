import type { Database } from "better-sqlite3";

/** Expressions in SQL over `n`, the row's number from 1, in place of what the model's row holds. */
export type Columns = Readonly<Record<string, string>>;

/** The id of row `n`; the form of a UUIDv7. */
export const idOfRow = "printf('00000000-0000-7000-8000-%012x', n)";

/**
 * Copies the one row of `table` that `where` finds `count` times, with these columns in place of its own. Straight into
 * the database: a million keys made one by one would take hours, and what reads them cannot tell.
 */
export function copyRow(
  database: Database,
  model: { table: string; where: string },
  copies: { count: number; columns: Columns },
): void {
  const { table, where } = model;
  const names = database
    .prepare<[string], { name: string }>("select name from pragma_table_info(?)")
    .all(table)
    .map(({ name }) => name);
  const values = names.map((name) => copies.columns[name] ?? `model.${name}`);
  database
    .prepare(`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?)
      insert into ${table} (${names.join(", ")})
      select ${values.join(", ")} from numbers, (select * from ${table} where ${where}) model`)
    .run(copies.count);
}
