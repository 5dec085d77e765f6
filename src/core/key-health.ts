import type { KeyRecord, VersionRecord } from "./model.ts";
import { rotationRequiredMs } from "./policy.ts";

const dayMs = 24 * 3_600_000;

/** An expiry this near asks for a successor; of a life shorter than three weeks only the last third does. */
export const expiryNoticeMs = 7 * dayMs;
/** A key that nobody used this long after it was made. */
export const neverUsedMs = 30 * dayMs;
/** A key that was in use and is not any more. */
export const staleMs = 90 * dayMs;
/** For how long a key whose use was unusual is pointed out. */
export const anomalyShownMs = 7 * dayMs;

/**
 * What the security view asks of keys. The first four divide the keys that are active and not past their expiry; all others
 * may hold beside them.
 */
export const keyConditions = [
  "secure",
  "rotation-soon",
  "rotation-required",
  "expiring",
  "overdue",
  "expired",
  "never-used",
  "stale",
  "suspended",
  "deleted",
  "compromised",
  "anomaly",
] as const;
export type KeyCondition = (typeof keyConditions)[number];

/** What it asks of versions. */
export const versionConditions = ["in-grace", "seen"] as const;
export type VersionCondition = (typeof versionConditions)[number];

/** A rotation is near in the last third of its interval, and no longer before than this. */
export const rotationNearMs = 30 * dayMs;

type Aged = Pick<KeyRecord, "createdAt" | "rotatedAt" | "rotateEveryMs">;

/** When the present value became the key's; when a rotation is near, and when it is due: after 60 and 90 days, or by the key's own interval. */
export function rotationTimes(key: Aged): { since: number; soonAt: number; requiredAt: number } {
  const since = key.rotatedAt ?? key.createdAt;
  const everyMs = key.rotateEveryMs ?? rotationRequiredMs;
  const requiredAt = since + everyMs;
  return { since, soonAt: requiredAt - Math.min(Math.floor(everyMs / 3), rotationNearMs), requiredAt };
}

/** Whether the condition holds for the key at `now`. The store finds keys by the same rules. */
export function hasCondition(key: KeyRecord, condition: KeyCondition, now: number): boolean {
  const { createdAt, lastUsedAt } = key;
  switch (condition) {
    case "secure":
    case "rotation-soon":
    case "rotation-required":
    case "expiring":
      return isLive(key, now) && rotationOf(key, now) === condition;
    case "overdue":
      return canExpire(key) && isPast(key, now);
    case "expired":
      return key.state === "expired";
    case "never-used":
      return isLive(key, now) && lastUsedAt === null && createdAt <= now - neverUsedMs;
    case "stale":
      return isLive(key, now) && lastUsedAt !== null && lastUsedAt <= now - staleMs;
    case "suspended":
      return key.state === "inactive" && !isPast(key, now);
    case "deleted":
      return key.state === "deleted" && key.purgedAt === null;
    case "compromised":
      return key.state === "compromised";
    case "anomaly":
      return isLive(key, now) && key.anomalyAt !== null && key.anomalyAt > now - anomalyShownMs;
  }
}

/** Whether the condition holds for a version at `now`: replaced and still accepted, or active and seen by a person. */
export function versionHasCondition(
  version: VersionRecord,
  condition: VersionCondition,
  now: number,
): boolean {
  if (version.expiresAt !== null && version.expiresAt <= now) return false;
  if (condition === "seen") return version.state === "active" && version.seenAt !== null;
  return version.state === "rotated" && version.graceUntil !== null && version.graceUntil > now;
}

function rotationOf(key: KeyRecord, now: number): KeyCondition {
  const { soonAt, requiredAt } = rotationTimes(key);
  if (requiredAt <= now) return "rotation-required";
  if (isExpiring(key, now)) return "expiring";
  return soonAt <= now ? "rotation-soon" : "secure";
}

function isExpiring(key: KeyRecord, now: number): boolean {
  if (key.expiresAt === null) return false;
  const leftMs = key.expiresAt - now;
  return leftMs <= expiryNoticeMs && leftMs * 3 <= key.expiresAt - rotationTimes(key).since;
}

function isLive(key: KeyRecord, now: number): boolean {
  return key.state === "active" && !isPast(key, now);
}

function canExpire(key: KeyRecord): boolean {
  return key.state === "active" || key.state === "rotated" || key.state === "inactive";
}

function isPast(key: KeyRecord, now: number): boolean {
  return key.expiresAt !== null && key.expiresAt <= now;
}
