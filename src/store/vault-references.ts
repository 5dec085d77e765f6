import { sql } from "kysely";
import type { SqlBool } from "kysely";
import type { RootRole, StoreReader, StoreTransaction } from "../app/ports.ts";
import { parseWord } from "./column-values.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const rootRoles = ["pepper", "k-auth", "kek", "checkpoint-key"] as const satisfies RootRole[];

interface RootRow {
  role: string;
  role_version: number;
  reference: string;
  created_at: number;
  last_accessed_at: number | null;
}

const rootsOfRole: FixedQuery<RootRow> = (db) => ({
  compile: () =>
    sql<RootRow>`select role, role_version, reference, created_at, last_accessed_at
      from vault_references where role = ${""} order by role_version`.compile(db),
});

/** Reads of where the store's root keys and secrets lie. */
export function referenceReader(session: Session): Pick<StoreReader, "rootReferences"> {
  return {
    rootReferences: async (role) =>
      (await lookup(session, rootsOfRole, [role])).map((row) => ({
        role: parseWord("role", row.role, rootRoles),
        version: row.role_version,
        reference: row.reference,
        createdAt: row.created_at,
        lastAccessedAt: row.last_accessed_at,
      })),
  };
}

/** Writes of root references, and of when any reference was used in the vault. */
export function referenceWriter(
  session: Session,
): Pick<StoreTransaction, "insertRootReference" | "touchReference"> {
  return {
    insertRootReference: async ({ role, version, reference, createdAt }) => {
      await session.db
        .insertInto("vault_references")
        .values({
          reference,
          role,
          role_version: version,
          key_id: null,
          version: null,
          created_at: createdAt,
          last_accessed_at: null,
        })
        .execute();
    },
    touchReference: async (reference, at) => {
      await session.db
        .updateTable("vault_references")
        .set({ last_accessed_at: at })
        .where("reference", "=", reference)
        .where(sql<SqlBool>`(last_accessed_at is null or last_accessed_at < ${at})`)
        .execute();
    },
  };
}

/**
 * Notes where a version's value lies, so that its access can be dated. The version's own column is what counts (the row
 * MAC covers it); a reference that several versions had in turn belongs to the last.
 */
export async function recordVersionReference(
  session: Session,
  owner: { keyId: string; version: number },
  reference: string,
): Promise<void> {
  const place = { key_id: owner.keyId, version: owner.version };
  await session.db
    .insertInto("vault_references")
    .values({
      ...place,
      reference,
      role: null,
      role_version: null,
      created_at: session.now(),
      last_accessed_at: null,
    })
    // A root's reference stays a root's, whatever a row claims.
    .onConflict((conflict) =>
      conflict.column("reference").doUpdateSet(place).where("vault_references.role", "is", null),
    )
    .execute();
}
