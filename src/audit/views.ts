import type { Transition } from "../core/model.ts";
import type { AuditEntry } from "./entry.ts";

const newline = 0x0a;

/** Columns of a CSV export, in order; a contract: columns are added at the end, never renamed. */
export const csvColumns = [
  "seq",
  "time",
  "id",
  "log",
  "operation",
  "phase",
  "outcome",
  "sensitivity",
  "actor",
  "auth",
  "keyId",
  "keyName",
  "env",
  "kind",
  "transitions",
  "reason",
  "correlationId",
  "durationMs",
  "tool",
  "before",
  "after",
] as const;
export type CsvColumn = (typeof csvColumns)[number];

/** The CSV's first line, with its line end (RFC 4180: CR LF). */
export function csvHeader(): string {
  return csvLine(csvColumns);
}

/** One entry as a CSV line, with its line end. */
export function csvRow(entry: AuditEntry): string {
  const { key } = entry;
  const cells: Record<CsvColumn, string> = {
    seq: String(entry.seq),
    time: timeOf(entry),
    id: entry.id,
    log: entry.log,
    operation: entry.operation,
    phase: entry.phase,
    outcome: entry.outcome,
    sensitivity: entry.sensitivity,
    actor: entry.actor,
    auth: entry.auth,
    keyId: key?.id ?? "",
    keyName: key?.name ?? "",
    env: key?.env ?? "",
    kind: key?.kind ?? "",
    transitions: describeTransitions(entry.transitions),
    reason: entry.reason ?? "",
    correlationId: entry.correlationId,
    durationMs: String(entry.durationMs),
    tool: entry.tool,
    before: entry.before === null ? "" : JSON.stringify(entry.before),
    after: entry.after === null ? "" : JSON.stringify(entry.after),
  };
  return csvLine(csvColumns.map((column) => cells[column]));
}

/**
 * One CSV cell. A leading `=`, `+`, `-`, `@`, tab or CR would make a spreadsheet compute it: an apostrophe goes before it
 * (OWASP, CSV injection). Quoted where RFC 4180 asks for it.
 */
export function csvCell(text: string): string {
  const inert = /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** A line of a JSON-lines export: the exact stored bytes and a newline. */
export function jsonlLine(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes, 0);
  line[bytes.length] = newline;
  return line;
}

/**
 * One line for people: time, number, operation, outcome when it is not success, key, transitions, actor. `nameOf` answers an
 * actor's name, or null to show its id. Control characters are the printer's affair.
 */
export function summaryLine(entry: AuditEntry, nameOf: (actorId: string) => string | null): string {
  const { key, reason } = entry;
  const parts = [
    timeOf(entry),
    `#${entry.seq}`,
    entry.phase === "intent" ? `${entry.operation} (begun)` : entry.operation,
    entry.outcome === "success" ? null : entry.outcome,
    key === null ? null : `${key.env}/${key.name}`,
    entry.transitions.length === 0 ? null : describeTransitions(entry.transitions),
    reason === null ? null : `reason ${reason}`,
    `by ${nameOf(entry.actor) ?? entry.actor}`,
  ];
  return parts.filter((part) => part !== null).join("  ");
}

/** `v1 active→rotated, v2 pending→active` */
export function describeTransitions(transitions: readonly Transition[]): string {
  return transitions.map(({ version, from, to }) => `v${version} ${from ?? "new"}→${to}`).join(", ");
}

/** The entry's moment, ISO 8601 UTC with milliseconds. */
export function timeOf(entry: Pick<AuditEntry, "ts">): string {
  const date = new Date(entry.ts);
  // A number that no calendar reaches is shown as it stands.
  return Number.isNaN(date.getTime()) ? String(entry.ts) : date.toISOString();
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}
