import { origin, verifyCheckpoint } from "../audit/checkpoint.ts";
import { parseEntry } from "../audit/entry.ts";
import type { TreeHead } from "../audit/merkle.ts";
import { parsePem } from "../audit/public-key.ts";
import { StateReplay, describeDifference } from "../audit/state-replay.ts";
import { LogVerifier, readCheckpoints, verifyByAny } from "../audit/verify.ts";
import type { LogVerdict } from "../audit/verify.ts";
import { verifyBundle } from "../audit/verify-bundle.ts";
import type { BundleSource, BundleVerdict } from "../audit/verify-bundle.ts";
import { isKeyctlError } from "../core/errors.ts";
import { attempted } from "./attempt.ts";
import { compareKeys } from "./compare-keys.ts";
import { compareUsage, countedBatch } from "./compare-usage.ts";
import type { CountedBatch } from "./compare-usage.ts";
import type { Deps } from "./deps.ts";
import type { AuditRow, CheckpointMemory, StoreReader, StoredCheckpoint, Vault } from "./ports.ts";
import { callersLog } from "./select-audit.ts";
import type { CallersLog } from "./select-audit.ts";

export interface AuditVerdict extends LogVerdict {
  checkpoints: number;
  newestCheckpointAt: number | null;
  /** With `state`: where keys are not what the log says, or carry a wrong row MAC; one sentence each. Null when not asked. */
  differences: string[] | null;
}

/**
 * Reads the tenant's whole log against its leaves, its signed checkpoints and the largest checkpoint that this client
 * remembers. With `state` it also replays the log and compares every key, and every batch of validations. Constant memory but for `state`.
 */
export async function verifyAudit(
  deps: Deps,
  input: { log: CallersLog; state: boolean },
): Promise<AuditVerdict> {
  const log = await attempted(deps, { operation: "audit.verify" }, () => callersLog(deps, input.log));
  const replay = input.state ? new StateReplay() : null;
  const impossible: string[] = [];
  const batches: CountedBatch[] = [];
  const examined = await examineLog(deps, log, (row) => {
    if (replay === null) return;
    const entry = parseEntry(row.bytes);
    impossible.push(...replay.add(entry).map(describeDifference));
    const batch = countedBatch(entry);
    if (batch !== null) batches.push(batch);
  });
  const { origin: name, newest, ...verdict } = examined;
  if (verdict.integrity === "ok" && verdict.completeness !== "truncated" && newest !== null) {
    await deps.memory.remember(name, newest.note);
  }
  return {
    ...verdict,
    newestCheckpointAt: newest?.createdAt ?? null,
    differences:
      replay === null
        ? null
        : [
            ...impossible,
            ...(await compareKeys(deps, { tenantId: deps.caller.tenant.id, replay, versionsMax: Infinity }))
              .differences,
            ...replay.missing().map(describeDifference),
            ...(await compareUsage(deps.store, log, batches)),
          ],
  };
}

export interface ExaminedLog extends LogVerdict {
  origin: string;
  /** How many checkpoints verify. */
  checkpoints: number;
  newest: StoredCheckpoint | null;
}

interface ExamineDeps {
  store: StoreReader;
  vault: () => Promise<Vault>;
  memory: Pick<CheckpointMemory, "recall">;
}

/** As `verifyAudit`, of any log, and nothing is remembered. `onEntry` is given each row that is as it was appended. */
export async function examineLog(
  deps: ExamineDeps,
  log: string,
  onEntry?: (row: AuditRow) => void,
): Promise<ExaminedLog> {
  const { uuid } = await deps.store.meta();
  const trust = { origin: origin(uuid, log), publicKeys: await checkpointKeys(deps) };
  const notes = await deps.store.checkpoints(log);
  const signed = readCheckpoints(
    notes.map(({ note }) => note),
    trust,
  );
  const memory = await recallHead(deps.memory, trust);
  const head = await deps.store.auditHead(log);
  const verifier = new LogVerifier({ log, checkpoints: signed.checkpoints, remembered: memory.head });
  for await (const row of deps.store.auditEntries({ log, toSeq: head.size })) {
    if (verifier.add(row.seq, row.bytes, row.leaf)) onEntry?.(row);
  }
  const verdict = verifier.finish();
  const problem = verdict.problem ?? signed.problem ?? memory.problem;
  return {
    ...verdict,
    integrity: problem === null && verdict.size === head.size ? verdict.integrity : "broken",
    problem,
    origin: trust.origin,
    checkpoints: signed.checkpoints.length,
    newest: notes.at(-1) ?? null,
  };
}

async function checkpointKeys(deps: Pick<ExamineDeps, "store" | "vault">): Promise<Uint8Array[]> {
  const vault = await deps.vault();
  const references = await deps.store.rootReferences("checkpoint-key");
  return await Promise.all(references.map(async ({ reference }) => await vault.keys.publicKey(reference)));
}

/** What this client remembers of the log, when it is signed by the log's own key; else that is a problem of its own. */
async function recallHead(
  memory: Pick<CheckpointMemory, "recall">,
  trust: { origin: string; publicKeys: readonly Uint8Array[] },
): Promise<{ head: TreeHead | null; problem: string | null }> {
  const note = await memory.recall(trust.origin);
  if (note === null) return { head: null, problem: null };
  try {
    return { head: verifyByAny(note, trust), problem: null };
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    return {
      head: null,
      problem: `the checkpoint that this client remembers does not verify: ${error.message}`,
    };
  }
}

/** A bundle's verdict, offline: nothing but the bundle, an optional fingerprint and what this client remembers. */
export async function verifyAuditBundle(
  deps: { memory: CheckpointMemory },
  input: { open: BundleSource; fingerprint: string | null },
): Promise<BundleVerdict> {
  const recall = async (name: string): Promise<TreeHead | null> => {
    const note = await deps.memory.recall(name);
    if (note === null) return null;
    const key = await input.open("public-key.pem");
    return key === null ? null : await headOf(note, key);
  };
  return await verifyBundle(input.open, { fingerprint: input.fingerprint, recall });
}

async function headOf(note: string, pem: AsyncIterable<Uint8Array>): Promise<TreeHead | null> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pem) chunks.push(chunk);
  return verifyCheckpoint(note, parsePem(Buffer.concat(chunks).toString("utf8")));
}
