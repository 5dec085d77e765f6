/** What a database calls its types and guards; the dialect says it, the migrations use it. */
export interface SchemaWords {
  /** A signed 64-bit integer. */
  integer: string;
  bytes: string;
  /** What follows the closing bracket of `create table`. */
  table: string;
  /** The same for a table of small rows that are read in the order of their primary key, and written in it. */
  orderedTable: string;
  /** Statements that mark a new database as a store. */
  mark: string[];
  /** Statements that make a table refuse UPDATE and DELETE. */
  appendOnly(table: string): string[];
}

/** One step of the schema. Released ones are never edited. */
export interface Migration {
  /** 1, 2, 3 … without a gap. */
  version: number;
  statements(words: SchemaWords): string[];
}
