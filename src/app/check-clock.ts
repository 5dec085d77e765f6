import { parseEntry } from "../audit/entry.ts";
import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check } from "./check.ts";
import type { StoreReader } from "./ports.ts";

const minuteMs = 60_000;
/** What two machines' clocks may differ by, and nobody notices. */
const skewMs = 5 * minuteMs;
const secondMs = 1_000;
/** keyctl is younger than this, and no certificate or key of today lives until then. */
const firstYear = 2026;
const lastYear = 2100;

/**
 * Graces and expiries hold by the system's clock: one that stands before what was already written accepts keys that are
 * over. `store` is null where there is none to compare with.
 */
export async function checkClock(
  now: number,
  store: StoreReader | null,
  logs: readonly string[],
): Promise<Check[]> {
  const line = { id: "clock", subject: "clock" };
  const cure = "set the clock of this machine, best by NTP";
  return await checked(line, async () => {
    const shown = new Date(now).toISOString();
    const year = new Date(now).getUTCFullYear();
    if (year < firstYear || year > lastYear) return [failed(line, `says ${shown}, which cannot be`, cure)];
    const written = store === null ? null : await newestTime(store, logs);
    if (written === null || written.at <= now + secondMs) return [passed(line, shown)];
    const say = written.at - now > skewMs ? failed : doubtful;
    const message = `says ${shown}, and ${written.what} was written at ${new Date(written.at).toISOString()}`;
    return [say(line, message, cure)];
  });
}

/** The latest moment that the store knows of. */
async function newestTime(
  store: StoreReader,
  logs: readonly string[],
): Promise<{ at: number; what: string } | null> {
  const { createdAt, maintainedAt } = await store.meta();
  const times = [
    { at: createdAt, what: "the store" },
    { at: maintainedAt ?? createdAt, what: "the last maintenance" },
  ];
  for (const log of logs) {
    for await (const row of store.auditEntries({ log, newestFirst: true, limit: 1 })) {
      times.push({ at: parseEntry(row.bytes).ts, what: "the newest audit entry" });
    }
    const checkpoint = await store.newestCheckpoint(log);
    if (checkpoint !== null) times.push({ at: checkpoint.createdAt, what: "the newest checkpoint" });
  }
  return times.toSorted((a, b) => b.at - a.at)[0] ?? null;
}
