import { CompiledQuery } from "kysely";
import type { Kysely } from "kysely";
import type { AuditAppend, AuditTree } from "../../app/ports.ts";
import type { AuditHeadRow, Tables } from "../schema.ts";

const readHead = "select log, size, frontier from audit_heads where log = ?";
const firstHead = "insert into audit_heads (log, size, frontier) values (?, 0, x'')";
const entryColumns = [
  "log",
  "seq",
  "bytes",
  "leaf",
  "ts",
  "operation",
  "outcome",
  "sensitivity",
  "actor_id",
  "key_id",
  "operation_id",
];
const personalColumns = ["log", "seq", "field", "salt", "value"];
const moveHead = "update audit_heads set size = ?, frontier = ? where log = ?";
/** One statement per row takes longer on its way than in SQLite. */
const rowsPerStatement = 50;

type Run = <Row>(statement: string, parameters: unknown[]) => Promise<Row[]>;

/**
 * Gives the entries the log's next numbers and carries the tree on. The head is read and moved inside the caller's
 * transaction, which is the only writer: no gap, no fork.
 */
export async function appendAudit(
  { tx, tree }: { tx: Kysely<Tables>; tree: AuditTree },
  log: string,
  entries: readonly AuditAppend[],
): Promise<number> {
  const run: Run = async <Row>(statement: string, parameters: unknown[]) =>
    (await tx.executeQuery<Row>(CompiledQuery.raw(statement, parameters))).rows;
  const [head] = await run<AuditHeadRow>(readHead, [log]);
  const first = head?.size ?? 0;
  if (entries.length === 0) return first;
  if (head === undefined) await run(firstHead, [log]);
  let frontier: Uint8Array = head?.frontier ?? new Uint8Array(0);
  let seq = first;
  const rows: unknown[][] = [];
  const personalRows: unknown[][] = [];
  for (const entry of entries) {
    const bytes = Buffer.concat([entry.head, Buffer.from(String(seq), "latin1"), entry.tail]);
    const leaf = tree.leafHash(bytes);
    frontier = tree.append(frontier, leaf);
    const { ts, operation, outcome, sensitivity, actorId, keyId, operationId } = entry;
    rows.push([log, seq, bytes, leaf, ts, operation, outcome, sensitivity, actorId, keyId, operationId]);
    for (const { field, salt, value } of entry.personal) personalRows.push([log, seq, field, salt, value]);
    seq += 1;
  }
  await insert(run, { table: "audit_entries", columns: entryColumns }, rows);
  await insert(run, { table: "audit_personal_data", columns: personalColumns }, personalRows);
  await run(moveHead, [seq, frontier, log]);
  return first;
}

/** In statements of one size, so that they stay prepared, and the rest row by row. */
async function insert(
  run: Run,
  { table, columns }: { table: string; columns: readonly string[] },
  rows: readonly unknown[][],
): Promise<void> {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const into = (count: number): string =>
    `insert into ${table} (${columns.join(", ")}) values ${Array.from({ length: count }, () => row).join(", ")}`;
  const whole = rows.length - (rows.length % rowsPerStatement);
  const [ofMany, ofOne] = [into(rowsPerStatement), into(1)];
  for (let start = 0; start < whole; start += rowsPerStatement) {
    await run(ofMany, rows.slice(start, start + rowsPerStatement).flat());
  }
  for (const single of rows.slice(whole)) await run(ofOne, single);
}
