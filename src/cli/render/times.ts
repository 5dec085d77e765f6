import { formatDuration } from "../../core/duration.ts";

/** Milliseconds since the epoch as the contract has times: ISO 8601 UTC with milliseconds; null stays null. */
export function isoTime(at: number): string;
export function isoTime(at: number | null): string | null;
export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** For people: `3d4h ago`, `in 89d23h`, `now`, or `-` for null. */
export function relativeTime(at: number | null, now: number): string {
  if (at === null) return "-";
  const distance = Math.floor(Math.abs(at - now) / 1_000) * 1_000;
  if (distance === 0) return "now";
  return at < now ? `${formatDuration(distance)} ago` : `in ${formatDuration(distance)}`;
}
