import { CompiledQuery } from "kysely";
import type { Kysely } from "kysely";
import type { AuditAppend, AuditTree } from "../../app/ports.ts";
import type { AuditHeadRow, Tables } from "../schema.ts";

const readHead = "select log, size, frontier from audit_heads where log = ?";
const firstHead = "insert into audit_heads (log, size, frontier) values (?, 0, x'')";
const insertEntry = `insert into audit_entries
  (log, seq, bytes, leaf, ts, operation, outcome, sensitivity, actor_id, key_id, operation_id)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const insertPersonal =
  "insert into audit_personal_data (log, seq, field, salt, value) values (?, ?, ?, ?, ?)";
const moveHead = "update audit_heads set size = ?, frontier = ? where log = ?";

/**
 * Gives the entries the log's next numbers and carries the tree on. The head is read and moved inside the caller's
 * transaction, which is the only writer: no gap, no fork.
 */
export async function appendAudit(
  { tx, tree }: { tx: Kysely<Tables>; tree: AuditTree },
  log: string,
  entries: readonly AuditAppend[],
): Promise<number> {
  const run = async <Row>(statement: string, parameters: unknown[]): Promise<Row[]> =>
    (await tx.executeQuery<Row>(CompiledQuery.raw(statement, parameters))).rows;
  const [head] = await run<AuditHeadRow>(readHead, [log]);
  const first = head?.size ?? 0;
  if (entries.length === 0) return first;
  if (head === undefined) await run(firstHead, [log]);
  let frontier: Uint8Array = head?.frontier ?? new Uint8Array(0);
  let seq = first;
  for (const entry of entries) {
    const bytes = Buffer.concat([entry.head, Buffer.from(String(seq), "latin1"), entry.tail]);
    const leaf = tree.leafHash(bytes);
    frontier = tree.append(frontier, leaf);
    const { ts, operation, outcome, sensitivity, actorId, keyId, operationId } = entry;
    const labels = [ts, operation, outcome, sensitivity, actorId, keyId, operationId];
    await run(insertEntry, [log, seq, bytes, leaf, ...labels]);
    for (const { field, salt, value } of entry.personal)
      await run(insertPersonal, [log, seq, field, salt, value]);
    seq += 1;
  }
  await run(moveHead, [seq, frontier, log]);
  return first;
}
