import type { CallersLog } from "../../app/select-audit.ts";
import type { AuditFilter } from "../../audit/filter.ts";
import type { OptionDefinition } from "../command.ts";
import type { Flags } from "../flags.ts";

export const auditFilterOptions: readonly OptionDefinition[] = [
  { name: "since", value: "WHEN", summary: "from this date, time, or so long ago (24h)" },
  { name: "until", value: "WHEN", summary: "before this date or time" },
  { name: "actor", value: "WHO", completes: "actor", summary: "only by this actor: id or login" },
  { name: "key", value: "KEY", completes: "key", summary: "only about this key: id, name or env/name" },
  { name: "operation", value: "OP", summary: "only this operation: key.rotate, or key for all of keys" },
];

const logs = ["tenant", "system"] as const;

export const logOption: OptionDefinition = {
  name: "log",
  value: "WHICH",
  choices: logs,
  summary: "the tenant's log, or the one of what belongs to no tenant (from tenant default)",
  defaultText: "tenant",
};

/** Which log is meant. */
export function readLog(flags: Flags): CallersLog {
  return flags.choice("log", logs) ?? "tenant";
}

/** The filter that the flags describe. */
export function readAuditFilter(flags: Flags, now: number): AuditFilter {
  const since = flags.moment("since", now);
  const until = flags.moment("until", now);
  const actor = flags.text("actor");
  const key = flags.text("key");
  const operation = flags.text("operation");
  return {
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(actor === null ? {} : { actor }),
    ...(key === null ? {} : { key }),
    ...(operation === null ? {} : { operation }),
  };
}
