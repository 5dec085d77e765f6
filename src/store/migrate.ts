import { sql } from "kysely";
import type { Kysely } from "kysely";
import { KeyctlError } from "../core/errors.ts";
import type { StoreDialect } from "./dialect.ts";
import type { Migration } from "./migration.ts";
import { firstSchema } from "./migrations/0001-first-schema.ts";
import { teamAndUse } from "./migrations/0002-team-and-use.ts";
import type { Tables } from "./schema.ts";

const migrations: readonly Migration[] = [firstSchema, teamAndUse];

/** The schema that this release writes. */
export const latestSchema = migrations.length;

/** What a new store is given: an identity that the audit log's checkpoints carry for ever. */
export interface Birth {
  uuid: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/**
 * Brings a database to this release's schema in one transaction; what is current costs one read. Any number of
 * processes may do so at once: one works, the others find it done. `unavailable` when a newer keyctl was here.
 */
export async function migrate(db: Kysely<Tables>, dialect: StoreDialect, birth: () => Birth): Promise<void> {
  if ((await schemaVersion(db, dialect)) === latestSchema) return;
  await db.transaction().execute(async (tx) => {
    await dialect.lockSchema(tx);
    const from = await schemaVersion(tx, dialect);
    for (const migration of migrations.slice(from)) {
      for (const statement of migration.statements(dialect.words)) await sql.raw(statement).execute(tx);
    }
    if (from === 0) await recordBirth(tx, birth());
    await tx.updateTable("meta").set({ schema_version: latestSchema }).execute();
  });
}

/** Refuses (`unavailable`) a database that `migrate` would change. */
export async function assertMigrated(db: Kysely<Tables>, dialect: StoreDialect): Promise<void> {
  if ((await schemaVersion(db, dialect)) === latestSchema) return;
  throw new KeyctlError("unavailable", "the store is of an older release", {
    hint: "the next command that opens it brings it up to date",
  });
}

/** As `schemaOf`, and refuses what this release does not know. */
async function schemaVersion(db: Kysely<Tables>, dialect: StoreDialect): Promise<number> {
  const version = await schemaOf(db, dialect);
  if (version > latestSchema) {
    throw new KeyctlError("unavailable", "a newer keyctl has changed this store", {
      hint: `upgrade keyctl: the store has schema ${version}, this release knows ${latestSchema}`,
      retryable: false,
    });
  }
  return version;
}

/** The schema that a database has; 0 when there is nothing yet. `integrity` when it does not say. */
export async function schemaOf(db: Kysely<Tables>, dialect: StoreDialect): Promise<number> {
  if (!(await dialect.hasSchema(db))) return 0;
  const [row] = await db.selectFrom("meta").select("schema_version").execute();
  const version = row?.schema_version ?? -1;
  if (version < 1) {
    throw new KeyctlError("integrity", "the store has lost the record of itself", {
      hint: "restore the store from a backup",
    });
  }
  return version;
}

async function recordBirth(tx: Kysely<Tables>, birth: Birth): Promise<void> {
  await tx
    .insertInto("meta")
    .values({
      singleton: 1,
      uuid: birth.uuid,
      created_at: birth.createdAt,
      schema_version: latestSchema,
      vault_generation: null,
      maintained_at: null,
    })
    .execute();
}
