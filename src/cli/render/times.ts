import { formatElapsed } from "../../core/duration.ts";

/** For people: `3d4h ago`, `in 89d23h`, `now`, or `-` for null. */
export function relativeTime(at: number | null, now: number): string {
  if (at === null) return "-";
  const distance = Math.abs(at - now);
  if (distance < 1_000) return "now";
  return at < now ? `${formatElapsed(distance)} ago` : `in ${formatElapsed(distance)}`;
}
