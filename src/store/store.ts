import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { Kysely } from "kysely";
import { KeyctlError } from "../core/errors.ts";
import type { Clock, Store, StoreReader, StoreTransaction } from "../app/ports.ts";
import { attentionReader } from "./attention.ts";
import { auditReader, auditWriter } from "./audit-log.ts";
import { denialWriter } from "./denial.ts";
import type { StoreDialect } from "./dialect.ts";
import { idempotencyReader, idempotencyWriter } from "./idempotency.ts";
import { keyReader, keyWriter } from "./keys.ts";
import { leakTagReader, leakTagWriter } from "./leak-tags.ts";
import { metaReader, metaWriter } from "./meta.ts";
import { operationReader, operationWriter } from "./operations.ts";
import { outboxReader, outboxWriter } from "./outbox.ts";
import { revocationReader, revocationWriter } from "./revocations.ts";
import type { Tables } from "./schema.ts";
import { CompiledQueries } from "./session.ts";
import type { Session } from "./session.ts";
import { tenantReader, tenantWriter } from "./tenants.ts";
import { usageReader, usageWriter } from "./usage.ts";
import { referenceReader, referenceWriter } from "./vault-references.ts";
import { versionReader, versionWriter } from "./versions.ts";

/** How often a transaction is tried when other processes are in the way. */
const attemptsMax = 3;
const pauseMs = 25;

/** An open and migrated database of one dialect. */
export interface StoreParts {
  url: string;
  db: Kysely<Tables>;
  dialect: StoreDialect;
  clock: Clock;
}

/** Answers the database as long as it may be used, and throws after that. */
type Access = () => Kysely<Tables>;

/** The store over one database; whatever the dialect, this is the only implementation. */
export function storeOver({ url, db, dialect, clock }: StoreParts): Store {
  const compiled = new CompiledQueries();
  const surrounding = new AsyncLocalStorage<{ open: boolean }>();
  let closed = false;

  const session = (access: Access): Session => ({
    get db() {
      return access();
    },
    dialect,
    compiled,
    now: () => clock.now(),
  });
  // Whoever waits for a connection while its own caller holds the only one waits for ever.
  const outside: Access = () => {
    if (closed) throw new KeyctlError("failure", "the store is closed");
    if (surrounding.getStore()?.open !== true) return db;
    throw new KeyctlError(
      "failure",
      "the store was used beside the transaction that is open around the call",
    );
  };
  const attempt = async <T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> =>
    await outside()
      .transaction()
      .execute(async (tx) => {
        const mark = { open: true };
        const inside: Access = () => {
          if (mark.open) return tx;
          throw new KeyctlError("failure", "a transaction was used after its end");
        };
        try {
          return await surrounding.run(mark, async () => await work(transactionOf(session(inside))));
        } finally {
          mark.open = false;
        }
      });
  return {
    url,
    ...readerOf(session(outside)),
    transaction: async (work) => await retried(dialect, async () => await attempt(work)),
    scrub: async () => await retried(dialect, async () => await dialect.scrub(outside())),
    close: async () => {
      closed = true;
      await db.destroy();
    },
  };
}

/** Runs the whole transaction again when another process was in the way, a few times. */
async function retried<T>(dialect: StoreDialect, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (count >= attemptsMax || !dialect.isContended(error)) throw error;
    }
    await pause(count * pauseMs);
  }
}

function readerOf(session: Session): StoreReader {
  return {
    ...metaReader(session),
    ...tenantReader(session),
    ...keyReader(session),
    ...versionReader(session),
    ...referenceReader(session),
    ...leakTagReader(session),
    ...operationReader(session),
    ...idempotencyReader(session),
    ...outboxReader(session),
    ...revocationReader(session),
    ...auditReader(session),
    ...attentionReader(session),
    ...usageReader(session),
  };
}

function transactionOf(session: Session): StoreTransaction {
  return {
    ...readerOf(session),
    ...metaWriter(session),
    ...tenantWriter(session),
    ...keyWriter(session),
    ...versionWriter(session),
    ...denialWriter(session),
    ...referenceWriter(session),
    ...leakTagWriter(session),
    ...operationWriter(session),
    ...idempotencyWriter(session),
    ...outboxWriter(session),
    ...revocationWriter(session),
    ...auditWriter(session),
    ...usageWriter(session),
  };
}
