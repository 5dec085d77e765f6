import SqliteDatabase from "better-sqlite3";
import type { Database } from "better-sqlite3";
import { Kysely } from "kysely";
import type { StoreLook } from "../../app/ports.ts";
import { latestSchema, schemaOf } from "../migrate.ts";
import type { Tables } from "../schema.ts";
import type { SqliteLookOptions } from "../sqlite.ts";
import { storeOver } from "../store.ts";
import { applicationId, sqliteDialect } from "./dialect.ts";
import { kyselyDialect } from "./driver.ts";
import { damagedStore, emptyStore, storeFailure } from "./failures.ts";

/** Looks at a store's image; see `lookAtSqliteStore`. */
export async function lookAtStoreImage(options: SqliteLookOptions): Promise<StoreLook> {
  const { path, image } = options;
  if (image.length === 0) throw emptyStore(path);
  let database: Database | undefined;
  try {
    database = new SqliteDatabase(image, { readonly: true });
    return await lookOver(database, options);
  } catch (error) {
    database?.close();
    throw storeFailure(error, path);
  }
}

async function lookOver(database: Database, { path, tree, clock }: SqliteLookOptions): Promise<StoreLook> {
  if (database.pragma("application_id", { simple: true }) !== applicationId) throw damagedStore(path);
  database.pragma("trusted_schema = off");
  database.pragma("cell_size_check = on");
  const dialect = sqliteDialect(tree);
  const db = new Kysely<Tables>({ dialect: kyselyDialect(database, path) });
  const found = await schemaOf(db, dialect);
  return {
    schema: { found, known: latestSchema },
    assertSound: () => {
      let answer: unknown;
      try {
        answer = database.pragma("quick_check(1)", { simple: true });
      } catch (error) {
        throw storeFailure(error, path);
      }
      if (answer !== "ok") throw damagedStore(path);
    },
    reader: found === latestSchema ? storeOver({ url: `sqlite:${path}`, db, dialect, clock }) : null,
    close: async () => await db.destroy(),
  };
}
