import type { CallersLog } from "../../app/select-audit.ts";
import type { AuditFilter } from "../../audit/filter.ts";
import { operationFilters } from "../../audit/operations.ts";
import { KeyctlError } from "../../core/errors.ts";
import { nearestName } from "../../core/near-name.ts";
import type { OptionDefinition } from "../command.ts";
import type { Flags } from "../flags.ts";

export const auditFilterOptions: readonly OptionDefinition[] = [
  { name: "since", value: "WHEN", summary: "from this date, time, or so long ago (24h)" },
  { name: "until", value: "WHEN", summary: "before this date or time" },
  { name: "actor", value: "WHO", completes: "actor", summary: "only by this actor: id or login" },
  { name: "key", value: "KEY", completes: "key", summary: "only about this key: id, name or env/name" },
  {
    name: "operation",
    value: "OP",
    completes: "operation",
    summary: "only this operation: key.rotate, or key for all of keys",
  },
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

/** `usage` for what no entry can be of: an empty answer would look as if nothing had happened. */
function readOperation(flags: Flags): string | null {
  const operation = flags.text("operation");
  if (operation === null || operationFilters.includes(operation)) return operation;
  const near = nearestName(operation, operationFilters);
  throw new KeyctlError("usage", "--operation names none that an entry can be of", {
    hint: near === null ? `one of ${operationFilters.join(", ")}` : `did you mean ${near}?`,
  });
}

/** The filter that the flags describe. */
export function readAuditFilter(flags: Flags, now: number): AuditFilter {
  const since = flags.moment("since", now);
  const until = flags.moment("until", now);
  const actor = flags.text("actor");
  const key = flags.text("key");
  const operation = readOperation(flags);
  return {
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(actor === null ? {} : { actor }),
    ...(key === null ? {} : { key }),
    ...(operation === null ? {} : { operation }),
  };
}
