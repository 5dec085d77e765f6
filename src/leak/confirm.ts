import type { Severity } from "../core/model.ts";
import { mayBegin, mayEnd } from "./boundary.ts";
import { matchOwnKey } from "./match-own.ts";
import type { CleanText } from "./normalise.ts";
import { readPem } from "./pem.ts";
import { entropy, placeholderReason } from "./placeholder.ts";
import { prove, type Confidence, type ProofResult } from "./proof.ts";
import type { LeakRule, Shape } from "./rule.ts";
import { matchShape, type ShapeMatch } from "./shape.ts";

/** What a rule found, in places of the clean text. */
export interface Match {
  ruleId: string;
  provider: string;
  severity: Severity;
  confidence: Confidence;
  proof: string | null;
  start: number;
  /** Exclusive. */
  end: number;
  /** How many characters at the start every token of this kind has. */
  prefixLength: number;
  /** Our own issued keys: the public part by which the record is found. */
  publicId: string | null;
}

/** The rule id and provider under which our own issued keys are reported. */
export const ownRule = { id: "keyctl-issued-key", provider: "keyctl" } as const;

/** The token of `rule` that begins at `start`, or null. `now` in milliseconds since the epoch, null when unknown. */
export function confirmRule(
  text: CleanText,
  rule: LeakRule,
  at: { start: number; now: number | null },
): Match | null {
  if (at.start < 0) return null;
  if (rule.structure === "pem") return confirmPem(text, rule, at.start);
  for (const shape of rule.shapes) {
    const match = confirmShape(text, { rule, shape, ...at });
    if (match !== null) return match;
  }
  return null;
}

/** Every token of a rule that counts only near a word, in the bytes after that word's end. */
export function confirmNear(
  text: CleanText,
  rule: LeakRule,
  at: { after: number; now: number | null },
): Match[] {
  const matches: Match[] = [];
  const last = Math.min(text.length, at.after + (rule.near?.withinBytes ?? 0));
  for (let start = at.after; start <= last; start += 1) {
    const match = confirmRule(text, rule, { start, now: at.now });
    if (match !== null) matches.push(match);
  }
  return matches;
}

/** One of our own issued keys around the dot at `dot`, or null. */
export function confirmOwn(text: CleanText, dot: number): Match | null {
  const own = matchOwnKey(text, dot);
  if (own === null) return null;
  return {
    ruleId: ownRule.id,
    provider: ownRule.provider,
    severity: own.valid ? "critical" : "low",
    confidence: own.valid ? "certain" : "doctored",
    proof: own.valid ? "CRC-32 holds" : "CRC-32 does not match: altered, cut or a sample",
    start: own.start,
    end: own.end,
    prefixLength: dot - own.start,
    publicId: own.publicId,
  };
}

function confirmShape(
  text: CleanText,
  at: { rule: LeakRule; shape: Shape; start: number; now: number | null },
): Match | null {
  const { rule, shape, start } = at;
  const found = matchShape(text, start, shape);
  if (found === null) return null;
  const end = seamEnd(text, { start, found, shape });
  const alone = mayBegin(text, start, rule.left) && mayEnd(text, end, rule.right);
  if (!alone && rule.proof === undefined) return null;
  const token = latin1(text, start, end);
  const proof = rule.proof === undefined ? null : prove(rule.proof, token, at.now);
  if (proof?.confidence !== "certain") {
    if (!alone || isSample(token, bodyOf(token, found, { start, end }), rule)) return null;
  }
  return describe(rule, { proof, start, end, prefixLength: (found.runs[0] ?? end) - start });
}

function describe(
  rule: LeakRule,
  found: { proof: ProofResult | null; start: number; end: number; prefixLength: number },
): Match {
  return {
    ruleId: rule.id,
    provider: rule.provider,
    severity: found.proof?.severity ?? rule.severity,
    confidence: found.proof?.confidence ?? rule.grade,
    proof: found.proof?.text ?? null,
    start: found.start,
    end: found.end,
    prefixLength: found.prefixLength,
    publicId: null,
  };
}

function isSample(token: string, body: string, rule: LeakRule): boolean {
  return placeholderReason(body, token) !== null || entropy(body) < rule.entropyMin;
}

/**
 * A coloured token of open length ends where its colour ends: when a code was taken out before the token, the first code inside the last
 * run after its least length closes it. Without one before it, a code inside is taken for a highlight, and the run goes on.
 */
function seamEnd(text: CleanText, at: { start: number; found: ShapeMatch; shape: Shape }): number {
  const last = at.shape.at(-1);
  const from = at.found.runs.at(-2);
  if (last === undefined || !("run" in last) || last.min === last.max || from === undefined)
    return at.found.end;
  if (!text.isSeam(at.start)) return at.found.end;
  for (let index = from + Math.max(1, last.min); index < at.found.end; index += 1) {
    if (text.isSeam(index)) return index;
  }
  return at.found.end;
}

function bodyOf(token: string, found: ShapeMatch, at: { start: number; end: number }): string {
  let body = "";
  for (let pair = 0; pair < found.runs.length; pair += 2) {
    body += token.slice(
      (found.runs[pair] ?? 0) - at.start,
      Math.min(found.runs[pair + 1] ?? 0, at.end) - at.start,
    );
  }
  return body;
}

function confirmPem(text: CleanText, rule: LeakRule, start: number): Match | null {
  const pem = readPem(text, start);
  if (pem === null || (pem.confidence !== "certain" && placeholderReason(pem.body, pem.body) !== null))
    return null;
  const proof = { confidence: pem.confidence, text: pem.proof, severity: pem.severity };
  return describe(rule, { proof, start, end: pem.end, prefixLength: "-----BEGIN ".length });
}

function latin1(text: CleanText, start: number, end: number): string {
  return Buffer.from(text.bytes.buffer, text.bytes.byteOffset + start, end - start).toString("latin1");
}
