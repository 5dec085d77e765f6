import { formatCheckpoint, noteBody, origin } from "../audit/checkpoint.ts";
import { frontierRoot, parseFrontier } from "../audit/merkle.ts";
import { KeyctlError } from "../core/errors.ts";
import { checkpointFreshMs } from "../core/policy.ts";
import type { Deps } from "./deps.ts";

type SignDeps = Pick<Deps, "clock" | "store" | "vault" | "keyring" | "memory">;

export interface SignedLog {
  origin: string;
  size: number;
  note: string;
}

/**
 * Signs the log's present size and root with the vault's checkpoint key, stores the note and remembers it on this client.
 * With `onlyWhenStale` a log signed within the last minute is left alone. Answers the newest note, null for an empty log.
 */
export async function signCheckpoint(
  deps: SignDeps,
  log: string,
  options: { onlyWhenStale: boolean },
): Promise<SignedLog | null> {
  const now = deps.clock.now();
  const { uuid } = await deps.store.meta();
  const name = origin(uuid, log);
  const newest = await deps.store.newestCheckpoint(log);
  const known = newest === null ? null : { origin: name, size: newest.size, note: newest.note };
  if (options.onlyWhenStale && newest !== null && newest.createdAt + checkpointFreshMs > now) return known;
  const head = await deps.store.auditHead(log);
  if (head.size === 0) return null;
  if (newest?.size === head.size) return known;
  const frontier = parseFrontier(head.frontier);
  if (frontier.size !== head.size) {
    throw new KeyctlError("integrity", `the head of the audit log ${log} is not of the size that it claims`, {
      hint: "keyctl audit-verify tells what is damaged",
    });
  }
  const checkpoint = { origin: name, size: head.size, root: frontierRoot(frontier) };
  const reference = await deps.keyring.checkpointKey();
  const vault = await deps.vault();
  const raw = await vault.keys.sign(reference, noteBody(checkpoint));
  const note = formatCheckpoint(checkpoint, { raw, spkiDer: await vault.keys.publicKey(reference) });
  await deps.store.transaction(
    async (tx) => await tx.insertCheckpoint({ log, size: head.size, note, createdAt: now }),
  );
  await deps.memory.remember(name, note);
  return { origin: name, size: head.size, note };
}
