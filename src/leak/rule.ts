import type { Severity } from "../core/model.ts";
import type { AlphabetName } from "./alphabet.ts";
import type { ProofName } from "./proof.ts";

/** One piece of a token: fixed text, one of several fixed texts (longest first), or a run of an alphabet. */
export type ShapePart =
  | { readonly literal: string }
  | { readonly oneOf: readonly string[] }
  | { readonly run: AlphabetName; readonly min: number; readonly max: number };

/**
 * A token from its first to its last character. Runs are greedy and never given back, so matching takes at most as many
 * steps as the token is long: a run must not be followed by a part that begins with a character of the run, unless its
 * length is fixed.
 */
export type Shape = readonly ShapePart[];

/** A literal by which the prefilter finds a token, and how many characters before it the token begins. */
export interface Anchor {
  readonly literal: string;
  /** Distance from the token's start to the literal. */
  readonly at: number;
}

/** Words near which alone the shape means anything; they stand before the token. */
export interface Near {
  /** Lower case; compared without case. */
  readonly words: readonly string[];
  /** The token begins at most this many bytes after the word's end. */
  readonly withinBytes: number;
}

/** One token format, as data: nothing in it is executed. */
export interface LeakRule {
  /** Kebab-case, unique, a contract: reports and baselines name it. */
  readonly id: string;
  /** The vendor's lower-case name. */
  readonly provider: string;
  readonly title: string;
  readonly severity: Severity;
  /** How sure the shape alone makes us; a proof raises or lowers it. */
  readonly grade: "likely" | "possible";
  /** Empty when `near` is given. */
  readonly anchors: readonly Anchor[];
  /** Tried in order; the first that fits with its neighbours is taken. */
  readonly shapes: readonly Shape[];
  /** What must not stand directly before the token, or `any`. Waived when a proof holds. */
  readonly left: AlphabetName | "any";
  /** What must not stand directly after it. Waived when a proof holds. */
  readonly right: AlphabetName;
  /** Shannon entropy of the runs in bits per character below which it is a word or a sample; 0 for none. */
  readonly entropyMin: number;
  readonly near?: Near;
  readonly proof?: ProofName;
  /** A form that has its own reader instead of shapes. */
  readonly structure?: "pem";
  /** Where the vendor documents the credential. */
  readonly docs: string;
}

/** Fixed text. */
export function text(literal: string): ShapePart {
  return { literal };
}

/** One of several fixed texts; the first that fits is taken, so the longer one goes first. */
export function oneOf(...literals: string[]): ShapePart {
  return { oneOf: literals };
}

/** A run of `min` to `max` characters; exactly `min` without `max`. */
export function run(alphabet: AlphabetName, min: number, max: number = min): ShapePart {
  return { run: alphabet, min, max };
}

/** Anchors for tokens that begin with one of these literals. */
export function startsWith(...literals: string[]): Anchor[] {
  return literals.map((literal) => ({ literal, at: 0 }));
}
