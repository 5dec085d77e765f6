import { KeyctlError } from "./errors.ts";

/** The furthest moment from the epoch that JavaScript's dates reach (ECMA-262 §21.4.1.1). */
const timeMaxMs = 8.64e15;

/**
 * Milliseconds since the epoch as the contract has times: ISO 8601 UTC with milliseconds; null stays null. `integrity` for a
 * number that is no moment: the store was damaged, and the answer must not hide it.
 */
export function isoTime(at: number): string;
export function isoTime(at: number | null): string | null;
export function isoTime(at: number | null): string | null {
  if (at === null) return null;
  if (Math.abs(at) <= timeMaxMs) return new Date(at).toISOString();
  throw new KeyctlError("integrity", "the store holds a time that keyctl did not write", {
    hint: "restore the store from a backup, then run keyctl audit-verify",
  });
}
