import { sql } from "kysely";
import type { RawBuilder, SqlBool } from "kysely";
import type { KeyFilter, KeyPage } from "../app/ports.ts";
import type { KeyRecord } from "../core/model.ts";
import { foldName } from "./column-values.ts";
import { keyRecord } from "./key-rows.ts";
import type { KeyRow } from "./schema.ts";
import type { Session } from "./session.ts";

/** As `stateAt` in core/transition.ts has it: the states that the passing of time ends. In literal form, so that partial indexes serve. */
const canExpire = sql<SqlBool>`state in ('active', 'rotated', 'inactive') and expires_at is not null`;

/** The sign keeps the index of names, which has only these rows, from being taken for a list that another one narrows further. */
const notPurged = sql<SqlBool>`+purged_at is null`;

/** One page of a tenant's keys by (name without case, id), read from the place where the former page ended. */
export async function listKeys(session: Session, page: KeyPage): Promise<KeyRecord[]> {
  const { state } = page.filter;
  if (state !== "expired") return (await readPage(session, page, stateIs(page))).map(keyRecord);
  // Two small pages, each in index order, rather than one condition that no index can serve. The overdue come first: a
  // key that is written as expired between the two is then seen twice, not never.
  const overdue = await readPage(session, page, [canExpire, sql<SqlBool>`expires_at <= ${page.now}`]);
  const written = await readPage(session, page, [sql<SqlBool>`state = 'expired'`]);
  const rows = new Map([...overdue, ...written].map((row) => [row.id, row]));
  return [...rows.values()].toSorted(bySortPosition).slice(0, page.limit).map(keyRecord);
}

function stateIs({ filter, now }: KeyPage): RawBuilder<SqlBool>[] {
  const { state } = filter;
  if (state === undefined) return [sql<SqlBool>`state <> 'deleted'`];
  const is = sql<SqlBool>`state = ${state}`;
  const expires = state === "active" || state === "rotated" || state === "inactive";
  return expires ? [is, sql<SqlBool>`(expires_at is null or expires_at > ${now})`] : [is];
}

async function readPage(session: Session, page: KeyPage, states: RawBuilder<SqlBool>[]): Promise<KeyRow[]> {
  let query = session.db.selectFrom("keys").selectAll().where("tenant_id", "=", page.tenantId);
  query = query.where(notPurged);
  if (page.env !== null) query = query.where("env", "=", page.env);
  for (const condition of [...states, ...conditions(session, page)]) query = query.where(condition);
  if (page.after !== null) {
    const { name, id } = page.after;
    query = query.where(sql<SqlBool>`(name_folded, id) > (${foldName(name)}, ${id})`);
  }
  return await query.orderBy("name_folded").orderBy("id").limit(page.limit).execute();
}

function conditions(session: Session, { filter, now }: KeyPage): RawBuilder<SqlBool>[] {
  const found: RawBuilder<SqlBool>[] = [];
  for (const column of ["kind", "type", "owner", "provider"] as const satisfies (keyof KeyFilter)[]) {
    const wanted = filter[column];
    if (wanted !== undefined) found.push(sql<SqlBool>`${sql.ref(column)} = ${wanted}`);
  }
  if (filter.ownedBy !== undefined) found.push(session.dialect.anyOf("keys.owner", filter.ownedBy));
  if (filter.tags !== undefined) found.push(session.dialect.hasEntries("keys.tags", filter.tags));
  if (filter.expiringBefore !== undefined) {
    found.push(canExpire, sql<SqlBool>`expires_at > ${now} and expires_at <= ${filter.expiringBefore}`);
  }
  if (filter.unusedSince !== undefined) {
    found.push(sql<SqlBool>`coalesce(last_used_at, created_at) < ${filter.unusedSince}`);
  }
  return found;
}

function bySortPosition(a: KeyRow, b: KeyRow): number {
  if (a.name_folded !== b.name_folded) return a.name_folded < b.name_folded ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
