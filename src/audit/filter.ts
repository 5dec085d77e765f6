import type { AuditEntry } from "./entry.ts";

/** Which entries are wanted; every given field must match. */
export interface AuditFilter {
  /** From this moment on, ms UTC. */
  since?: number;
  /** Before this moment, ms UTC. */
  until?: number;
  /** The actor's id. */
  actor?: string;
  /** The key's id, its name, or `env/name`; names are compared without case. */
  key?: string;
  /** `key.rotate`, or `key` for everything that begins with `key.`. */
  operation?: string;
}

/** True when no field is given: every entry is wanted. */
export function isEmptyFilter(filter: AuditFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

export function matchesFilter(entry: AuditEntry, filter: AuditFilter): boolean {
  return (
    (filter.since === undefined || entry.ts >= filter.since) &&
    (filter.until === undefined || entry.ts < filter.until) &&
    (filter.actor === undefined || entry.actor === filter.actor) &&
    (filter.key === undefined || isAbout(entry, filter.key)) &&
    (filter.operation === undefined || isOperation(entry.operation, filter.operation))
  );
}

function isAbout({ key }: AuditEntry, wanted: string): boolean {
  if (key === null) return false;
  const name = wanted.toLowerCase();
  return [key.id, key.name, `${key.env}/${key.name}`].some((known) => known.toLowerCase() === name);
}

function isOperation(operation: string, wanted: string): boolean {
  return operation === wanted || operation.startsWith(`${wanted}.`);
}
