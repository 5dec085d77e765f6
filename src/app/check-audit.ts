import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check, Line } from "./check.ts";
import type { CheckpointMemory, StoreReader, Vault } from "./ports.ts";
import { examineHead, examineLog } from "./verify-audit.ts";

export interface AuditDeps {
  store: StoreReader;
  /** Null when it did not open: its key signed the checkpoints. */
  vault: Vault | null;
  memory: Pick<CheckpointMemory, "recall">;
  /** Longer logs are not read whole: they take more than a moment. */
  entriesMax: number;
}

/** Entries that are read in well under two seconds. */
export const auditEntriesMax = 200_000;

const truncated =
  "is shorter than, or not the same as, what was seen before: an older copy of the database may have been put back";

/** Whether a log is whole, unchanged, and as long as this client has seen it. */
export async function checkAudit(deps: AuditDeps, log: { id: string; of: Line }): Promise<Check[]> {
  const { vault, store, memory } = deps;
  return await checked(log.of, async () => {
    const { size } = await store.auditHead(log.id);
    if (vault === null) {
      return [
        doubtful(log.of, `not verified, ${size} entries: that takes the vault`, "mend the vault first"),
      ];
    }
    const reading = { store, memory, vault: async () => await Promise.resolve(vault) };
    return size > deps.entriesMax
      ? [headLine(log.of, await examineHead(reading, log.id))]
      : [wholeLine(log.of, await examineLog(reading, log.id))];
  });
}

type Whole = Awaited<ReturnType<typeof examineLog>>;
type Head = Awaited<ReturnType<typeof examineHead>>;

function wholeLine(line: Line, verdict: Whole): Check {
  const { size, integrity, completeness, problem, checkpoints } = verdict;
  if (problem !== null) return failed(line, problem, cureOfBroken);
  if (completeness === "truncated") return failed(line, truncated, cureOfOlder);
  if (integrity !== "ok") return failed(line, "has fewer entries than it claims", cureOfBroken);
  return passed(
    line,
    `unchanged, ${counted(size, "entry", "entries")}, ${counted(checkpoints, "checkpoint", "checkpoints")}${seenBefore(completeness)}`,
  );
}

function headLine(line: Line, { size, completeness, problem }: Head): Check {
  if (problem !== null) return failed(line, problem, cureOfBroken);
  if (completeness === "truncated") return failed(line, truncated, cureOfOlder);
  const rest = `its head and newest checkpoint agree${seenBefore(completeness)}; keyctl audit-verify reads it whole`;
  return passed(line, `${size} entries, too many to read here: ${rest}`);
}

const cureOfOlder = "put the newest copy of the store back, then keyctl audit-verify";
const cureOfBroken = "keyctl audit-verify --state, then restore the store from a backup";

function seenBefore(completeness: "ok" | "unknown"): string {
  return completeness === "ok"
    ? "; reaches as far as it was seen"
    : "; nothing was seen of it on this machine yet";
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
