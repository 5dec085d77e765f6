import { parseEntry } from "../audit/entry.ts";
import { StateReplay } from "../audit/state-replay.ts";
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

/** Whether a log is whole, unchanged, and as long as this client has seen it; with its replay when all of it is read and is so. */
export async function checkAudit(
  deps: AuditDeps,
  log: { id: string; of: Line },
): Promise<{ checks: Check[]; replay: StateReplay | null }> {
  const { vault } = deps;
  const replay = new StateReplay();
  let isRead = false;
  const checks = await checked(log.of, async () => {
    const { size } = await deps.store.auditHead(log.id);
    if (vault === null || size > deps.entriesMax) return [await checkEnd(deps, log)];
    const check = await checkWhole({ ...deps, vault, replay }, log);
    isRead = check.status === "ok";
    return [check];
  });
  return { checks, replay: isRead ? replay : null };
}

async function checkWhole(
  deps: AuditDeps & { vault: Vault; replay: StateReplay },
  log: { id: string; of: Line },
): Promise<Check> {
  const { store, memory, vault } = deps;
  const reading = { store, memory, vault: async () => await Promise.resolve(vault) };
  const { size, integrity, completeness, problem, checkpoints } = await examineLog(
    reading,
    log.id,
    (row) => void deps.replay.add(parseEntry(row.bytes)),
  );
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
