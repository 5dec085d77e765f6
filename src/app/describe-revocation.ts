import { kindRules } from "../core/kind-rules.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { verifierCacheMs } from "../core/policy.ts";
import type { Deps } from "./deps.ts";
import type { OutboxItem, Revocation } from "./ports.ts";

/** One key of a revoke's answer: which place enforces the denial, since when, and what is still open. */
export interface RevokedKey {
  key: KeyRecord;
  versions: number[];
  enforcedBy: "store" | "vault";
  /** Null until the enforcing place has answered. */
  deniedAt: number | null;
  /** Caches may hold a row until then. */
  effectiveAt: number | null;
  upstream: { status: "open" | "done"; url: string | null } | null;
}

export interface RevokeResult {
  operationId: string;
  revokedAt: number;
  planHash: string;
  keys: RevokedKey[];
  denied: { done: number; total: number };
  vault: { done: number; total: number; pending: number };
  undoUntil: number | null;
  /** False when not every kind of secret could be looked for in a leaked text. */
  complete: boolean;
  replayed: boolean;
}

/** Reads from the store what is true now of keys that were revoked. */
export async function describeRevocation(
  deps: Pick<Deps, "store" | "clock">,
  request: { keyIds: string[]; operationId: string; planHash: string },
): Promise<RevokeResult> {
  const keys = await deps.store.keysByIds(request.keyIds);
  const versions = Map.groupBy(await deps.store.versionsOfKeys(request.keyIds), (version) => version.keyId);
  const newest = await newestRevocations(deps, request);
  const tasks = (await deps.store.outboxOfOperation(request.operationId)).filter((task) =>
    task.task.startsWith("disable-"),
  );
  const described = keys.map((key) =>
    describe(key, { versions: versions.get(key.id) ?? [], revocation: newest.get(key.id) ?? null }),
  );
  return {
    operationId: request.operationId,
    revokedAt:
      Math.max(0, ...[...newest.values()].map((revocation) => revocation.revokedAt)) || deps.clock.now(),
    planHash: request.planHash,
    keys: described,
    denied: { done: described.filter((key) => key.deniedAt !== null).length, total: described.length },
    vault: progress(tasks),
    undoUntil: soonest([...newest.values()].map((revocation) => revocation.undoUntil)),
    complete: true,
    replayed: false,
  };
}

/** The revocations of this operation; for a key it left alone (revoked before) that key's newest. */
async function newestRevocations(
  deps: Pick<Deps, "store">,
  request: { keyIds: string[]; operationId: string },
): Promise<Map<string, Revocation>> {
  const found = new Map<string, Revocation>();
  for (const revocation of await deps.store.revocationsOfOperation(request.operationId))
    found.set(revocation.keyId, revocation);
  for (const keyId of request.keyIds.filter((id) => !found.has(id))) {
    const [newest] = await deps.store.revocations(keyId);
    if (newest !== undefined) found.set(keyId, newest);
  }
  return found;
}

function describe(
  key: KeyRecord,
  facts: { versions: VersionRecord[]; revocation: Revocation | null },
): RevokedKey {
  const denied = facts.versions.filter(
    (version) => version.state === "revoked" || version.state === "compromised",
  );
  const open = denied.some((version) => version.deniedAt === null);
  const deniedAt =
    open || denied.length === 0 ? null : Math.max(...denied.map((version) => version.deniedAt ?? 0));
  const { revocation } = facts;
  const upstream = revocation?.upstream ?? null;
  return {
    key,
    versions: denied.map((version) => version.version),
    enforcedBy: kindRules[key.kind].enforcedBy,
    deniedAt,
    effectiveAt: deniedAt === null ? null : deniedAt + verifierCacheMs,
    upstream: upstream === null ? null : { status: upstream, url: revocation?.upstreamUrl ?? null },
  };
}

function progress(tasks: readonly OutboxItem[]): RevokeResult["vault"] {
  const done = tasks.filter((task) => task.doneAt !== null).length;
  return { done, total: tasks.length, pending: tasks.length - done };
}

function soonest(moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}
