import { formatElapsed } from "../core/duration.ts";
import type { KeyRecord } from "../core/model.ts";
import { maintenanceLateMs } from "../core/policy.ts";
import type { Deps } from "./deps.ts";
import { countMax, finding, inDays, pathOf } from "./finding.ts";
import type { Finding, FindingId, FoundKind } from "./finding.ts";
import type { LogLook } from "./look-at-log.ts";
import type { KeyScope, Operation, OutboxItem, Revocation } from "./ports.ts";

type UpkeepDeps = Pick<Deps, "store" | "processes">;

const repair = "keyctl reconcile --fix";

/** Provider keys in the scope that were revoked here, and at their provider not as far as anybody said. */
export async function upstreamFindings(
  { store }: Pick<Deps, "store">,
  scope: KeyScope,
  limit: number,
): Promise<FoundKind> {
  const open = await store.openUpstreams(scope.tenantId);
  const keys = await keysOf(store, open);
  const mine = open.filter(({ keyId }) => isIn(scope, keys.get(keyId)));
  return {
    id: "upstream-open",
    count: mine.length,
    shown: mine.slice(0, limit).map((revocation) => upstream(revocation, keys.get(revocation.keyId))),
  };
}

function upstream({ keyId, revokedAt, version }: Revocation, key: KeyRecord | undefined): Finding {
  const path = key === undefined ? null : pathOf(key);
  // The name of a purged key is nobody's, or another's.
  const named = path === null || key?.purgedAt !== null ? `--id ${keyId}` : path;
  return finding({
    id: "upstream-open",
    level: "waiting",
    key: path,
    version,
    since: revokedAt,
    message: `revoked here, and still accepted by ${key?.provider ?? "its provider"}`,
    command: `keyctl revoke ${named} --upstream-done`,
  });
}

/** What crashes, outages and the passing of time left to do in the tenant: operations, vault tasks, maintenance, signing. */
export async function upkeepFindings(
  deps: UpkeepDeps,
  view: { scope: KeyScope; log: LogLook; limit: number },
): Promise<FoundKind[]> {
  return [
    broken(view.log),
    ...(await operations(deps, view.scope, view.limit)),
    await vaultTasks(deps, view.scope, view.limit),
    await maintenance(deps, view.scope.now),
    await unsigned(deps, view.log, view.scope.now),
  ];
}

function broken({ problem }: LogLook): FoundKind {
  if (problem === null) return none("log-broken");
  return one({
    id: "log-broken",
    level: "broken",
    message: `the audit log is not whole: ${problem}`,
    command: "keyctl audit-verify",
  });
}

async function operations(deps: UpkeepDeps, scope: KeyScope, limit: number): Promise<FoundKind[]> {
  const open = (await deps.store.openOperations()).filter(({ tenantId }) => tenantId === scope.tenantId);
  const keys = await keysOf(deps.store, open);
  const alive = Map.groupBy(open, ({ owner }) => deps.processes.isAlive(owner));
  const found = (id: FindingId, some: readonly Operation[]): FoundKind => ({
    id,
    count: some.length,
    shown: some.slice(0, limit).map((operation) => tellOperation(id, operation, keys.get(operation.keyId))),
  });
  return [found("operation-open", alive.get(false) ?? []), found("operation-running", alive.get(true) ?? [])];
}

function tellOperation(id: FindingId, operation: Operation, key: KeyRecord | undefined): Finding {
  const { kind, version, step, createdAt } = operation;
  const isOpen = id === "operation-open";
  return finding({
    id,
    level: isOpen ? "waiting" : "notice",
    key: key === undefined ? null : pathOf(key),
    version,
    since: createdAt,
    message: isOpen
      ? `${kind} of version ${version} stopped after step ${step}: its process is gone`
      : `${kind} of version ${version} is running, and done up to step ${step}`,
    command: isOpen ? repair : "keyctl reconcile",
  });
}

async function vaultTasks(deps: UpkeepDeps, scope: KeyScope, limit: number): Promise<FoundKind> {
  const { tenantId, now } = scope;
  const due = await deps.store.dueOutbox({ tenantId, now, limit: countMax });
  const shown = due.slice(0, limit);
  const keys = await keysOf(deps.store, shown);
  return {
    id: "vault-task",
    count: due.length,
    shown: shown.map((item) => tellTask(item, keys.get(item.keyId))),
  };
}

function tellTask(item: OutboxItem, key: KeyRecord | undefined): Finding {
  const attempts =
    item.attempts === 0 ? "" : `, after ${item.attempts} ${item.attempts === 1 ? "attempt" : "attempts"}`;
  return finding({
    id: "vault-task",
    level: "waiting",
    key: key === undefined ? null : pathOf(key),
    version: item.version,
    since: item.notBefore,
    message: `the vault has not disabled version ${item.version} yet${attempts}`,
    command: repair,
  });
}

async function maintenance(deps: UpkeepDeps, now: number): Promise<FoundKind> {
  const { maintainedAt, createdAt } = await deps.store.meta();
  const ago = now - (maintainedAt ?? createdAt);
  if (ago <= maintenanceLateMs) return none("maintenance-late");
  const when =
    maintainedAt === null ? `has not run in the ${inDays(ago)} of this store` : `last ran ${inDays(ago)} ago`;
  return one({
    id: "maintenance-late",
    level: "waiting",
    since: maintainedAt,
    message: `maintenance ${when}: cron should run it each hour`,
    command: repair,
  });
}

async function unsigned(deps: UpkeepDeps, log: LogLook, now: number): Promise<FoundKind> {
  const count = log.size - log.signedSize;
  const signedAt = log.signedAt ?? (await deps.store.meta()).createdAt;
  if (count <= 0 || now - signedAt <= maintenanceLateMs) return none("checkpoint-late");
  return one({
    id: "checkpoint-late",
    level: "notice",
    since: signedAt,
    message: `the newest ${count === 1 ? "entry" : `${count} entries`} of the audit log stand unsigned, ${formatElapsed(now - signedAt)} after the last checkpoint`,
    command: repair,
  });
}

async function keysOf(
  store: UpkeepDeps["store"],
  some: readonly { keyId: string }[],
): Promise<Map<string, KeyRecord>> {
  const keys = await store.keysByIds([...new Set(some.map(({ keyId }) => keyId))]);
  return new Map(keys.map((key) => [key.id, key]));
}

function isIn({ ownedBy }: KeyScope, key: KeyRecord | undefined): boolean {
  return ownedBy === null || (key !== undefined && ownedBy.includes(key.owner));
}

function none(id: FindingId): FoundKind {
  return { id, count: 0, shown: [] };
}

function one(told: Parameters<typeof finding>[0]): FoundKind {
  return { id: told.id, count: 1, shown: [finding(told)] };
}
