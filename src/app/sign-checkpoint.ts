import { formatCheckpoint, keyId, noteBody, origin, rawToDer } from "../audit/checkpoint.ts";
import { frontierRoot, parseFrontier } from "../audit/merkle.ts";
import { checkpointFreshMs } from "../core/policy.ts";
import type { Deps } from "./deps.ts";

type SignDeps = Pick<Deps, "clock" | "store" | "vault" | "keyring" | "memory" | "warn">;

/**
 * Signs the log's present size and root with the vault's checkpoint key, stores the note and remembers it on this
 * client. With `onlyWhenStale` a log signed within the last minute is left alone. Answers the newest note, null for an
 * empty log.
 */
export async function signCheckpoint(deps: SignDeps, log: string, options: { onlyWhenStale: boolean }): Promise<string | null> {
  const now = deps.clock.now();
  const newest = await deps.store.newestCheckpoint(log);
  if (options.onlyWhenStale && newest !== null && newest.createdAt + checkpointFreshMs > now) return newest.note;
  const head = await deps.store.auditHead(log);
  if (head.size === 0) return null;
  if (newest !== null && newest.size === head.size) return newest.note;
  const { uuid } = await deps.store.meta();
  const root = frontierRoot(parseFrontier(head.frontier));
  const body = noteBody({ origin: origin(uuid, log), size: head.size, root });
  const reference = await deps.keyring.checkpointKey();
  const vault = await deps.vault();
  const signature = rawToDer(await vault.keys.sign(reference, new TextEncoder().encode(body)));
  const spki = await vault.keys.publicKey(reference);
  const note = formatCheckpoint({ body, origin: origin(uuid, log), keyId: keyId(spki), signature });
  await deps.store.transaction(async (tx) => await tx.insertCheckpoint({ log, size: head.size, note, createdAt: now }));
  await deps.memory.remember(origin(uuid, log), note);
  return note;
}
