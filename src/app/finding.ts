import type { KeyCondition } from "../core/key-health.ts";
import type { KeyRecord } from "../core/model.ts";

/**
 * How much a finding presses. `notice`: somebody should look at it some day; `waiting`: something is to be done now;
 * `broken`: the log is not what it was.
 */
export type FindingLevel = "notice" | "waiting" | "broken";

/** What the security view finds; a contract with monitors: names are added, never changed. */
export type FindingId =
  | Exclude<KeyCondition, "secure">
  | "grace-running"
  | "seen"
  | "upstream-open"
  | "operation-open"
  | "operation-running"
  | "vault-task"
  | "maintenance-late"
  | "checkpoint-late"
  | "log-broken"
  | "refusals";

/** One thing that somebody should look at, and the command that mends it. */
export interface Finding {
  id: FindingId;
  level: FindingLevel;
  /** `env/name`; null for what is about no key. */
  key: string | null;
  version: number | null;
  /** Since when it is so, and until when it will be, as far as that is known. */
  since: number | null;
  until: number | null;
  /** One sentence without the key's name. */
  message: string;
  command: string;
}

/** A finding; what is not said of it is null. */
export function finding(
  told: Pick<Finding, "id" | "level" | "message" | "command"> & Partial<Finding>,
): Finding {
  return { key: null, version: null, since: null, until: null, ...told };
}

/** Findings of one kind: the first ones, and how many there are; counting ends at `countMax`. */
export interface FoundKind {
  id: FindingId;
  count: number;
  shown: Finding[];
}

/** Nobody needs to know whether it is ten or a hundred thousand. */
export const countMax = 10_000;

/** What other commands take as NAME, in whatever environment they are run. */
export function pathOf(key: Pick<KeyRecord, "env" | "name">): string {
  return `${key.env}/${key.name}`;
}

const dayMs = 24 * 3_600_000;

/** A long time as a person says it: `94d`, and `less than a day`. */
export function inDays(ms: number): string {
  return ms < dayMs ? "less than a day" : `${Math.floor(ms / dayMs)}d`;
}
