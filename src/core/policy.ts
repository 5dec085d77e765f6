import type { KeyKind, KeyPolicy } from "./model.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** For how long a revoke can be undone. */
export const undoWindowMs = 60 * minuteMs;
/** For how long a deleted key can be restored. */
export const recoveryWindowMs = 30 * dayMs;
/** For how long an answer to an `--idempotency-key` is remembered. */
export const idempotencyWindowMs = 7 * dayMs;
/** Verifiers may cache a row this long, so a denial holds everywhere only after it. */
export const verifierCacheMs = 5_000;
/** A batch of validations is written when it has so many rows, or is so old. */
export const usageBatchRows = 1_000;
export const usageBatchMs = minuteMs;
/** So many denials of one key in a minute are entries of their own; the others are counted. */
export const denialsPerMinute = 60;
/** A log that was signed less than this ago is not signed again by an ordinary mutation. */
export const checkpointFreshMs = minuteMs;
/** Maintenance (`reconcile --fix`) that last ran longer ago than this is late. */
export const maintenanceLateMs = 2 * dayMs;
/** `status` warns, and `list` shows, when a key is this old. */
export const rotationRequiredMs = 90 * dayMs;

const defaultGraceMs: Record<KeyKind, number> = {
  issued: dayMs,
  provider: 0,
  secret: dayMs,
  encryption: dayMs,
};
const defaultRollbackWindowMs = 7 * dayMs;

/** A key's durations with its kind's defaults filled in. */
export function effectivePolicy(key: KeyPolicy & { kind: KeyKind }): {
  graceMs: number;
  rollbackWindowMs: number;
} {
  return {
    graceMs: key.graceMs ?? defaultGraceMs[key.kind],
    rollbackWindowMs: key.rollbackWindowMs ?? defaultRollbackWindowMs,
  };
}

/** Requests per minute of each tier of an issued key; shown by `verify`, enforced where usage is recorded. */
export const tiers = { basic: 60, premium: 300, enterprise: 1200 } as const;
/** A tier that an issued key can have. */
export type Tier = keyof typeof tiers;

/** True for the name of a tier. */
export function isTier(text: string): text is Tier {
  return Object.hasOwn(tiers, text);
}
