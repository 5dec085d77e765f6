import { uuidv7 } from "../../src/core/uuid.ts";
import type { Session } from "../../src/cli/context.ts";
import { formatEntryParts } from "../../src/audit/entry.ts";
import type { AuditDraft, EntryParts } from "../../src/audit/entry.ts";
import { appendLeaf, formatFrontier, leafHash, parseFrontier } from "../../src/audit/merkle.ts";
import type { BenchHome } from "./home.ts";

/** So many different events are repeated: an entry is read by its bytes, whatever they tell. */
const modelEntries = 500;
const portion = 50_000;

/**
 * Makes the tenant's log `size` entries long, straight into the database, with the leaves and the tree that appending
 * would have made. An entry's bytes are those of a verify, some 700.
 */
export async function growLog(home: BenchHome, session: Session, size: number): Promise<void> {
  const log = session.caller.tenant.id;
  const head = await session.store.auditHead(log);
  let frontier = parseFrontier(head.frontier);
  const models = Array.from({ length: modelEntries }, (_, place) => formatEntryParts(draft(session, place)));
  const database = home.database();
  const insert = database.prepare(`insert into audit_entries
    (log, seq, bytes, leaf, ts, operation, outcome, sensitivity, actor_id, key_id, operation_id)
    values (?, ?, ?, ?, ?, 'key.verify', 'success', 'MEDIUM', ?, ?, null)`);
  const move = database.prepare("update audit_heads set size = ?, frontier = ? where log = ?");
  const append = database.transaction((from: number, to: number) => {
    for (let seq = from; seq < to; seq += 1) {
      const bytes = bytesOf(models, seq);
      const leaf = leafHash(bytes);
      frontier = appendLeaf(frontier, leaf);
      const keyId = `key-${seq % modelEntries}`;
      insert.run(log, seq, bytes, leaf, session.clock.now(), session.caller.actor.id, keyId);
    }
    move.run(to, formatFrontier(frontier), log);
  });
  for (let from = head.size; from < size; from += portion) append(from, Math.min(from + portion, size));
  database.pragma("wal_checkpoint(truncate)");
  database.close();
}

function bytesOf(models: readonly EntryParts[], seq: number): Buffer {
  const model = models[seq % models.length];
  if (model === undefined) throw new Error("there are no entries to repeat");
  return Buffer.concat([model.head, Buffer.from(String(seq), "latin1"), model.tail]);
}

function draft(session: Session, place: number): AuditDraft {
  const { caller, clock, random } = session;
  const now = clock.now();
  const hash = "0123456789abcdef".repeat(4);
  return {
    log: caller.tenant.id,
    ts: now,
    id: uuidv7(now, random.bytes(10)),
    operation: "key.verify",
    phase: "outcome",
    outcome: "success",
    sensitivity: "MEDIUM",
    actor: caller.actor.id,
    auth: caller.auth,
    tenant: caller.tenant.id,
    key: { id: uuidv7(now, random.bytes(10)), name: `payments-${place}`, env: "prod", kind: "issued" },
    transitions: [],
    before: null,
    after: { reason: null, version: 1 },
    reason: null,
    correlationId: caller.correlationId,
    durationMs: 1,
    tool: session.tool,
    personal: { login: hash, userAgent: hash },
    blind: "0123456789abcdef".repeat(2),
  };
}
