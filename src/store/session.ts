import type { Compilable, CompiledQuery, Kysely } from "kysely";
import { KeyctlError } from "../core/errors.ts";
import type { StoreDialect } from "./dialect.ts";
import type { Tables } from "./schema.ts";

/**
 * A query of fixed shape, built with a placeholder for each parameter. Constants in it must be literals (`sql.lit`), so
 * that the parameters are exactly those that the caller gives, in order of appearance.
 */
export type FixedQuery<Row> = (db: Kysely<Tables>) => Compilable<Row>;

/** The compiled form of every fixed query, made at its first use: building one costs more than running it. */
export class CompiledQueries {
  readonly #compiled = new Map<FixedQuery<unknown>, CompiledQuery>();

  /** The query with these parameters in the places of its placeholders. */
  bind<Row>(db: Kysely<Tables>, query: FixedQuery<Row>, parameters: readonly unknown[]): CompiledQuery {
    let compiled = this.#compiled.get(query);
    if (compiled === undefined) {
      compiled = query(db).compile();
      this.#compiled.set(query, compiled);
    }
    if (compiled.parameters.length !== parameters.length) {
      throw new KeyctlError("failure", "a query of the store was given the wrong number of parameters");
    }
    return { ...compiled, parameters };
  }
}

/** What the functions of this room work with: a connection of their own, or the one of an open transaction. */
export interface Session {
  /** Refuses when the store is closed, the transaction is over, or another one is open around the caller. */
  readonly db: Kysely<Tables>;
  readonly dialect: StoreDialect;
  readonly compiled: CompiledQueries;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Runs a fixed query and answers its rows. */
export async function lookup<Row>(
  session: Session,
  query: FixedQuery<Row>,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const { db } = session;
  const result = await db.executeQuery<Row>(session.compiled.bind(db, query, parameters));
  return result.rows;
}
