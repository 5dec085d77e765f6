import { assertMay } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { parseEntry, systemLog } from "../audit/entry.ts";
import type { AuditEntry } from "../audit/entry.ts";
import { isEmptyFilter, matchesFilter } from "../audit/filter.ts";
import type { AuditFilter } from "../audit/filter.ts";
import type { Deps } from "./deps.ts";
import { knownActor } from "./known-actor.ts";
import { standing } from "./find-key.ts";
import { defaultTenant } from "./init-store.ts";
import type { AuditRow } from "./ports.ts";

type SelectDeps = Pick<Deps, "store" | "caller">;

/** Which log is meant: that of the caller's tenant, or the one of what belongs to no tenant. */
export type CallersLog = "tenant" | "system";

/**
 * The log's name; `forbidden` to a role that may not read it. The log `system` is read from the tenant that every store has,
 * as its personal data is erased from there: for all other tenants it holds what is not theirs.
 */
export function callersLog({ caller }: Pick<Deps, "caller">, which: CallersLog): string {
  assertMay(standing(caller), "audit");
  if (which === "tenant") return caller.tenant.id;
  if (caller.tenant.name === defaultTenant) return systemLog;
  throw new KeyctlError("forbidden", `the log system is not read from tenant ${caller.tenant.name}`, {
    hint: `add --tenant ${defaultTenant}`,
  });
}

/** A filter as a person gives it: an actor may be named by login. `not-found` for an actor that the tenant does not know. */
export async function resolveFilter(deps: SelectDeps, filter: AuditFilter): Promise<AuditFilter> {
  const { actor } = filter;
  if (actor === undefined) return filter;
  const known = await knownActor(deps, actor);
  if (known !== null) return { ...filter, actor: known.id };
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
  query: { log: string; filter: AuditFilter; toSeq?: number; newestFirst?: boolean; notDone?: boolean },
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
