import { listKeys } from "../../src/app/list-keys.ts";
import type { KeyFilter } from "../../src/app/ports.ts";
import type { Session } from "../../src/cli/context.ts";
import { assertBuilt, peakMemoryMiB, runKeyctl } from "./child.ts";
import { copyRow, idOfRow } from "./fill-keys.ts";
import { makeBenchHome } from "./home.ts";
import type { BenchHome } from "./home.ts";
import { elapsedMs, interleaved } from "./measure.ts";
import { newIssuedKey } from "./new-key.ts";
import { formatNumber } from "./report.ts";
import type { Bench } from "./report.ts";

/** What a table shows, and the one more that tells whether there is a next page. */
const pageKeys = 51;
const dayMs = 24 * 3_600_000;

interface Filled {
  count: number;
  home: BenchHome;
  session: Session;
}

/** One page of a list out of many keys against the same page out of few, and whole processes with their memory. */
export async function listPage(bench: Bench): Promise<void> {
  assertBuilt();
  const few = await filled(bench, 1_000);
  const many = await filled(bench, bench.sized(1_000_000, 10_000));
  try {
    const now = Date.now();
    const middle = Math.round(many.count / 2);
    const pages: Record<string, { filter?: KeyFilter; fromRow?: number }> = {
      "first page": {},
      "a page from the middle": { fromRow: middle },
      "--state active": { filter: { state: "active" } },
      "--state revoked (1 of 10)": { filter: { state: "revoked" } },
      "--kind secret (1 of 10)": { filter: { kind: "secret" } },
      "--owner company (1 of 50)": { filter: { owner: "company" } },
      "--expiring 30d (1 of 100)": { filter: { expiringBefore: now + 30 * dayMs } },
      "--tag team=rare (1 of 200)": { filter: { tags: { team: "rare" } } },
    };
    for (const [what, { filter = {}, fromRow }] of Object.entries(pages)) {
      const read = async ({ session, count }: Filled): Promise<void> => {
        const row = fromRow === undefined ? null : Math.min(fromRow, Math.round(count / 2));
        await readPage(session, filter, row);
      };
      const taken = await interleaved(31, { few: () => read(few), many: () => read(many) });
      figure(bench, { what, unit: "ms", few, many, taken });
    }
    const processes = await interleaved(bench.sized(15, 3), {
      few: () => runKeyctl(few.home.path, ["list"]),
      many: () => runKeyctl(many.home.path, ["list"]),
    });
    figure(bench, { what: "keyctl list, the process", unit: "ms", few, many, taken: processes });
    memory(bench, few, many);
    const everyMs = await elapsedMs(() => runKeyctl(many.home.path, ["list", "-o", "jsonl"]));
    const perSecond = (many.count / everyMs) * 1_000;
    bench.figure({ what: "keyctl list -o jsonl, every key", value: perSecond, unit: "/s" });
  } finally {
    for (const { session, home } of [few, many]) {
      await session.close();
      home.remove();
    }
  }
}

interface Comparison {
  what: string;
  unit: string;
  few: Filled;
  many: Filled;
  taken: { few: number; many: number };
}

function figure(bench: Bench, { what, unit, few, many, taken }: Comparison): void {
  bench.figure({
    what: `${what}, ${formatNumber(many.count)} keys`,
    value: taken.many,
    unit,
    peer: { what: `${formatNumber(few.count)} keys`, value: taken.few },
  });
}

function memory(bench: Bench, few: Filled, many: Filled): void {
  const every = ["list", "-o", "jsonl"];
  const taken = { few: peakMemoryMiB(few.home.path, every), many: peakMemoryMiB(many.home.path, every) };
  figure(bench, { what: "keyctl list -o jsonl, peak memory", unit: "MiB", few, many, taken });
}

async function readPage(session: Session, filter: KeyFilter, fromRow: number | null): Promise<void> {
  const id = (fromRow ?? 0).toString(16).padStart(12, "0");
  const after = fromRow === null ? null : `${nameOfRow(fromRow)}:00000000-0000-7000-8000-${id}`;
  let seen = 0;
  for await (const key of listKeys(session, { filter, limit: pageKeys, after })) seen += key.name.length;
  if (seen === 0) throw new Error("the page was empty");
}

function nameOfRow(row: number): string {
  return `key-${String(row).padStart(7, "0")}`;
}

async function filled(bench: Bench, count: number): Promise<Filled> {
  const home = await makeBenchHome();
  const session = await home.session();
  const { key } = await newIssuedKey(session, "model");
  const database = home.database();
  const name = "printf('key-%07d', n)";
  const ms = await elapsedMs(() => {
    copyRow(
      database,
      { table: "keys", where: `id = '${key.id}'` },
      {
        count,
        columns: {
          id: idOfRow,
          name,
          name_folded: name,
          state: "iif(n % 10 = 3, 'revoked', 'active')",
          kind: "iif(n % 10 = 4, 'secret', 'issued')",
          type: "iif(n % 10 = 4, 'jwt-secret', null)",
          owner: "iif(n % 50 = 5, 'company', 'app')",
          expires_at: `iif(n % 100 = 7, ${Date.now() + 10 * dayMs} + n, null)`,
          tags: `iif(n % 200 = 9, '{"team":"rare"}', '{"team":"core"}')`,
        },
      },
    );
  });
  database.close();
  bench.note(`${formatNumber(count)} keys written in ${formatNumber(ms / 1_000)} s`);
  return { count, home, session };
}
