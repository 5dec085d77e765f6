import { describeDifference } from "../audit/state-replay.ts";
import type { StateReplay } from "../audit/state-replay.ts";
import { checked, failed, passed } from "./check.ts";
import type { Check } from "./check.ts";
import { compareKeys } from "./compare-keys.ts";
import { Keyring } from "./keyring.ts";
import type { Clock, StoreReader, Vault } from "./ports.ts";

export interface RowsDeps {
  clock: Clock;
  store: StoreReader;
  vault: Vault;
  /** Of more versions only the first ones are looked at: all of them take more than a moment. */
  versionsMax: number;
}

/** Versions that are looked at in well under two seconds. */
export const rowVersionsMax = 10_000;

const line = { id: "rows", subject: "keys' rows" };
const shownMax = 3;
const cure =
  "keyctl audit-verify --state names them all; keyctl revoke NAME --reason security-incident denies a key";

/**
 * Whether the keys of a tenant are what keyctl wrote: by their row MACs, and by the log where all of it was read and is
 * unchanged (`replay`).
 */
export async function checkRows(
  { versionsMax, ...deps }: RowsDeps,
  { tenantId, replay }: { tenantId: string; replay: StateReplay | null },
): Promise<Check[]> {
  return await checked(line, async () => {
    const { store, clock, vault } = deps;
    const keyring = new Keyring({ store, clock, vault: async () => await Promise.resolve(vault) });
    const { differences, versions, isWhole } = await compareKeys(
      { store, clock, keyring },
      { tenantId, replay, versionsMax },
    );
    if (isWhole && replay !== null) differences.push(...replay.missing().map(describeDifference));
    if (differences.length > 0) {
      const more = differences.length > shownMax ? ` (and ${differences.length - shownMax} more)` : "";
      return [failed(line, `${differences.slice(0, shownMax).join("; ")}${more}`, cure)];
    }
    const against = replay === null ? "row MACs" : "row MACs and the log";
    const read = isWhole ? `versions: ${versions}` : `the first versions: ${versions}`;
    return [passed(line, `as keyctl wrote them by ${against} (${read})`)];
  });
}
