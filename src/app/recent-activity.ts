import { parseEntry } from "../audit/entry.ts";
import type { AuditEntry, AuditOutcome } from "../audit/entry.ts";
import type { Deps } from "./deps.ts";
import { countMax } from "./finding.ts";
import type { AuditRow } from "./ports.ts";

const dayMs = 24 * 3_600_000;

/** For how long an attempt that came to nothing is pointed out. */
export const refusalsShownMs = 7 * dayMs;

/** Operations that use a key's value, or try to. */
const accessOperations = ["key.verify", "key.reveal", "key.exec", "key.open", "key.wrap", "key.unwrap"];

/** An entry of the log in a line: who did what with which key, and how it ended. */
export interface Activity {
  at: number;
  /** The actor's login; its id once the login is erased from beside the entry. */
  actor: string;
  operation: string;
  outcome: AuditOutcome;
  /** `env/name`, as it was called then. */
  key: string | null;
}

/** The newest uses of keys, whether they were allowed or not, newest first. */
export async function lastAccesses(
  { store }: Pick<Deps, "store">,
  query: { log: string; limit: number },
): Promise<Activity[]> {
  const rows: AuditRow[] = [];
  for (const operation of accessOperations) {
    for await (const row of store.auditEntries({ ...query, operation, newestFirst: true })) rows.push(row);
  }
  const newest = rows.toSorted((a, b) => b.seq - a.seq).slice(0, query.limit);
  return await activities({ store }, newest);
}

/** What was refused or failed of late: how often, up to `countMax`, and the newest ones. */
export async function recentRefusals(
  { store }: Pick<Deps, "store">,
  query: { log: string; now: number; limit: number },
): Promise<{ count: number; newest: Activity[] }> {
  const { log, limit } = query;
  const since = query.now - refusalsShownMs;
  const rows = await store.refusals({ log, since, limit });
  return {
    count: await store.countRefusals({ log, since, max: countMax }),
    newest: await activities({ store }, rows),
  };
}

async function activities({ store }: Pick<Deps, "store">, rows: readonly AuditRow[]): Promise<Activity[]> {
  const found: Activity[] = [];
  for (const row of rows) {
    const entry = parseEntry(row.bytes);
    found.push(activity(entry, (await loginOf({ store }, entry)) ?? entry.actor));
  }
  return found;
}

/** As long as it is kept beside the entry. */
async function loginOf(
  { store }: Pick<Deps, "store">,
  { log, seq, actor }: AuditEntry,
): Promise<string | null> {
  const isKept = (await store.auditPersonal(log, seq)).some(({ field }) => field === "login");
  return isKept ? ((await store.actorById(actor))?.login ?? null) : null;
}

function activity({ ts, operation, outcome, key }: AuditEntry, actor: string): Activity {
  return { at: ts, actor, operation, outcome, key: key === null ? null : `${key.env}/${key.name}` };
}
