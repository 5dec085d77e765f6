import { KeyctlError } from "./errors.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

/** A hundred years of 365 days: longer than anything that is meant, and far from where sums lose precision. */
export const durationMsMax = 100 * 365 * dayMs;

const durationPattern =
  /^(?:(?<w>\d{1,15})w)?(?:(?<d>\d{1,15})d)?(?:(?<h>\d{1,15})h)?(?:(?<m>\d{1,15})m)?(?:(?<s>\d{1,15})s)?(?:(?<ms>\d{1,15})ms)?$/;

const unitMs: Readonly<Record<string, number>> = {
  w: weekMs,
  d: dayMs,
  h: hourMs,
  m: minuteMs,
  s: secondMs,
  ms: 1,
};

/**
 * Milliseconds of `90d`, `24h`, `30m`, `45s`, `2w`, `500ms`, or several units from large to small (`1h30m`); `0` needs no
 * unit. `usage` for anything else and for more than a hundred years. Months and years are no units: they differ in length.
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const groups = text === "" ? undefined : durationPattern.exec(text)?.groups;
  if (groups === undefined) {
    throw new KeyctlError("usage", "that is no duration", {
      hint: "write 90d, 24h, 30m, 45s or 2w (m is minutes; a month is 30d, a year 365d)",
    });
  }
  let sum = 0;
  for (const [unit, ms] of Object.entries(unitMs)) sum += Number(groups[unit] ?? 0) * ms;
  if (sum > durationMsMax)
    throw new KeyctlError("usage", "a duration is at most 100 years", { hint: "36500d" });
  return sum;
}

/** What `--expires` says: how long each version lives, or the moment (ms since the epoch) at which this one ends. */
export type Expiry = { lifetimeMs: number } | { at: number };

/**
 * A duration, or a date or time of ISO 8601: `2027-01-31` (the start of that day, UTC), `2027-01-31T12:00Z`,
 * `2027-01-31T12:00:00.000+02:00`. A time without a zone is refused (`usage`), as are a lifetime of nothing and days that
 * the calendar does not have. Whether the moment is still to come is for the caller, who has the clock.
 */
export function parseExpiry(text: string): Expiry {
  if (/^\d{4}-/.test(text)) return { at: parseMoment(text) };
  const lifetimeMs = parseDuration(text);
  if (lifetimeMs === 0) {
    throw new KeyctlError("usage", "an expiry after no time at all", {
      hint: "keyctl revoke ends a key at once",
    });
  }
  return { lifetimeMs };
}

const momentPattern =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:T(?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?<fraction>\.\d{1,3})?)?(?<zone>Z|[+-]\d{2}:\d{2}))?$/;

function parseMoment(text: string): number {
  const groups = momentPattern.exec(text)?.groups;
  if (groups === undefined) throw badMoment("that is no date, or a time without a zone");
  const { date, hour = "00", minute = "00", second = "00", fraction = ".000", zone = "Z" } = groups;
  const midnight = Date.parse(`${date}T00:00:00.000Z`);
  // Engines differ on 30 February: some refuse it, some count on into March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(`${date}T`)) {
    throw badMoment("the calendar does not have that date");
  }
  const offsetMs = parseOffset(zone);
  const clockMs =
    Number(hour) * hourMs + Number(minute) * minuteMs + Number(`${second}${fraction}`) * secondMs;
  if (offsetMs === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    throw badMoment("the clock does not have that time");
  }
  return midnight + Math.round(clockMs) - offsetMs;
}

function parseOffset(zone: string): number | null {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * hourMs + minutes * minuteMs);
}

function badMoment(message: string): KeyctlError {
  return new KeyctlError("usage", message, { hint: "write 2027-01-31 or 2027-01-31T12:00:00Z" });
}

const shownUnits = [
  ["d", dayMs],
  ["h", hourMs],
  ["m", minuteMs],
  ["s", secondMs],
  ["ms", 1],
] as const;

/**
 * A duration as a person says it: the largest unit that it fills and the next one, what is below cut off (`90d`, `1h30m`,
 * `0s`). `parseDuration` reads it again. Less than nothing gets a minus sign.
 */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const largest = shownUnits.findIndex(([, unit]) => ms >= unit);
  if (largest === -1) return "0s";
  let rest = ms;
  let text = "";
  for (const [name, unit] of shownUnits.slice(largest, largest + 2)) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) text += `${count}${name}`;
  }
  return text;
}

/** How long something is ago or ahead, for a sentence: as `formatDuration`, in whole seconds, what is below cut off. */
export function formatElapsed(ms: number): string {
  return formatDuration(Math.trunc(ms / secondMs) * secondMs);
}
