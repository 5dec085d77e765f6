import type { ListedEntry } from "../../app/list-audit.ts";
import { describeTransitions, timeOf } from "../../audit/views.ts";
import type { CommandDefinition } from "../command.ts";
import type { Column, View } from "../render/view.ts";
import { auditFilterOptions, logOption, readAuditFilter, readLog } from "./audit-filter.ts";

const limitDefault = 50;

const columns: readonly Column<ListedEntry>[] = [
  {
    title: "TIME",
    field: "time",
    text: ({ entry }) => timeOf(entry).replace(/\.\d+Z$/, "Z"),
    csv: ({ entry }) => timeOf(entry),
  },
  { title: "SEQ", field: "seq", text: ({ entry }) => String(entry.seq), align: "right" },
  {
    title: "OPERATION",
    field: "operation",
    text: ({ entry }) => (entry.phase === "intent" ? `${entry.operation} (begun)` : entry.operation),
    narrow: "cut",
  },
  {
    title: "OUTCOME",
    field: "outcome",
    text: ({ entry }) => entry.outcome,
    tone: ({ entry }) => (entry.outcome === "success" ? null : "bad"),
  },
  {
    title: "KEY",
    field: "key",
    text: ({ entry: { key } }) => (key === null ? "-" : `${key.env}/${key.name}`),
  },
  {
    title: "CHANGE",
    field: "transitions",
    text: ({ entry }) => describeTransitions(entry.transitions),
    narrow: "cut",
  },
  { title: "ACTOR", field: "actor", text: ({ entry, actorName }) => actorName ?? entry.actor, narrow: "cut" },
  { title: "SENSITIVITY", field: "sensitivity", text: ({ entry }) => entry.sensitivity, wide: true },
  { title: "CORRELATION", field: "correlationId", text: ({ entry }) => entry.correlationId, wide: true },
];

const view: View<ListedEntry> = {
  columns,
  toJson: ({ entry, erased }) => ({
    ...entry,
    personal: Object.fromEntries(
      Object.entries(entry.personal).map(([field, commitment]) => [
        field,
        erased.includes(field) ? "erased" : commitment,
      ]),
    ),
    key: entry.key === null ? null : { ...entry.key },
    transitions: entry.transitions.map((move) => ({ ...move })),
    ts: entry.ts,
  }),
  name: ({ entry }) => entry.id,
};

export const auditListCommand: CommandDefinition = {
  name: "audit-list",
  section: "Audit",
  summary: "show the newest entries of the audit log",
  arguments: [],
  options: [
    ...auditFilterOptions,
    logOption,
    { name: "failed", summary: "only what was refused or did not succeed" },
    { name: "limit", value: "N", summary: "at most so many", defaultText: String(limitDefault) },
  ],
  examples: [
    { command: "keyctl audit-list --since 24h", does: "the last day" },
    { command: "keyctl audit-list --failed --since 7d", does: "what was refused or failed within a week" },
    { command: "keyctl audit-list --key payments --operation key.revoke -o json", does: "who revoked it" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { flags }) => {
    const { listAudit } = await import("../../app/list-audit.ts");
    const session = await context.session({ make: false, deletedTenant: true });
    const filter = readAuditFilter(flags, context.io.now());
    const log = readLog(flags);
    const notDone = flags.on("failed");
    const limit = flags.integer("limit") ?? limitDefault;
    const entries = listAudit(session, { log, filter, limit, notDone });
    await context.answer.list(view, entries, { empty: "no entries" });
    return "ok";
  },
};
