import { assertMay } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { parseEntry } from "../audit/entry.ts";
import type { AuditEntry } from "../audit/entry.ts";
import { isEmptyFilter, matchesFilter } from "../audit/filter.ts";
import type { AuditFilter } from "../audit/filter.ts";
import type { Deps } from "./deps.ts";
import { standing } from "./find-key.ts";
import type { AuditRow } from "./ports.ts";

type SelectDeps = Pick<Deps, "store" | "caller">;

/** The log that the caller's tenant has; refused to a role that may not read it. */
export function callersLog(deps: Pick<Deps, "caller">): string {
  assertMay(standing(deps.caller), "audit");
  return deps.caller.tenant.id;
}

/** A filter as a person gives it: an actor may be named by login. `not-found` for an actor that nobody knows. */
export async function resolveFilter(deps: SelectDeps, filter: AuditFilter): Promise<AuditFilter> {
  const { actor } = filter;
  if (actor === undefined) return filter;
  const known = (await deps.store.actors()).find(
    (candidate) => candidate.id === actor || candidate.login === actor,
  );
  if (known !== undefined) return { ...filter, actor: known.id };
  throw new KeyctlError("not-found", "no actor of that id or login", {
    hint: "keyctl audit-list -o json names the actors",
  });
}

export interface SelectedEntry {
  row: AuditRow;
  entry: AuditEntry;
}

/** Entries of a log that the filter wants, streamed; times and actor are looked for by index. */
export async function* selectEntries(
  deps: SelectDeps,
  query: { log: string; filter: AuditFilter; toSeq?: number; newestFirst?: boolean },
): AsyncGenerator<SelectedEntry> {
  const { filter, ...range } = query;
  const { since, until, actor } = filter;
  const indexed = {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(actor === undefined ? {} : { actorId: actor }),
  };
  for await (const row of deps.store.auditEntries({ ...range, ...indexed })) {
    const entry = parseEntry(row.bytes);
    if (isEmptyFilter(filter) || matchesFilter(entry, filter)) yield { row, entry };
  }
}
