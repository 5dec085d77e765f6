import { sql } from "kysely";
import type { RawBuilder, SqlBool } from "kysely";
import type { AuditRow, KeyScope, KeyWithVersion, StoreReader } from "../app/ports.ts";
import { anomalyShownMs, expiryNoticeMs, neverUsedMs, rotationNearMs, staleMs } from "../core/key-health.ts";
import type { KeyCondition, VersionCondition } from "../core/key-health.ts";
import { keyKinds, keyStates } from "../core/model.ts";
import { rotationRequiredMs } from "../core/policy.ts";
import { parseWord, plainBytes } from "./column-values.ts";
import { keyRecord } from "./key-rows.ts";
import { outboxItem } from "./outbox.ts";
import type { KeyRow, OutboxRow } from "./schema.ts";
import type { Session } from "./session.ts";
import { selectVersionsWithKeys, versionWithKey } from "./version-with-key.ts";

/** As the indexes have them, which are found by the same words: numbers are literals. */
const since = sql<number>`coalesce(rotated_at, created_at)`;
const everyMs = sql<number>`coalesce(rotate_every_ms, ${sql.lit(rotationRequiredMs)})`;
const requiredAt = sql<number>`${since} + ${everyMs}`;
const isActive = sql<SqlBool>`state = 'active'`;
const canExpire = sql<SqlBool>`state in ('active', 'rotated', 'inactive') and expires_at is not null`;
const notPurged = sql<SqlBool>`purged_at is null`;
const notDone = sql<SqlBool>`outcome <> 'success'`;

/** Rows that a condition finds, and the order in which they press. */
interface Chosen {
  where: RawBuilder<SqlBool>[];
  order: RawBuilder<unknown>;
}

/** The four conditions that divide the live keys by how near their rotation is. */
type RotationCondition = Extract<KeyCondition, "secure" | "rotation-soon" | "rotation-required" | "expiring">;

/** Active and not past its expiry. A sign keeps a condition from choosing the index: it only looks at what another one found. */
function live(now: number): RawBuilder<SqlBool>[] {
  return [isActive, sql<SqlBool>`(+expires_at is null or +expires_at > ${now})`];
}

/** `hasCondition` of core/key-health.ts, in such words that each is a range of one index. */
function chosenKeys(condition: KeyCondition, now: number): Chosen {
  const inState = (state: string): Chosen => ({
    where: [sql<SqlBool>`state = ${state}`, notPurged],
    order: sql`kind, name_folded, id`,
  });
  switch (condition) {
    case "overdue":
      return { where: [canExpire, sql<SqlBool>`expires_at <= ${now}`], order: sql`expires_at` };
    case "never-used": {
      const old = sql<SqlBool>`last_used_at is null and created_at <= ${now - neverUsedMs}`;
      return { where: [...live(now), old], order: sql`created_at` };
    }
    case "stale": {
      const old = sql<SqlBool>`last_used_at is not null and last_used_at <= ${now - staleMs}`;
      return { where: [...live(now), old], order: sql`last_used_at` };
    }
    case "anomaly": {
      const fresh = sql<SqlBool>`anomaly_at is not null and anomaly_at > ${now - anomalyShownMs}`;
      return { where: [...live(now), fresh], order: sql`anomaly_at` };
    }
    case "suspended": {
      const { where, order } = inState("inactive");
      return { where: [...where, sql<SqlBool>`(+expires_at is null or +expires_at > ${now})`], order };
    }
    case "expired":
    case "deleted":
    case "compromised":
      return inState(condition);
    default:
      return chosenByRotation(condition, now);
  }
}

function chosenByRotation(condition: RotationCondition, now: number): Chosen {
  const leftMs = sql<number>`(expires_at - ${now})`;
  const isExpiring = sql<SqlBool>`(${leftMs} <= ${expiryNoticeMs} and ${leftMs} * 3 <= expires_at - ${since})`;
  const notExpiring = sql<SqlBool>`(+expires_at is null or not ${isExpiring})`;
  const untilMs = sql<number>`(${requiredAt} - ${now})`;
  const isNear = sql<SqlBool>`(${untilMs} <= ${everyMs} / 3 and ${untilMs} <= ${rotationNearMs})`;
  const later = sql<SqlBool>`${requiredAt} > ${now}`;
  switch (condition) {
    case "secure":
      // From the far end, where no rotation is near.
      return {
        where: [...live(now), later, sql<SqlBool>`not ${isNear}`, notExpiring],
        order: sql`${requiredAt} desc`,
      };
    case "rotation-soon": {
      const within = sql<SqlBool>`${requiredAt} <= ${now + rotationNearMs}`;
      return { where: [...live(now), later, within, isNear, notExpiring], order: requiredAt };
    }
    case "rotation-required":
      return { where: [...live(now), sql<SqlBool>`${requiredAt} <= ${now}`], order: requiredAt };
    case "expiring": {
      const within = sql<SqlBool>`expires_at > ${now} and expires_at <= ${now + expiryNoticeMs}`;
      // As a difference it does not choose the index.
      const notRequired = sql<SqlBool>`${untilMs} > 0`;
      return { where: [isActive, canExpire, within, isExpiring, notRequired], order: sql`expires_at` };
    }
  }
}

/** The key's own tenant; of some owners only, their index is the one that narrows it. */
function inScope(session: Session, { tenantId, ownedBy }: KeyScope): RawBuilder<SqlBool>[] {
  if (ownedBy === null) return [sql<SqlBool>`keys.tenant_id = ${tenantId}`];
  return [
    sql<SqlBool>`keys.tenant_id || '' = ${tenantId}`,
    session.dialect.anyOf("keys.owner", [...ownedBy]),
  ];
}

function all(conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return sql.join(conditions, sql` and `);
}

type AttentionReader = Pick<
  StoreReader,
  | "keysInCondition"
  | "countKeys"
  | "keyTotals"
  | "versionsInCondition"
  | "countVersions"
  | "dueOutbox"
  | "refusals"
  | "countRefusals"
>;

/** Reads of what a person should look at. Each is bounded, however many keys and entries there are. */
export function attentionReader(session: Session): AttentionReader {
  return {
    keysInCondition: async (scope, condition, limit) => {
      const { where, order } = chosenKeys(condition, scope.now);
      const { rows } = await sql<KeyRow>`select * from keys
        where ${all([...inScope(session, scope), ...where])} order by ${order} limit ${limit}`.execute(
        session.db,
      );
      return rows.map(keyRecord);
    },
    countKeys: async (scope, condition, max) => {
      const { where, order } = chosenKeys(condition, scope.now);
      return await countRows(
        session,
        sql`select 1 from keys where ${all([...inScope(session, scope), ...where])} order by ${order} limit ${max}`,
      );
    },
    keyTotals: async (scope, max) => await keyTotals(session, scope, max),
    versionsInCondition: async (scope, condition, limit) =>
      await versionsInCondition(session, scope, { condition, limit }),
    countVersions: async (scope, condition, max) =>
      await countRows(
        session,
        sql`select 1 ${versionsOf(session, scope, chosenVersions(condition, scope.now))} limit ${max}`,
      ),
    dueOutbox: async (due) => await dueOutbox(session, due),
    refusals: async ({ log, since: from, limit }) => {
      const { rows } = await sql<AuditRow>`select seq, bytes, leaf from audit_entries
        where log = ${log} and ts >= ${from} and ${notDone} order by ts desc, seq desc limit ${limit}`.execute(
        session.db,
      );
      return rows.map((row) => ({ seq: row.seq, bytes: plainBytes(row.bytes), leaf: plainBytes(row.leaf) }));
    },
    countRefusals: async ({ log, since: from, max }) =>
      await countRows(
        session,
        sql`select 1 from audit_entries where log = ${log} and ts >= ${from} and ${notDone} limit ${max}`,
      ),
  };
}

/** `rows` has a limit: a count that goes on for ever tells no more than "many". */
async function countRows(session: Session, rows: RawBuilder<unknown>): Promise<number> {
  const counted = await sql<{ count: number }>`select count(*) as count from (${rows}) found`.execute(
    session.db,
  );
  return Number(counted.rows[0]?.count ?? 0);
}

async function keyTotals(
  session: Session,
  scope: KeyScope,
  max: number,
): ReturnType<StoreReader["keyTotals"]> {
  const pairs = keyKinds.flatMap((kind) => keyStates.map((state) => ({ kind, state })));
  const counts = pairs.map(
    ({ kind, state }) => sql`select ${sql.lit(kind)} as kind, ${sql.lit(state)} as state, count(*) as count
      from (select 1 from keys where ${all([
        ...inScope(session, scope),
        notPurged,
        sql<SqlBool>`state = ${sql.lit(state)} and kind = ${sql.lit(kind)}`,
      ])} limit ${max}) found`,
  );
  const { rows } = await sql<{ kind: string; state: string; count: number }>`${sql.join(
    counts,
    sql` union all `,
  )}`.execute(session.db);
  return rows
    .filter((row) => Number(row.count) > 0)
    .map((row) => ({
      kind: parseWord("kind", row.kind, keyKinds),
      state: parseWord("state", row.state, keyStates),
      count: Number(row.count),
    }));
}

/** `versionHasCondition` of core/key-health.ts. */
function chosenVersions(condition: VersionCondition, now: number): Chosen {
  const valid = sql<SqlBool>`(+chosen.expires_at is null or +chosen.expires_at > ${now})`;
  if (condition === "seen") {
    const seen = sql<SqlBool>`chosen.state = 'active' and chosen.seen_at is not null`;
    return { where: [seen, valid], order: sql`chosen.seen_at` };
  }
  const running = sql<SqlBool>`chosen.state = 'rotated' and chosen.grace_until is not null
    and chosen.grace_until > ${now}`;
  return { where: [running, valid], order: sql`chosen.grace_until` };
}

/** The cross join keeps the order: few versions first, and the key of each, never every key of the tenant. */
function versionsOf(session: Session, scope: KeyScope, { where }: Chosen): RawBuilder<unknown> {
  return sql`from key_versions chosen cross join keys
    where keys.id = chosen.key_id and keys.deleted_at is null and ${all([...where, ...inScope(session, scope)])}`;
}

async function versionsInCondition(
  session: Session,
  scope: KeyScope,
  { condition, limit }: { condition: VersionCondition; limit: number },
): Promise<KeyWithVersion[]> {
  const chosen = chosenVersions(condition, scope.now);
  const query = selectVersionsWithKeys(
    sql`select chosen.* ${versionsOf(session, scope, chosen)} order by ${chosen.order} limit ${limit}`,
  );
  const found = (await query.execute(session.db)).rows.map(versionWithKey);
  const pressing = ({ version }: KeyWithVersion): number =>
    (condition === "seen" ? version.seenAt : version.graceUntil) ?? 0;
  return found.toSorted((a, b) => pressing(a) - pressing(b));
}

async function dueOutbox(
  session: Session,
  { tenantId, now, limit }: Parameters<StoreReader["dueOutbox"]>[0],
): ReturnType<StoreReader["dueOutbox"]> {
  const ofTenant = sql`select * from outbox where done_at is null and tenant_id = ${tenantId}`;
  // After an attempt that failed a task is due later, and still waits.
  const tried = sql`select * from (${ofTenant} and attempts > 0 limit ${limit}) tried`;
  const due = sql`select * from (${ofTenant} and attempts = 0 and not_before <= ${now} limit ${limit}) due`;
  const { rows } = await sql<OutboxRow>`${tried} union all ${due} limit ${limit}`.execute(session.db);
  return rows.map(outboxItem);
}
