import { describeDifference } from "../audit/state-replay.ts";
import type { StateReplay } from "../audit/state-replay.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { carriesMac, rowMacMatches } from "./mac-versions.ts";
import type { StoreReader } from "./ports.ts";

type CompareDeps = Pick<Deps, "clock" | "keyring"> & { store: StoreReader };

interface Comparison {
  tenantId: string;
  /** What the log says, replayed; without it only row MACs are looked at. */
  replay: StateReplay | null;
  /** No further page of keys is read when so many versions were. */
  versionsMax: number;
}

export interface ComparedKeys {
  /** Where keys are not what the log says, or carry a wrong row MAC; one sentence each. */
  differences: string[];
  /** Versions that were looked at. */
  versions: number;
  /** False when `versionsMax` ended it early. */
  isWhole: boolean;
}

const pageSize = 500;

/** Compares a tenant's keys, deleted ones too, with the log and with their row MACs. What only the log has is the replay's to tell. */
export async function compareKeys(deps: CompareDeps, comparison: Comparison): Promise<ComparedKeys> {
  const { tenantId, versionsMax } = comparison;
  const compared: ComparedKeys = { differences: [], versions: 0, isWhole: true };
  for (const filter of [{}, { state: "deleted" as const }]) {
    let after: { name: string; id: string } | null = null;
    for (;;) {
      const page = { tenantId, env: null, filter, now: deps.clock.now(), limit: pageSize, after };
      const keys: KeyRecord[] = await deps.store.listKeys(page);
      const last = keys.at(-1);
      if (last === undefined) break;
      if (compared.versions >= versionsMax) return { ...compared, isWhole: false };
      await comparePage(deps, { ...comparison, keys }, compared);
      if (keys.length < pageSize) break;
      after = { name: last.name, id: last.id };
    }
  }
  return compared;
}

async function comparePage(
  deps: CompareDeps,
  { replay, keys }: Pick<Comparison, "replay"> & { keys: readonly KeyRecord[] },
  compared: ComparedKeys,
): Promise<void> {
  const versions = Map.groupBy(
    await deps.store.versionsOfKeys(keys.map((key) => key.id)),
    (version) => version.keyId,
  );
  for (const key of keys) {
    const rows = versions.get(key.id) ?? [];
    const { id, name, env } = key;
    const current = { id, name, env, isDeleted: key.deletedAt !== null, versions: rows };
    compared.differences.push(...(replay?.compare(current) ?? []).map(describeDifference));
    compared.versions += rows.length;
    for (const row of rows) {
      if (!carriesMac(row) || (await rowMacMatches(deps.keyring, key, row))) continue;
      compared.differences.push(
        `${env}/${name} version ${row.version} has a row that keyctl did not write: it is not accepted`,
      );
    }
  }
}
