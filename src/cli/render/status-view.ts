import type { Finding, FindingId } from "../../app/finding.ts";
import { countMax } from "../../app/finding.ts";
import type { Activity } from "../../app/recent-activity.ts";
import type { Status } from "../../app/status.ts";
import { wrapped } from "./page.ts";
import { formatRecord, formatTable } from "./table.ts";
import type { TableStyle } from "./table.ts";
import { isoTime } from "../../core/iso-time.ts";
import { relativeTime } from "./times.ts";
import type { Column, Json, Tone, View } from "./view.ts";

type JsonObject = { readonly [field: string]: Json };

/** The security view as monitors have it: fields are added, never renamed. */
export function statusJson(status: Status): JsonObject {
  const { tenant, scope, verdict, totals, counts, log } = status;
  return {
    tenant,
    scope,
    asOf: isoTime(status.asOf),
    verdict,
    totals: { ...totals, byKind: { ...totals.byKind }, byState: { ...totals.byState }, countedTo: countMax },
    counts: { ...counts },
    findings: status.findings.map(findingJson),
    attempts: status.attempts?.map(activityJson) ?? null,
    accesses: status.accesses?.map(activityJson) ?? null,
    checkpoint:
      log === null
        ? null
        : {
            signedAt: isoTime(log.signedAt),
            signedSize: log.signedSize,
            size: log.size,
            unsigned: log.size - log.signedSize,
            examined: log.examined,
            problem: log.problem,
          },
    maintenance: scope === "own" ? null : { lastAt: isoTime(status.maintainedAt) },
    notExamined: ["vault", "signatures"],
  };
}

function findingJson(found: Finding): JsonObject {
  const { id, level, key, version, message, command } = found;
  return {
    id,
    level,
    key,
    version,
    since: isoTime(found.since),
    until: isoTime(found.until),
    message,
    command,
  };
}

function activityJson({ at, actor, operation, outcome, key }: Activity): JsonObject {
  return { at: isoTime(at), actor, operation, outcome, key };
}

const tones: Readonly<Record<Finding["level"], Tone | null>> = {
  broken: "bad",
  waiting: "warn",
  notice: null,
};

/** Findings one by one, for `-o jsonl`, `csv` and `name`. */
export const findingView: View<Finding> = {
  columns: [
    { title: "LEVEL", field: "level", text: ({ level }) => level, tone: ({ level }) => tones[level] },
    { title: "ID", field: "id", text: ({ id }) => id },
    { title: "KEY", field: "key", text: ({ key }) => key ?? "" },
    { title: "VERSION", field: "version", text: ({ version }) => String(version ?? "") },
    { title: "SINCE", field: "since", text: ({ since }) => isoTime(since) ?? "" },
    { title: "UNTIL", field: "until", text: ({ until }) => isoTime(until) ?? "" },
    { title: "MESSAGE", field: "message", text: ({ message }) => message },
    { title: "COMMAND", field: "command", text: ({ command }) => command },
  ],
  toJson: findingJson,
  name: ({ key, id }) => key ?? id,
};

/** The security view for people. `again` is the command that shows so many of each kind. */
export async function statusText(
  status: Status,
  style: TableStyle,
  again: (limit: number) => string,
): Promise<string> {
  const parts = [await formatRecord(headColumns(status), status, style)];
  if (status.findings.length > 0) parts.push(await formatFindings(status, style, again));
  for (const [title, some] of [
    ["refused or failed within 7d", status.attempts],
    ["last accesses", status.accesses],
  ] as const) {
    if (some !== null && some.length > 0)
      parts.push(`${title}\n${await formatTable(activityColumns, some, style)}`);
  }
  parts.push("not looked at here: the vault, signatures → keyctl doctor, keyctl audit-verify\n");
  return parts.join("\n");
}

const verdicts: Readonly<Record<Status["verdict"], { text: string; tone: Tone }>> = {
  ok: { text: "in order", tone: "good" },
  waiting: { text: "something waits", tone: "warn" },
  broken: { text: "the log is not whole", tone: "bad" },
};

function headColumns({ log, scope }: Status): readonly Column<Status>[] {
  const line = (field: string, text: (status: Status, now: number) => string): Column<Status> => ({
    title: field.toUpperCase(),
    field,
    text,
  });
  const head: Column<Status>[] = [
    line("tenant", ({ tenant }) => (scope === "own" ? `${tenant}, your own keys` : tenant)),
    {
      ...line("verdict", ({ verdict }) => verdicts[verdict].text),
      tone: ({ verdict }) => verdicts[verdict].tone,
    },
    line("keys", ({ totals }) => countsOf(totals.byState)),
    line("kinds", ({ totals }) => countsOf(totals.byKind)),
    line(
      "rotation",
      ({ totals }) =>
        `${formatCount(totals.secure)} secure, ${formatCount(totals.rotationSoon)} soon, ${formatCount(totals.rotationRequired)} required`,
    ),
  ];
  if (log === null) return head;
  return [
    ...head,
    line("log", (_status, now) =>
      log.signedAt === null
        ? `${entries(log.size)}, none signed`
        : `${entries(log.size)}, ${log.size - log.signedSize} not signed, last checkpoint ${relativeTime(log.signedAt, now)}`,
    ),
    line("maintenance", ({ maintainedAt }, now) =>
      maintainedAt === null ? "never yet" : relativeTime(maintainedAt, now),
    ),
  ];
}

function entries(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const named = Object.entries(counts).map(([name, count]) => `${formatCount(count)} ${name}`);
  return named.length === 0 ? "none" : named.join(", ");
}

/** Counting ends somewhere: what reached the end may be more. */
function formatCount(count: number): string {
  return count >= countMax ? `${countMax}+` : String(count);
}

interface Line {
  level: Finding["level"] | null;
  what: string;
  command: string;
}

async function formatFindings(
  status: Status,
  style: TableStyle,
  again: (limit: number) => string,
): Promise<string> {
  const lines: Line[] = [...Map.groupBy(status.findings, ({ id }) => id)].flatMap(([id, some]) => [
    ...some.map((found) => lineOf(found)),
    ...moreOf(status.counts, { id, shown: some.length }, again),
  ]);
  const width = style.columns === null ? Infinity : style.columns - "waiting  ".length;
  const rows = lines.flatMap(({ level, what, command }) => {
    const whole = `${what} → ${command}`;
    if (whole.length <= width) return [{ level, text: whole }];
    return [...wrapped(what, width), `→ ${command}`].map((text, i) => ({
      level: i === 0 ? level : null,
      text,
    }));
  });
  const columns: Column<(typeof rows)[number]>[] = [
    {
      title: "LEVEL",
      field: "level",
      text: ({ level }) => level ?? "",
      tone: ({ level }) => (level === null ? null : tones[level]),
    },
    { title: "WHAT, AND WHAT MENDS IT", field: "text", text: ({ text }) => text },
  ];
  return await formatTable(columns, rows, style);
}

function lineOf({ level, key, message, command }: Finding): Line {
  return { level, what: key === null ? message : `${key}: ${message}`, command };
}

function moreOf(
  counts: Status["counts"],
  { id, shown }: { id: FindingId; shown: number },
  again: (limit: number) => string,
): Line[] {
  const count = counts[id] ?? 0;
  // Refusals are one finding, however many they are.
  if (count <= shown || id === "refusals") return [];
  const more = `and ${count >= countMax ? "at least " : ""}${count - shown} more`;
  return [{ level: null, what: more, command: again(count) }];
}

const activityColumns: readonly Column<Activity>[] = [
  { title: "WHEN", field: "at", text: ({ at }, now) => relativeTime(at, now) },
  { title: "OPERATION", field: "operation", text: ({ operation }) => operation },
  {
    title: "OUTCOME",
    field: "outcome",
    text: ({ outcome }) => outcome,
    tone: ({ outcome }) => (outcome === "success" ? null : "bad"),
  },
  { title: "KEY", field: "key", text: ({ key }) => key ?? "-" },
  { title: "ACTOR", field: "actor", text: ({ actor }) => actor, narrow: "cut" },
];
