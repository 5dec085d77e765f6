import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { revokeKeys } from "../../src/app/revoke-keys.ts";
import { rotateKey } from "../../src/app/rotate-key.ts";
import { verifyKey } from "../../src/app/verify-key.ts";
import type { MadeVersion } from "../../src/app/create-key.ts";
import type { Session } from "../../src/cli/context.ts";
import { makeBenchHome } from "./home.ts";
import type { BenchHome } from "./home.ts";
import { elapsedMs, median } from "./measure.ts";
import { newIssuedKey, plainOptions } from "./new-key.ts";
import type { Bench } from "./report.ts";

const batches = 5;
/** About what one step of a verb writes: a version's row and an audit entry. */
const rowBytes = 1_000;

/**
 * The verbs on issued keys, one after the other in one process, as a script of a back end would run them. Each commit is
 * synced to the disk; the floor is as many bare transactions, of one row each, as the verb makes.
 */
export async function verbs(bench: Bench): Promise<void> {
  const home = await makeBenchHome();
  const session = await home.session();
  const bare = bareTransactions(home);
  try {
    const counted = countTransactions(session);
    const perBatch = bench.sized(100, 10);
    const total = batches * perBatch;
    const made: MadeVersion[] = [];
    const named = Array.from({ length: total }, (_, place) => `bench-${place}`);
    const create = async (name: string): Promise<void> => {
      made.push(await newIssuedKey(counted.session, name));
    };
    const rotate = async (name: string): Promise<void> => {
      await rotateKey(counted.session, {
        target: { path: name },
        graceMs: null,
        secret: null,
        generateLength: null,
        replace: false,
        outFile: null,
        options: plainOptions,
      });
    };
    const verify = async (name: string): Promise<void> => {
      const secret = made[named.indexOf(name)]?.secret;
      if (secret == null) throw new Error(`${name} was not created`);
      const { valid } = await verifyKey(counted.session, { presented: secret, scopes: [] });
      if (!valid) throw new Error(`${name} is not valid`);
    };
    const revoke = async (name: string): Promise<void> => {
      await revokeKeys(counted.session, {
        target: { keys: [{ path: name }], version: null },
        reason: "superseded",
        severity: null,
        unwrapToo: false,
        planHash: null,
        options: plainOptions,
      });
    };
    for (const [what, verb] of Object.entries({ create, verify, rotate, revoke })) {
      const before = counted.count();
      const measured = await rates(named, {
        perBatch,
        verb,
        bare,
        transactions: () => (counted.count() - before) / total,
      });
      const { transactions } = measured;
      bench.figure({
        what: `${what}, audited`,
        value: measured.rate,
        unit: "/s",
        peer: {
          what: `${transactions} bare transaction${transactions === 1 ? "" : "s"}`,
          value: measured.bare,
        },
      });
    }
  } finally {
    bare.close();
    await session.close();
    home.remove();
  }
}

interface Contest {
  perBatch: number;
  verb: (name: string) => Promise<void>;
  bare: { run(count: number): void };
  transactions: () => number;
}

/** Calls per second of the verb, and of its transactions without the verb, measured in turns. */
async function rates(
  named: readonly string[],
  contest: Contest,
): Promise<{ rate: number; bare: number; transactions: number }> {
  const { perBatch, verb, bare } = contest;
  const verbMs: number[] = [];
  const bareMs: number[] = [];
  for (let start = 0; start < named.length; start += perBatch) {
    const batch = named.slice(start, start + perBatch);
    verbMs.push(
      await elapsedMs(async () => {
        for (const name of batch) await verb(name);
      }),
    );
    bareMs.push(await elapsedMs(() => bare.run(perBatch)));
  }
  const transactions = Math.round(contest.transactions());
  const perSecond = (ms: number): number => (perBatch / ms) * 1_000;
  return { rate: perSecond(median(verbMs)), bare: perSecond(median(bareMs)) / transactions, transactions };
}

/** The session with its store's transactions counted. */
function countTransactions(session: Session): { session: Session; count: () => number } {
  let count = 0;
  const { store } = session;
  const transaction: typeof store.transaction = async (work) => {
    count += 1;
    return await store.transaction(work);
  };
  return { session: { ...session, store: { ...store, transaction } }, count: () => count };
}

/** A database set up as the store is, into which one row is committed at a time. */
function bareTransactions(home: BenchHome): { run(count: number): void; close(): void } {
  const database = new Sqlite(join(home.path, "bare.db"));
  for (const pragma of ["page_size = 8192", "journal_mode = wal", "synchronous = full"])
    database.pragma(pragma);
  database.exec("create table rows (id integer primary key, content blob)");
  const insert = database.prepare("insert into rows (content) values (randomblob(?))");
  const commitOne = database.transaction(() => insert.run(rowBytes));
  return {
    run: (count) => {
      for (let done = 0; done < count; done += 1) commitOne.immediate();
    },
    close: () => database.close(),
  };
}
