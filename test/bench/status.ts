import { readStatus } from "../../src/app/status.ts";
import type { Session } from "../../src/cli/context.ts";
import { assertBuilt, runKeyctl } from "./child.ts";
import { copyRow, idOfRow } from "./fill-keys.ts";
import { makeBenchHome } from "./home.ts";
import type { BenchHome } from "./home.ts";
import { elapsedMs, interleaved } from "./measure.ts";
import { newIssuedKey } from "./new-key.ts";
import { formatNumber } from "./report.ts";
import type { Bench } from "./report.ts";

const dayMs = 24 * 3_600_000;
/** Rotations are due: exit 8. */
const waits = [8];

interface Filled {
  count: number;
  home: BenchHome;
  session: Session;
}

/**
 * The security view over many keys, most of which ask for something, against the same over few: 1 of 10 for a rotation, 1 of 10
 * near to it, 1 of 5 never used, 1 of 20 stale, 1 of 50 suspended, 1 of 100 in grace, seen or about to expire.
 */
export async function status(bench: Bench): Promise<void> {
  assertBuilt();
  const few = await filled(bench, 1_000);
  const many = await filled(bench, bench.sized(1_000_000, 10_000));
  try {
    const read = async ({ session }: Filled): Promise<void> => {
      const { findings } = await readStatus(session, { limit: 10 });
      if (findings.length === 0) throw new Error("nothing was found");
    };
    const taken = await interleaved(11, { few: () => read(few), many: () => read(many) });
    const peer = { what: `${formatNumber(few.count)} keys`, value: taken.few };
    bench.figure({ what: `status, ${formatNumber(many.count)} keys`, value: taken.many, unit: "ms", peer });
    const processes = await interleaved(bench.sized(11, 3), {
      few: () => runKeyctl(few.home.path, ["status"], waits),
      many: () => runKeyctl(many.home.path, ["status"], waits),
    });
    bench.figure({
      what: `keyctl status, the process, ${formatNumber(many.count)} keys`,
      value: processes.many,
      unit: "ms",
      peer: { ...peer, value: processes.few },
    });
  } finally {
    for (const { session, home } of [few, many]) {
      await session.close();
      home.remove();
    }
  }
}

async function filled(bench: Bench, count: number): Promise<Filled> {
  const home = await makeBenchHome();
  const session = await home.session();
  const { key } = await newIssuedKey(session, "model");
  const database = home.database();
  const name = "printf('key-%07d', n)";
  const now = Date.now();
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
          state: "iif(n % 50 = 3, 'inactive', 'active')",
          created_at: `${now} - iif(n % 5 = 4, 50, 1) * ${dayMs}`,
          rotated_at: `${now} - (n % 10 * 10 + 5) * ${dayMs}`,
          last_used_at: `iif(n % 5 = 4, null, ${now} - iif(n % 20 = 0, 100, 1) * ${dayMs})`,
          expires_at: `iif(n % 100 = 7, ${now} + ${dayMs} + n, null)`,
        },
      },
    );
    copyRow(
      database,
      { table: "key_versions", where: `key_id = '${key.id}'` },
      {
        count,
        columns: {
          key_id: idOfRow,
          public_id: "null",
          state: "iif(n % 100 = 1, 'rotated', 'active')",
          grace_until: `iif(n % 100 = 1, ${now} + ${dayMs} + n, null)`,
          seen_at: `iif(n % 100 = 2, ${now} - n, null)`,
        },
      },
    );
  });
  database.close();
  bench.note(`${formatNumber(count)} keys written in ${formatNumber(ms / 1_000)} s`);
  return { count, home, session };
}
