import type { AuditEntry } from "../audit/entry.ts";
import type { AuditFilter } from "../audit/filter.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import { callersLog, resolveFilter, selectEntries } from "./select-audit.ts";
import type { CallersLog } from "./select-audit.ts";

export interface ListedEntry {
  entry: AuditEntry;
  /** The actor's login, as long as it is kept beside the entry; else null. */
  actorName: string | null;
  /** Personal fields that the entry commits to and that `audit-erase` took away. */
  erased: string[];
}

/** The newest entries of the log that the filter wants, or only what did not succeed; newest first, `limit` at most. */
export async function* listAudit(
  deps: AttemptDeps,
  input: { log: CallersLog; filter: AuditFilter; limit: number | null; notDone?: boolean },
): AsyncGenerator<ListedEntry> {
  const log = await attempted(deps, { operation: "audit.list" }, () => callersLog(deps, input.log));
  const filter = await resolveFilter(deps, input.filter);
  const names = new Map((await deps.store.actors()).map((actor) => [actor.id, actor.login]));
  let left = input.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  const query = { log, filter, newestFirst: true, notDone: input.notDone ?? false };
  for await (const { entry } of selectEntries(deps, query)) {
    const kept = (await deps.store.auditPersonal(log, entry.seq)).map(({ field }) => field);
    const erased = Object.keys(entry.personal).filter((field) => !kept.includes(field));
    const actorName = kept.includes("login") ? (names.get(entry.actor) ?? null) : null;
    yield { entry, actorName, erased };
    left -= 1;
    if (left === 0) return;
  }
}
