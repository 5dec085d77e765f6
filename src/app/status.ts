import { assertMay, ownNames, reachOf } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import type { KeyKind, KeyState } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { Caller, Deps } from "./deps.ts";
import { standing } from "./find-key.ts";
import { countMax, finding } from "./finding.ts";
import type { Finding, FindingId, FoundKind } from "./finding.ts";
import { keyFindings } from "./key-findings.ts";
import { lookAtLog } from "./look-at-log.ts";
import type { LogLook } from "./look-at-log.ts";
import type { KeyScope } from "./ports.ts";
import { lastAccesses, recentRefusals, refusalsShownMs } from "./recent-activity.ts";
import type { Activity } from "./recent-activity.ts";
import { upkeepFindings, upstreamFindings } from "./upkeep-findings.ts";

/** Keys counted; every count ends at `countMax`. States are as written: `overdue` counts what has expired since. */
export interface KeyTotals {
  byKind: Partial<Record<KeyKind, number>>;
  byState: Partial<Record<KeyState, number>>;
  secure: number;
  rotationSoon: number;
  rotationRequired: number;
}

/** The security view of a tenant, over all its environments. */
export interface Status {
  tenant: string;
  /** `own`: the role sees its own keys, and nothing of the log and of the store's upkeep. */
  scope: "tenant" | "own";
  asOf: number;
  verdict: "ok" | "waiting" | "broken";
  totals: KeyTotals;
  /** How many there are of each kind of finding, also of those that are not among `findings`. */
  counts: Partial<Record<FindingId, number>>;
  /** What presses most comes first. */
  findings: Finding[];
  /** Newest first; null when the role does not read the log. So with all that follows. */
  attempts: Activity[] | null;
  accesses: Activity[] | null;
  log: LogLook | null;
  maintainedAt: number | null;
}

type StatusDeps = Pick<
  Deps,
  "store" | "memory" | "processes" | "clock" | "caller" | "random" | "tool" | "warn"
>;

/**
 * What a person should look at, and the command for each; `limit` findings of each kind, attempts and accesses at most. Reads
 * the store alone: what only the vault knows is not looked at. Refused to a role that sees no keys.
 */
export async function readStatus(deps: StatusDeps, input: { limit: number }): Promise<Status> {
  const { caller, store } = deps;
  const ownedBy = await attempted(
    deps,
    { operation: "tenant.status" },
    async () => await Promise.resolve(visibleOwners(caller)),
  );
  const now = deps.clock.now();
  const scope: KeyScope = { tenantId: caller.tenant.id, ownedBy, now };
  const { limit } = input;
  const keys = [await upstreamFindings(deps, scope, limit), ...(await keyFindings(deps, scope, limit))];
  const whole = ownedBy === null ? await readTenant(deps, scope, limit) : nothingOfIt;
  const found = [...whole.found, ...keys];
  const findings = found
    .flatMap(({ shown }) => shown)
    .toSorted((a, b) => pressure[b.level] - pressure[a.level]);
  const counts = Object.fromEntries(found.map(({ id, count }) => [id, count]));
  return {
    tenant: caller.tenant.name,
    scope: ownedBy === null ? "tenant" : "own",
    asOf: now,
    verdict: verdictOf(findings),
    totals: await totalsOf(store, scope, counts),
    counts,
    findings,
    attempts: whole.attempts,
    accesses: whole.accesses,
    log: whole.log,
    maintainedAt: whole.maintainedAt,
  };
}

const pressure = { notice: 0, waiting: 1, broken: 2 } as const;

function verdictOf(findings: readonly Finding[]): Status["verdict"] {
  if (findings.some(({ level }) => level === "broken")) return "broken";
  return findings.some(({ level }) => level === "waiting") ? "waiting" : "ok";
}

/** Whose keys the caller sees; null is everybody's. */
function visibleOwners(caller: Caller): string[] | null {
  const { role, actor } = caller;
  if (reachOf(role, "read") === "own") return ownNames(actor);
  if (reachOf(role, "read") === "none" && reachOf(role, "audit") === "all") {
    throw new KeyctlError(
      "forbidden",
      `${actor.login} is ${role} in tenant ${caller.tenant.name}, and sees no keys`,
      {
        hint: "keyctl audit-verify and keyctl audit-list show the log",
      },
    );
  }
  assertMay(standing(caller), "read");
  return null;
}

type WholeTenant = Pick<Status, "attempts" | "accesses" | "log" | "maintainedAt"> & { found: FoundKind[] };

const nothingOfIt: WholeTenant = { found: [], attempts: null, accesses: null, log: null, maintainedAt: null };

/** The log and the upkeep: for whoever sees the whole tenant. */
async function readTenant(deps: StatusDeps, scope: KeyScope, limit: number): Promise<WholeTenant> {
  const name = scope.tenantId;
  const log = await lookAtLog(deps, name);
  const found = await upkeepFindings(deps, { scope, log, limit });
  // Entries that are not what was appended are not shown as if they were.
  const { maintainedAt } = await deps.store.meta();
  if (log.problem !== null) return { ...nothingOfIt, found, log, maintainedAt };
  const refused = await recentRefusals(deps, { log: name, now: scope.now, limit });
  return {
    found: [...found, tellRefusals(refused.count, scope.now)],
    log,
    attempts: refused.newest,
    accesses: await lastAccesses(deps, { log: name, limit }),
    maintainedAt,
  };
}

function tellRefusals(count: number, now: number): FoundKind {
  const told = finding({
    id: "refusals",
    level: "notice",
    since: now - refusalsShownMs,
    message: `${count === 1 ? "1 attempt was" : `${count} attempts were`} refused or failed within 7d`,
    command: "keyctl audit-list --failed --since 7d",
  });
  return { id: "refusals", count, shown: count === 0 ? [] : [told] };
}

async function totalsOf(
  store: StatusDeps["store"],
  scope: KeyScope,
  counts: Partial<Record<FindingId, number>>,
): Promise<KeyTotals> {
  const byKind: KeyTotals["byKind"] = {};
  const byState: KeyTotals["byState"] = {};
  for (const { kind, state, count } of await store.keyTotals(scope, countMax)) {
    byState[state] = Math.min(countMax, (byState[state] ?? 0) + count);
    if (state !== "deleted") byKind[kind] = Math.min(countMax, (byKind[kind] ?? 0) + count);
  }
  return {
    byKind,
    byState,
    secure: await store.countKeys(scope, "secure", countMax),
    rotationSoon: counts["rotation-soon"] ?? 0,
    rotationRequired: Math.min(countMax, (counts["rotation-required"] ?? 0) + (counts.expiring ?? 0)),
  };
}
