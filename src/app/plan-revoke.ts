import { assertMay, reachOf } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { applyChanges, summarise } from "../core/transition.ts";
import { meansCompromise, planRevoke } from "../core/denial.ts";
import type { VersionChange } from "../core/transition.ts";
import type { KeyRecord, RevokeReason, Severity, VersionRecord } from "../core/model.ts";
import { undoWindowMs } from "../core/policy.ts";
import { attempted } from "./attempt.ts";
import { assertRevision } from "./begin-operation.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { findKey, findTenant, standing, standingIn } from "./find-key.ts";
import type { FoundKey, KeySelector } from "./find-key.ts";
import { findLeaked } from "./find-leaked.ts";
import { hashPlan } from "./plan-hash.ts";
import type { BulkSelector, StoreReader } from "./ports.ts";

/** What a revoke means: named keys, a filter, or whatever stands in a leaked text. */
export type RevokeTarget =
  | { keys: KeySelector[]; version: number | null }
  | { where: Omit<BulkSelector, "tenantId"> & { tenant?: string } }
  | { leakedText: Uint8Array };

export interface RevokeInput {
  target: RevokeTarget;
  reason: RevokeReason;
  severity: Severity | null;
  /** Also disables an encryption key in the vault, so that what it protects goes dark. */
  unwrapToo: boolean;
  /** The hash that `--dry-run` printed: `conflict` when the set has changed since. */
  planHash: string | null;
  /** Ids of the keys that somebody agreed to: no other key is touched, whatever the target means by now. */
  agreed?: readonly string[];
  options: MutationOptions;
}

export interface PlannedKey {
  key: KeyRecord;
  versions: VersionRecord[];
  changes: VersionChange[];
}

export interface RevokePlan {
  planned: PlannedKey[];
  planHash: string;
  /** False when secrets other than issued keys could not be looked for in the leaked text. */
  complete: boolean;
}

/** Which keys, and which of their versions, a target turned out to mean. */
export interface Resolved {
  keyIds: string[];
  /** The versions meant, per key; without an entry all of them. */
  only: Map<string, number[]>;
  complete: boolean;
}

/** Finds what a target means; `forbidden` and `not-found` as for any key. */
export async function resolveTarget(deps: Deps, input: RevokeInput): Promise<Resolved> {
  const { target } = input;
  if ("keys" in target) return await resolveNamed(deps, input, target);
  if ("leakedText" in target) {
    const { matches, complete } = await findLeaked(deps, target.leakedText);
    for (const { keyId } of matches) await findToRevoke(deps, { id: keyId });
    if (matches.length === 0) assertMayLook(deps);
    const only = new Map<string, number[]>();
    for (const match of matches) only.set(match.keyId, [...(only.get(match.keyId) ?? []), match.version]);
    return { keyIds: [...only.keys()].toSorted(), only, complete };
  }
  const { tenant: name, ...where } = target.where;
  if (name === undefined && Object.keys(where).length === 0) {
    throw new KeyctlError(
      "usage",
      "--all needs at least one --where-tenant, --where-owner, --where-tag or --where-provider",
    );
  }
  const tenant = name === undefined ? deps.caller.tenant : await findTenant(deps, name);
  assertMay(await standingIn(deps, tenant), "manage", where.owner);
  return {
    keyIds: await deps.store.selectKeyIds({ ...where, tenantId: tenant.id }),
    only: new Map(),
    complete: true,
  };
}

/** What a text holds is told only to those who may change keys, be it their own ones. */
function assertMayLook({ caller }: Deps): void {
  if (reachOf(caller.role, "manage") === "none") assertMay(standing(caller), "manage");
}

/** Of several keys the log names the one that was refused. */
async function findToRevoke(deps: Deps, target: KeySelector): Promise<FoundKey> {
  return await attempted(
    deps,
    { operation: "key.revoke", target },
    async () => await findKey(deps, target, "manage"),
  );
}

async function resolveNamed(
  deps: Deps,
  input: RevokeInput,
  target: { keys: KeySelector[]; version: number | null },
): Promise<Resolved> {
  const meant = new Map<string, Set<number | null>>();
  for (const selector of target.keys) {
    const found = await findToRevoke(deps, selector);
    assertRevision(found.key, input.options.ifRevision);
    const versions = meant.get(found.key.id) ?? new Set();
    meant.set(found.key.id, versions.add(target.version ?? found.version));
  }
  const only = new Map<string, number[]>();
  for (const [keyId, versions] of meant) {
    // Named once as a whole, a key is meant as a whole, however else it is named too.
    if (!versions.has(null))
      only.set(
        keyId,
        [...versions].filter((version) => version !== null),
      );
  }
  return { keyIds: [...meant.keys()].toSorted(), only, complete: true };
}

/** Plans the changes on the rows as they stand; inside a transaction this is what will be written. */
export async function planFor(
  store: StoreReader,
  now: number,
  request: { input: RevokeInput; resolved: Resolved },
): Promise<RevokePlan> {
  const { input, resolved } = request;
  const keys = await store.keysByIds(resolved.keyIds);
  const versions = Map.groupBy(await store.versionsOfKeys(resolved.keyIds), (version) => version.keyId);
  const leaked = "leakedText" in input.target;
  const planned = keys.map((key): PlannedKey => {
    const all = versions.get(key.id) ?? [];
    const wanted = resolved.only.get(key.id) ?? [null];
    const changes = wanted.flatMap((version) =>
      planRevoke({ key, versions: all }, { version, reason: input.reason, leaked, now }),
    );
    return { key, versions: all, changes };
  });
  return { planned, planHash: planHashOf(planned, input), complete: resolved.complete };
}

/** Pins exactly which versions of which keys are denied, and how. */
function planHashOf(planned: readonly PlannedKey[], input: RevokeInput): string {
  const targets = planned.map(({ key, changes }) => [key.id, ...changes.map((change) => change.version)]);
  return hashPlan({ verb: "revoke", to: denialState(input), unwrapToo: input.unwrapToo, targets });
}

/** revoked, or compromised for reasons that mean the secret is known to others. */
export function denialState(input: Pick<RevokeInput, "reason" | "target">): "revoked" | "compromised" {
  return "leakedText" in input.target || meansCompromise(input.reason) ? "compromised" : "revoked";
}

/** The key as it stands after its planned changes; state and pointer only. */
export function keyAfter(planned: PlannedKey): Pick<KeyRecord, "state" | "activeVersion" | "expiresAt"> {
  return summarise(planned.key, applyChanges(planned.versions, planned.changes));
}

/** Until when the plan's revoke can be undone; null when nothing in it can. */
export function undoUntilOf(planned: PlannedKey, now: number): number | null {
  const undoable = planned.changes.some(
    (change) => change.set.state === "revoked" && change.set.formerState != null,
  );
  return undoable ? now + undoWindowMs : null;
}
