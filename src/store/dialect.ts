import type { Kysely, RawBuilder, SqlBool } from "kysely";
import type { AuditAppend, AuditRow } from "../app/ports.ts";
import type { SchemaWords } from "./migration.ts";
import type { Tables } from "./schema.ts";

/** A stretch of one log, by sequence number: `from` included, `to` not. */
export interface AuditPage {
  log: string;
  from: number;
  to: number;
  /** Residual conditions; all must hold. */
  matching: RawBuilder<SqlBool>[];
  newestFirst: boolean;
  limit: number;
}

/** All that differs between databases; everything else in this room is the same SQL for each. */
export interface StoreDialect {
  readonly words: SchemaWords;
  /** True when a read that decides a write must lock its rows (`for update`). */
  readonly locksRows: boolean;

  /** `column` is one of `values`, which travel as one parameter however many they are. */
  anyOf(column: string, values: readonly string[]): RawBuilder<SqlBool>;
  /** The JSON object of `column` has every one of these entries. */
  hasEntries(column: string, entries: Readonly<Record<string, string>>): RawBuilder<SqlBool>;

  /** Whether the table that holds the schema's version is there. */
  hasSchema(db: Kysely<Tables>): Promise<boolean>;
  /** Keeps every other process from migrating until the transaction ends. */
  lockSchema(tx: Kysely<Tables>): Promise<void>;

  /** Appends in order to one log and answers the first sequence number; inside a transaction. */
  appendAudit(tx: Kysely<Tables>, log: string, entries: readonly AuditAppend[]): Promise<number>;
  /** One page of a log, read as fast as the database can. */
  auditPage(db: Kysely<Tables>, page: AuditPage): Promise<AuditRow[]>;

  /** As `Store.scrub`; outside of a transaction. */
  scrub(db: Kysely<Tables>): Promise<boolean>;

  /** True for an error after which the whole transaction may be tried again: another process was in the way. */
  isContended(error: unknown): boolean;
}
