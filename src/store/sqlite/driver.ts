import type { Database, Statement } from "better-sqlite3";
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { DatabaseConnection, Dialect, Driver, Kysely, QueryResult } from "kysely";
import { storeFailure } from "./failures.ts";

/** More than this room has queries of fixed shape; what is built per call must not push those out for ever. */
const statementsMax = 300;

/** Runs compiled queries on one open database; its errors are keyctl's. */
class SqliteConnection implements DatabaseConnection {
  readonly #database: Database;
  readonly #path: string;
  readonly #statements = new Map<string, Statement<unknown[]>>();

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      const statement = this.#prepare(query.sql);
      // The row's shape is what the query builder was told of the tables.
      if (statement.reader) {
        const rows = statement.all(...query.parameters) as Row[];
        return { rows, numAffectedRows: BigInt(rows.length) };
      }
      return { rows: [], numAffectedRows: BigInt(statement.run(...query.parameters).changes) };
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw storeFailure(new TypeError("lists are read in pages"), this.#path);
  }

  #prepare(sql: string): Statement<unknown[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= statementsMax) this.#statements.clear();
    const statement = this.#database.prepare<unknown[]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * Kysely's own driver for SQLite begins deferred, so that a transaction that reads and then writes can find at its end
 * that it must not write. This one takes the write lock first.
 */
class SqliteDriver implements Driver {
  readonly #database: Database;
  readonly #connection: SqliteConnection;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, path);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  /** After a full disk or a failing one SQLite has rolled back by itself. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.inTransaction) await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

/** Kysely's view of one open database. Its adapter says "one connection", so Kysely lets one caller in at a time. */
export function kyselyDialect(database: Database, path: string): Dialect {
  return {
    createDriver: () => new SqliteDriver(database, path),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  };
}
