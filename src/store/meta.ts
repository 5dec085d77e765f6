import { sql } from "kysely";
import { KeyctlError } from "../core/errors.ts";
import type { StoreReader, StoreTransaction } from "../app/ports.ts";
import type { MetaRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const only: FixedQuery<MetaRow> = (db) => db.selectFrom("meta").selectAll();

/** Reads of the store's own record. */
export function metaReader(session: Session): Pick<StoreReader, "meta"> {
  return {
    meta: async () => {
      const [row] = await lookup(session, only, []);
      if (row === undefined) {
        throw new KeyctlError("integrity", "the store has lost the record of itself", {
          hint: "restore the store from a backup",
        });
      }
      return {
        uuid: row.uuid,
        createdAt: row.created_at,
        schemaVersion: row.schema_version,
        vaultGeneration: row.vault_generation,
        maintainedAt: row.maintained_at,
      };
    },
  };
}

/** Writes to the store's own record. */
export function metaWriter(
  session: Session,
): Pick<StoreTransaction, "rememberVaultGeneration" | "acceptVaultGeneration" | "recordMaintenance"> {
  return {
    rememberVaultGeneration: async (generation) => {
      await session.db
        .updateTable("meta")
        .set({ vault_generation: generation })
        .where(sql<number>`coalesce(vault_generation, -1)`, "<", generation)
        .execute();
    },
    acceptVaultGeneration: async (generation) => {
      await session.db.updateTable("meta").set({ vault_generation: generation }).execute();
    },
    recordMaintenance: async (at) => {
      await session.db.updateTable("meta").set({ maintained_at: at }).execute();
    },
  };
}
