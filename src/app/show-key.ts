import { stateAt } from "../core/transition.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import { findKey } from "./find-key.ts";
import type { KeySelector } from "./find-key.ts";
import type { Operation, Revocation } from "./ports.ts";

export interface ShownKey {
  key: KeyRecord;
  versions: VersionRecord[];
  /** The operation that is open on it, if any. */
  operation: Operation | null;
  /** Newest first. */
  revocations: Revocation[];
}

/** One key with its versions, as they stand now; makes no vault call. */
export async function showKey(deps: AttemptDeps, target: KeySelector): Promise<ShownKey> {
  const { key, versions } = await attempted(
    deps,
    { operation: "key.show", target },
    async () => await findKey(deps, target, "read"),
  );
  const now = deps.clock.now();
  return {
    key: { ...key, state: stateAt(key.state, key.expiresAt, now) },
    versions: versions.map((version) => ({ ...version, state: stateOfVersion(version, now) })),
    operation: await deps.store.openOperationOf(key.id),
    revocations: await deps.store.revocations(key.id),
  };
}

function stateOfVersion(version: VersionRecord, now: number): VersionRecord["state"] {
  const state = stateAt(version.state, version.expiresAt, now);
  return state === "deleted" ? version.state : state;
}
