import { origin, parseCheckpoint } from "../audit/checkpoint.ts";
import { LogEndVerifier } from "../audit/log-end.ts";
import type { KnownHead } from "../audit/log-end.ts";
import { parseFrontier } from "../audit/merkle.ts";
import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import type { CheckpointMemory, StoredCheckpoint, StoreReader } from "./ports.ts";

interface LookDeps {
  store: StoreReader;
  memory: Pick<CheckpointMemory, "recall">;
}

/** So many of the newest entries are read: a moment's work, however long the log is. */
const entriesRead = 10_000;

/** What a look at a log's end tells of it. */
export interface LogLook {
  log: string;
  /** Entries. */
  size: number;
  /** How many of them the newest checkpoint covers, and since when; 0 and null without one. */
  signedSize: number;
  signedAt: number | null;
  /** How many of the newest entries were read. */
  examined: number;
  /** One sentence; null when what was looked at agrees. */
  problem: string | null;
}

/**
 * Reads a log's newest entries against its stored tree, its newest checkpoint and the one that this client remembers. Needs
 * no vault, and therefore takes checkpoints unverified: `audit-verify` checks signatures, and the whole log.
 */
export async function lookAtLog(deps: LookDeps, log: string): Promise<LogLook> {
  const { uuid } = await deps.store.meta();
  const name = origin(uuid, log);
  // The notes first: what is signed meanwhile is of a log that has grown, and would look ahead of it.
  const newest = await deps.store.newestCheckpoint(log);
  const remembered = await deps.memory.recall(name);
  const head = await deps.store.auditHead(log);
  const look = { log, size: head.size, signedSize: newest?.size ?? 0, signedAt: newest?.createdAt ?? null };
  const examined = Math.min(entriesRead, head.size);
  try {
    const heads = [...signedHead(newest, name), ...rememberedHead(remembered, name)];
    return { ...look, examined, problem: await compare(deps, { log, head, heads }) };
  } catch (error) {
    if (!isKeyctlError(error) || error.code !== "integrity") throw error;
    return { ...look, examined: 0, problem: error.message };
  }
}

async function compare(
  { store }: Pick<LookDeps, "store">,
  expected: { log: string; head: { size: number; frontier: Uint8Array }; heads: readonly KnownHead[] },
): Promise<string | null> {
  const { log, head, heads } = expected;
  const end = parseFrontier(head.frontier);
  if (end.size !== head.size) return `the log claims ${head.size} entries, and its tree has ${end.size}`;
  const verifier = new LogEndVerifier(end, { heads, entries: entriesRead });
  for await (const row of store.auditEntries({ log, fromSeq: verifier.from, toSeq: head.size })) {
    if (!verifier.add(row.seq, row.bytes, row.leaf)) break;
  }
  return verifier.finish();
}

function signedHead(newest: StoredCheckpoint | null, name: string): KnownHead[] {
  return newest === null ? [] : [headOf(newest.note, name, "the newest checkpoint")];
}

function rememberedHead(note: string | null, name: string): KnownHead[] {
  return note === null ? [] : [headOf(note, name, "the checkpoint that this client remembers")];
}

function headOf(note: string, name: string, what: string): KnownHead {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint.origin !== name) throw new KeyctlError("integrity", `${what} is of another log`);
  return { name: what, size: checkpoint.size, root: checkpoint.root };
}
