import { hash } from "node:crypto";
import { signCheckpoint } from "../../src/app/sign-checkpoint.ts";
import { verifyAudit } from "../../src/app/verify-audit.ts";
import { auditEntry } from "../../src/app/record-audit.ts";
import type { Session } from "../../src/cli/context.ts";
import { assertBuilt, peakMemoryMiB, runKeyctl } from "./child.ts";
import { growLog } from "./fill-audit.ts";
import { makeBenchHome } from "./home.ts";
import type { BenchHome } from "./home.ts";
import { elapsedMs, interleaved, median } from "./measure.ts";
import { formatNumber } from "./report.ts";
import type { Bench } from "./report.ts";

/** One log as it grows: appends at its start and at its end, exports at two lengths, a whole verification. */
export async function audit(bench: Bench): Promise<void> {
  assertBuilt();
  const home = await makeBenchHome();
  const session = await home.session();
  try {
    const few = bench.sized(100_000, 2_000);
    const many = bench.sized(1_000_000, 20_000);
    const young = await appendRates(bench, session);
    await grow(bench, { home, session }, few);
    const memoryOfFew = exportMemory(home);
    await grow(bench, { home, session }, many);
    const memoryOfMany = exportMemory(home);
    const old = await appendRates(bench, session);
    for (const [what, value] of Object.entries(old)) {
      const peer = { what: "in a young log", value: young[what] ?? value };
      bench.figure({ what: `append ${what}, after ${formatNumber(many)} entries`, value, unit: "/s", peer });
    }
    for (const [what, value] of Object.entries(memoryOfMany)) {
      const peer = { what: `${formatNumber(few)} entries`, value: memoryOfFew[what] ?? value };
      bench.figure({
        what: `${what}, ${formatNumber(many)} entries, peak memory`,
        value,
        unit: "MiB",
        peer,
        goal: "flat",
      });
    }
    const exportMs = await elapsedMs(() => runKeyctl(home.path, ["audit-export"]));
    bench.figure({ what: "audit-export, the process", value: (many / exportMs) * 1_000, unit: "/s" });
    await verification(bench, { home, session });
  } finally {
    await session.close();
    home.remove();
  }
}

async function grow(
  bench: Bench,
  { home, session }: { home: BenchHome; session: Session },
  size: number,
): Promise<void> {
  const ms = await elapsedMs(async () => await growLog(home, session, size));
  bench.note(`${formatNumber(size)} entries, the log written in ${formatNumber(ms / 1_000)} s`);
}

/** Peak memory of the process in MiB. */
function exportMemory(home: BenchHome): Record<string, number> {
  return {
    "audit-export": peakMemoryMiB(home.path, ["audit-export"]),
    "audit-export --format csv": peakMemoryMiB(home.path, ["audit-export", "--format", "csv"]),
    "audit-verify": peakMemoryMiB(home.path, ["audit-verify"]),
  };
}

/** Entries per second: one by one as verbs commit them, and in portions as a bulk revoke does. */
async function appendRates(bench: Bench, session: Session): Promise<Record<string, number>> {
  const portion = bench.sized(1_000, 50);
  const rate = async (perTransaction: number): Promise<number> => {
    const taken: number[] = [];
    for (let round = 0; round < 5; round += 1)
      taken.push(await elapsedMs(async () => await append(session, { portion, perTransaction })));
    return (portion / median(taken)) * 1_000;
  };
  return { "one by one": await rate(1), "in portions of 1,000": await rate(portion) };
}

async function append(
  session: Session,
  { portion, perTransaction }: { portion: number; perTransaction: number },
): Promise<void> {
  const log = session.caller.tenant.id;
  const event = {
    operation: "key.verify",
    sensitivity: "MEDIUM",
    after: { reason: null, version: 1 },
  } as const;
  for (let done = 0; done < portion; done += perTransaction) {
    await session.store.transaction(async (tx) => {
      const entries = Array.from({ length: perTransaction }, () => auditEntry(session, event, log));
      await tx.appendAudit(log, entries);
    });
  }
}

/** `audit-verify` against reading the rows and hashing each, which no verification can do without. */
async function verification(
  bench: Bench,
  { home, session }: { home: BenchHome; session: Session },
): Promise<void> {
  const log = session.caller.tenant.id;
  await signCheckpoint(session, log, { onlyWhenStale: false });
  const { size } = await session.store.auditHead(log);
  const taken = await interleaved(3, {
    floor: () => readAndHash(home, log),
    verify: async () => {
      const verdict = await verifyAudit(session, { log: "tenant", state: false });
      if (verdict.integrity !== "ok" || verdict.size !== size) throw new Error("the log does not verify");
    },
  });
  const rate = (ms: number): number => (size / ms) * 1_000;
  bench.figure({
    what: `audit-verify, ${formatNumber(size)} entries`,
    value: rate(taken.verify),
    unit: "/s",
    peer: { what: "rows read and hashed", value: rate(taken.floor) },
    goal: "≥ 300,000/s",
  });
}

function readAndHash(home: BenchHome, log: string): void {
  const database = home.database();
  const page = database.prepare<[string, number], { seq: number; bytes: Uint8Array; leaf: Uint8Array }>(
    "select seq, bytes, leaf from audit_entries where log = ? and seq >= ? order by seq limit 5000",
  );
  for (let from = 0; ;) {
    const rows = page.all(log, from);
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const { bytes } of rows) hash("sha256", bytes, "binary");
    from = last.seq + 1;
  }
  database.close();
}
