import type { Severity } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import type { Confidence } from "./proof.ts";

/** A place in what was scanned. */
export interface Occurrence {
  /** As it was given. */
  path: string;
  /** 1 for the first. */
  line: number;
  /** 1 for the first; in characters. */
  column: number;
  /** In bytes of the original, 0 for the first. */
  offset: number;
}

/** The key of ours that a finding is, or that it belongs to another tenant. */
export type ManagedFinding =
  | {
      keyId: string;
      name: string;
      tenant: string;
      env: string;
      version: number;
      /** Of the version, when the records were asked. */
      state: string;
      /** ISO 8601, UTC: when that state was read, or when a bundle was made. */
      asOf: string;
      owner: string;
      /** What to type to stop it; null when nothing is left to do. */
      command: string | null;
    }
  | { foreign: true };

/** One distinct secret that stands in what was scanned. The field names are a contract. Never holds the secret. */
export interface Finding extends Occurrence {
  ruleId: string;
  provider: string;
  severity: Severity;
  confidence: Confidence;
  /** What was checked off line, in words; null when there was nothing to check. */
  proof: string | null;
  /** Of the secret, in characters. */
  length: number;
  /** Name of the log's step or group; null until the scanner reads those. */
  step: string | null;
  /** How often it stands there. */
  count: number;
  /** The first 100 places, the one above among them. */
  occurrences: Occurrence[];
  /** The first few characters and `…`. */
  masked: string;
  /** Keyed hash by which the same secret is recognised; null without a leak key. */
  fingerprint: string | null;
  /** The encoding it was found under; null until the scanner decodes. */
  decodedFrom: string | null;
  managed: ManagedFinding | null;
}

export interface ScanReport {
  findings: Finding[];
  coverage: {
    files: number;
    bytes: number;
    /** Against whose records our own keys were looked up. */
    managed: "store" | "bundle" | "none";
    skipped: { path: string; reason: string }[];
  };
  summary: {
    /** Distinct secrets. */
    leaks: number;
    /** How many of them are keys of ours, whatever their state. */
    managed: number;
    /** Something could not be read. */
    incomplete: boolean;
  };
  durationMs: number;
}

/** What the scanner says of one place, before places of the same secret are put together. */
export interface RawMatch {
  ruleId: string;
  provider: string;
  severity: Severity;
  confidence: Confidence;
  proof: string | null;
  offset: number;
  /** Original offset after the last byte. */
  endOffset: number;
  line: number;
  column: number;
  length: number;
  masked: string;
  publicId: string | null;
  secret: Secret;
  /** SHA-256 of the secret, base64url: tells whether two places hold the same. Never leaves the process. */
  identity: string;
}

const occurrencesMax = 100;
const maskedMin = 4;
const maskedMax = 12;

/** The first characters of a secret and `…`: its fixed prefix, but at least 4 and at most 12 characters. */
export function mask(token: string, prefixLength: number): string {
  return `${token.slice(0, Math.min(maskedMax, Math.max(maskedMin, prefixLength)))}…`;
}

const rank: Record<Confidence, number> = { certain: 3, likely: 2, possible: 1, doctored: 0 };

/** True when `left` says more than `right`: surer, or as sure and longer. */
export function isBetter(
  left: { confidence: Confidence; length: number },
  right: { confidence: Confidence; length: number },
): boolean {
  const difference = rank[left.confidence] - rank[right.confidence];
  return difference > 0 || (difference === 0 && left.length > right.length);
}

/** A finding in the making, with the secret that the look-up needs. */
export interface CollectedFinding {
  match: RawMatch;
  first: Occurrence;
  count: number;
  occurrences: Occurrence[];
}

/** Puts places together: one finding for each distinct secret, in the order in which each was first seen. */
export class FindingCollector {
  readonly #bySecret = new Map<string, CollectedFinding>();

  /** Takes one place. Files must come in a fixed order, and places of a file in rising order, for a repeatable report. */
  add(path: string, match: RawMatch): void {
    const place = { path, line: match.line, column: match.column, offset: match.offset };
    const known = this.#bySecret.get(match.identity);
    if (known === undefined) {
      this.#bySecret.set(match.identity, { match, first: place, count: 1, occurrences: [place] });
      return;
    }
    known.count += 1;
    if (known.occurrences.length < occurrencesMax) known.occurrences.push(place);
    if (isBetter(match, known.match)) known.match = match;
  }

  /** Everything collected so far. */
  list(): CollectedFinding[] {
    return [...this.#bySecret.values()];
  }
}

/** The finding as it is reported. */
export function toFinding(
  collected: CollectedFinding,
  known: { fingerprint: string | null; managed: ManagedFinding | null },
): Finding {
  const { match, first } = collected;
  return {
    ruleId: match.ruleId,
    provider: match.provider,
    severity: match.severity,
    confidence: match.confidence,
    proof: match.proof,
    ...first,
    length: match.length,
    step: null,
    count: collected.count,
    occurrences: collected.occurrences,
    masked: match.masked,
    fingerprint: known.fingerprint,
    decodedFrom: null,
    managed: known.managed,
  };
}
