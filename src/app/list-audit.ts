import type { AuditEntry } from "../audit/entry.ts";
import type { AuditFilter } from "../audit/filter.ts";
import type { Deps } from "./deps.ts";
import { callersLog, resolveFilter, selectEntries } from "./select-audit.ts";

export interface ListedEntry {
  entry: AuditEntry;
  /** The actor's login; null once it is erased or unknown. */
  actorName: string | null;
}

/** The newest entries of the tenant's log that the filter wants, newest first; `limit` at most. */
export async function* listAudit(
  deps: Pick<Deps, "store" | "caller">,
  input: { filter: AuditFilter; limit: number | null },
): AsyncGenerator<ListedEntry> {
  const log = callersLog(deps);
  const filter = await resolveFilter(deps, input.filter);
  const names = new Map((await deps.store.actors()).map((actor) => [actor.id, actor.login]));
  let left = input.limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const { entry } of selectEntries(deps, { log, filter, newestFirst: true })) {
    yield { entry, actorName: names.get(entry.actor) ?? null };
    left -= 1;
    if (left === 0) return;
  }
}
