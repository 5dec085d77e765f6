import type { Secret } from "../core/secret.ts";
import { BytePatterns } from "./byte-patterns.ts";
import { secretForms } from "./secret-forms.ts";

const mark = new TextEncoder().encode("[redacted]");
const nothing = new Uint8Array();

/** Bytes that are masked: positions in the whole stream. */
interface Region {
  start: number;
  end: number;
  /** Its mark was written. */
  told: boolean;
}

/** What to look for, made once for all streams. */
export function maskPatterns(secrets: readonly Secret[]): BytePatterns {
  return new BytePatterns(secrets.flatMap(secretForms));
}

/**
 * One stream of bytes with every secret in it, in any of its forms, replaced by `[redacted]`; what overlaps or touches is
 * one. The result does not depend on how the stream comes in pieces. Held back are only bytes that may be the beginning of a
 * secret; they come with what follows, or at the end. Best effort: a secret that was split, compressed or encrypted is not known.
 */
export class Masker {
  readonly #patterns: BytePatterns;
  #state = 0;
  /** What was read and is not decided yet. */
  #held: Uint8Array = nothing;
  /** Where in the stream the held bytes begin. */
  #decided = 0;
  #regions: Region[] = [];

  constructor(patterns: BytePatterns) {
    this.#patterns = patterns;
  }

  /** What can be told for certain after these bytes. The answer may share memory with them. */
  write(chunk: Uint8Array): Uint8Array {
    const text = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let state = this.#state;
    for (let i = this.#held.length; i < text.length; i++) {
      if (state === 0) i = this.#patterns.skip(text, i);
      if (i === text.length) break;
      state = this.#patterns.next(state, text[i] ?? 0);
      const length = this.#patterns.longest(state);
      if (length > 0) this.#cover(this.#decided + i + 1 - length, this.#decided + i + 1);
    }
    this.#state = state;
    return this.#decide(text, text.length - this.#patterns.depth(state));
  }

  /** What was held back: the stream is at its end. */
  finish(): Uint8Array {
    this.#state = 0;
    return this.#decide(this.#held, this.#held.length);
  }

  #cover(start: number, end: number): void {
    const region: Region = { start, end, told: false };
    for (let last = this.#regions.at(-1); last !== undefined; last = this.#regions.at(-1)) {
      if (last.end < start) break;
      region.start = Math.min(region.start, last.start);
      region.told ||= last.told;
      this.#regions.pop();
    }
    this.#regions.push(region);
  }

  /** The first `count` bytes of the text as they may be seen; the rest is held. */
  #decide(text: Uint8Array, count: number): Uint8Array {
    const parts: Uint8Array[] = [];
    const base = this.#decided;
    const until = base + count;
    const plain = (from: number, to: number): void => {
      if (to > from) parts.push(text.subarray(from - base, to - base));
    };
    let at = base;
    for (const region of this.#regions) {
      if (!region.told && region.start >= until) break;
      if (!region.told) {
        plain(at, region.start);
        parts.push(mark);
        region.told = true;
      }
      at = Math.max(at, Math.min(region.end, until));
    }
    plain(at, until);
    // One that ends here may still grow.
    this.#regions = this.#regions.filter((region) => region.end >= until);
    // A copy: who gave the bytes may use them again.
    this.#held = Uint8Array.from(text.subarray(count));
    this.#decided = until;
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }
}
