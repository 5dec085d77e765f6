import { KeyctlError } from "../core/errors.ts";
import { roles } from "../core/model.ts";
import type { Actor, Membership, Tenant } from "../core/model.ts";
import type { StoreReader, StoreTransaction } from "../app/ports.ts";
import { foldName, parseWord } from "./column-values.ts";
import type { ActorRow, MembershipRow, TenantRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const allTenants: FixedQuery<TenantRow> = (db) =>
  db.selectFrom("tenants").selectAll().orderBy("name_folded").orderBy("id");
const tenantNamed: FixedQuery<TenantRow> = (db) =>
  db.selectFrom("tenants").selectAll().where("name_folded", "=", "");
const allActors: FixedQuery<ActorRow> = (db) => db.selectFrom("actors").selectAll().orderBy("id");
const actorOfId: FixedQuery<ActorRow> = (db) => db.selectFrom("actors").selectAll().where("id", "=", "");
const actorOfLogin: FixedQuery<ActorRow> = (db) =>
  db.selectFrom("actors").selectAll().where("login", "=", "");
const roleIn: FixedQuery<{ role: string }> = (db) =>
  db.selectFrom("memberships").select("role").where("actor_id", "=", "").where("tenant_id", "=", "");

function tenantRecord(row: TenantRow): Tenant {
  return { id: row.id, name: row.name, createdAt: row.created_at, deletedAt: row.deleted_at };
}

function actorRecord(row: ActorRow): Actor {
  return { id: row.id, name: row.name, login: row.login, createdAt: row.created_at };
}

function membershipRecord(row: MembershipRow): Membership {
  return {
    actorId: row.actor_id,
    tenantId: row.tenant_id,
    role: parseWord("role", row.role, roles),
    createdAt: row.created_at,
  };
}

/** Reads of tenants, actors and their roles. */
export function tenantReader(
  session: Session,
): Pick<
  StoreReader,
  "tenants" | "tenantByName" | "actors" | "actorById" | "actorByLogin" | "roleOf" | "memberships"
> {
  return {
    tenants: async () => (await lookup(session, allTenants, [])).map(tenantRecord),
    tenantByName: async (name) => {
      const [row] = await lookup(session, tenantNamed, [foldName(name)]);
      return row === undefined ? null : tenantRecord(row);
    },
    actors: async () => (await lookup(session, allActors, [])).map(actorRecord),
    actorByLogin: async (login) => {
      const [row] = await lookup(session, actorOfLogin, [login]);
      return row === undefined ? null : actorRecord(row);
    },
    actorById: async (id) => {
      const [row] = await lookup(session, actorOfId, [id]);
      return row === undefined ? null : actorRecord(row);
    },
    roleOf: async (actorId, tenantId) => {
      const [row] = await lookup(session, roleIn, [actorId, tenantId]);
      return row === undefined ? null : parseWord("role", row.role, roles);
    },
    memberships: async ({ actorId, tenantId }) => {
      let query = session.db.selectFrom("memberships").selectAll();
      if (actorId !== undefined) query = query.where("actor_id", "=", actorId);
      if (tenantId !== undefined) query = query.where("tenant_id", "=", tenantId);
      return (await query.orderBy("tenant_id").orderBy("actor_id").execute()).map(membershipRecord);
    },
  };
}

/** Writes of tenants, actors and their roles; each is `conflict` when it is there already. */
export function tenantWriter(
  session: Session,
): Pick<
  StoreTransaction,
  "insertTenant" | "deleteTenant" | "insertActor" | "insertMembership" | "removeMembership"
> {
  return {
    insertTenant: async (tenant) => {
      const result = await session.db
        .insertInto("tenants")
        .values({
          id: tenant.id,
          name: tenant.name,
          name_folded: foldName(tenant.name),
          created_at: tenant.createdAt,
          deleted_at: tenant.deletedAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) throw taken(`a tenant named ${tenant.name}`);
    },
    deleteTenant: async (id, at) => {
      const result = await session.db
        .updateTable("tenants")
        .set({ deleted_at: at })
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    insertActor: async (actor) => {
      const result = await session.db
        .insertInto("actors")
        .values({ id: actor.id, name: actor.name, login: actor.login, created_at: actor.createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) throw taken(`an actor with the login ${actor.login}`);
    },
    insertMembership: async ({ actorId, tenantId, role, createdAt }) => {
      const result = await session.db
        .insertInto("memberships")
        .values({ actor_id: actorId, tenant_id: tenantId, role, created_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) throw taken("a role of this actor in this tenant");
    },
    removeMembership: async ({ actorId, tenantId }) => {
      const result = await session.db
        .deleteFrom("memberships")
        .where("actor_id", "=", actorId)
        .where("tenant_id", "=", tenantId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

function taken(what: string): KeyctlError {
  return new KeyctlError("conflict", `there is ${what} already`, { retryable: false });
}
