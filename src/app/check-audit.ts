import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check, Line } from "./check.ts";
import { lookAtLog } from "./look-at-log.ts";
import type { CheckpointMemory, StoreReader, Vault } from "./ports.ts";
import { examineLog } from "./verify-audit.ts";

export interface AuditDeps {
  store: StoreReader;
  /** Null when it did not open: its key signed the checkpoints. */
  vault: Vault | null;
  memory: Pick<CheckpointMemory, "recall">;
  /** Of a longer log only the end is read: the whole takes more than a moment. */
  entriesMax: number;
}

/** Entries that are read in well under two seconds. */
export const auditEntriesMax = 200_000;

const cureOfBroken = "keyctl audit-verify --state, then restore the store from a backup";
const cureOfOlder = "put the newest copy of the store back, then keyctl audit-verify";

/** Whether a log is whole, unchanged, and as long as this client has seen it. */
export async function checkAudit(deps: AuditDeps, log: { id: string; of: Line }): Promise<Check[]> {
  const { vault } = deps;
  return await checked(log.of, async () => {
    const { size } = await deps.store.auditHead(log.id);
    const isWhole = vault !== null && size <= deps.entriesMax;
    return [isWhole ? await checkWhole({ ...deps, vault }, log) : await checkEnd(deps, log)];
  });
}

async function checkWhole(deps: AuditDeps & { vault: Vault }, log: { id: string; of: Line }): Promise<Check> {
  const { store, memory, vault } = deps;
  const reading = { store, memory, vault: async () => await Promise.resolve(vault) };
  const { size, integrity, completeness, problem, checkpoints } = await examineLog(reading, log.id);
  if (problem !== null) return failed(log.of, problem, cureOfBroken);
  if (completeness === "truncated") {
    const message =
      "is shorter than what was seen before: an older copy of the database may have been put back";
    return failed(log.of, message, cureOfOlder);
  }
  if (integrity !== "ok") return failed(log.of, "has fewer entries than it claims", cureOfBroken);
  const seen =
    completeness === "ok" ? "reaches as far as it was seen" : "nothing was seen of it on this machine yet";
  const counts = `${counted(size, "entry", "entries")}, ${counted(checkpoints, "checkpoint", "checkpoints")}`;
  return passed(log.of, `unchanged, ${counts}; ${seen}`);
}

async function checkEnd(deps: AuditDeps, log: { id: string; of: Line }): Promise<Check> {
  const { size, examined, problem } = await lookAtLog(deps, log.id);
  if (problem !== null) return failed(log.of, problem, cureOfBroken);
  const read = `its end is unchanged (read: ${examined} of ${counted(size, "entry", "entries")})`;
  if (deps.vault !== null) return passed(log.of, `${read}; keyctl audit-verify reads all`);
  return doubtful(
    log.of,
    `${read}; signatures were not checked: that takes the vault`,
    "mend the vault first",
  );
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
