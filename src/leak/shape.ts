import { byteClass, type Text } from "./alphabet.ts";
import type { Shape, ShapePart } from "./rule.ts";

/** Where a shape stood: `end` is exclusive; `runs` are the begin and end of each run, in pairs. */
export interface ShapeMatch {
  end: number;
  runs: number[];
}

/** Matches a shape at exactly `start`, or null. Steps are bounded by the shape's longest length; a mismatch costs no memory. */
export function matchShape(text: Text, start: number, shape: Shape): ShapeMatch | null {
  let end = start;
  for (const part of shape) {
    end = matchPart(text, end, part);
    if (end < 0) return null;
  }
  const runs: number[] = [];
  let at = start;
  for (const part of shape) {
    const next = matchPart(text, at, part);
    if ("run" in part) runs.push(at, next);
    at = next;
  }
  return { end, runs };
}

function matchPart(text: Text, at: number, part: ShapePart): number {
  if ("literal" in part) return matchLiteral(text, at, part.literal);
  if ("oneOf" in part) {
    for (const literal of part.oneOf) {
      const end = matchLiteral(text, at, literal);
      if (end >= 0) return end;
    }
    return -1;
  }
  const table = byteClass(part.run);
  const limit = Math.min(text.length, at + part.max);
  let end = at;
  while (end < limit && table[text.bytes[end] ?? 0] === 1) end += 1;
  return end - at < part.min ? -1 : end;
}

function matchLiteral(text: Text, at: number, literal: string): number {
  if (at + literal.length > text.length) return -1;
  for (let i = 0; i < literal.length; i += 1) {
    if (text.bytes[at + i] !== literal.charCodeAt(i)) return -1;
  }
  return at + literal.length;
}

/** The most bytes that a token of this shape can take. */
export function lengthMax(shape: Shape): number {
  let sum = 0;
  for (const part of shape) {
    if ("literal" in part) sum += part.literal.length;
    else if ("oneOf" in part) sum += Math.max(...part.oneOf.map((literal) => literal.length));
    else sum += part.max;
  }
  return sum;
}
