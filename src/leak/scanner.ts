import { hash } from "node:crypto";
import { Secret } from "../core/secret.ts";
import { confirmNear, confirmOwn, confirmRule, type Match } from "./confirm.ts";
import { isBetter, mask, type RawMatch } from "./finding.ts";
import { ownKeyKeyword } from "./match-own.ts";
import { CleanText, controlBytesMax } from "./normalise.ts";
import { PositionTracker } from "./position.ts";
import { PairPrefilter, type Keyword, type Prefilter } from "./prefilter.ts";
import type { LeakRule } from "./rule.ts";
import { unreadableReason } from "./unreadable.ts";

/** Clean bytes that are looked at in one go. */
const blockBytesDefault = 262_144;
/** The longest token and the widest gap between a word and its token fit in; a test compares it with the rules. */
export const lookaheadBytes = 16_384;
/** What stands before a candidate and is looked at: a prefix, neighbours, the part of a token before its literal. */
export const lookbehindBytes = 512;

export interface ScannerOptions {
  rules: readonly LeakRule[];
  /** Milliseconds since the epoch, to tell expired tokens; null when unknown. */
  now: number | null;
  /** For tests: the findings must not depend on it. */
  blockBytes?: number;
  /** Another prefilter over the same keywords; the plain one by default. */
  prefilter?: (keywords: readonly Keyword[]) => Prefilter;
}

/** What a keyword hit asks for. */
type Target =
  | { kind: "rule"; rule: LeakRule; at: number }
  | { kind: "near"; rule: LeakRule; length: number }
  | { kind: "own" };

/**
 * Finds secrets in a stream of bytes, in memory that does not depend on its length. One scanner serves any number of files: `start`,
 * `write` for each chunk, `finish`. The chunks are copied at once, so the caller may reuse its buffer. What is found does not
 * depend on where the chunks were cut.
 */
export class Scanner {
  readonly #now: number | null;
  readonly #targets: Target[] = [];
  readonly #prefilter: Prefilter;
  readonly #text: CleanText;
  readonly #position: PositionTracker;
  #head: number[] = [];
  /** Up to where candidates were looked at, as an index of the clean text. */
  #scanned = 0;
  /** Found, but something that begins earlier may still come. */
  #waiting: RawMatch[] = [];
  /** The last of the rest; what follows may overlap it and be better. */
  #held: RawMatch | null = null;

  constructor(options: ScannerOptions) {
    this.#now = options.now;
    const keywords = this.#compile(options.rules);
    this.#prefilter = options.prefilter?.(keywords) ?? new PairPrefilter(keywords);
    const blockBytes = options.blockBytes ?? blockBytesDefault;
    // A full buffer must hold a block that can be given up, also when a control sequence is kept back.
    this.#text = new CleanText(blockBytes + lookaheadBytes + lookbehindBytes + controlBytesMax);
    this.#position = new PositionTracker(this.#text);
  }

  /** Begins a new file and forgets the former one. */
  start(): void {
    this.#text.reset();
    this.#position.reset();
    this.#head = [];
    this.#scanned = 0;
    this.#waiting = [];
    this.#held = null;
  }

  /** The next bytes of the file; answers what is certain by now, in rising order. */
  write(chunk: Uint8Array): RawMatch[] {
    for (let at = 0; this.#head.length < 6 && at < chunk.length; at += 1) this.#head.push(chunk[at] ?? 0);
    const found: RawMatch[] = [];
    let at = 0;
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + this.#text.room);
      this.#text.append(part);
      at += part.length;
      if (this.#text.room === 0) found.push(...this.#scanBlock(false));
    }
    return found;
  }

  /** The file has ended: the rest of what was found. */
  finish(): RawMatch[] {
    this.#text.finish();
    return this.#scanBlock(true);
  }

  /** Why the bytes so far cannot be read as text (compressed, UTF-16), or null. */
  get unreadable(): string | null {
    return unreadableReason(Uint8Array.from(this.#head));
  }

  #compile(rules: readonly LeakRule[]): Keyword[] {
    const keywords: Keyword[] = [];
    const add = (keyword: Keyword, target: Target): void => {
      keywords.push(keyword);
      this.#targets.push(target);
    };
    for (const rule of rules) {
      for (const { literal, at } of rule.anchors)
        add({ literal, ignoreCase: false }, { kind: "rule", rule, at });
      for (const word of rule.near?.words ?? []) {
        add({ literal: word, ignoreCase: true }, { kind: "near", rule, length: word.length });
      }
    }
    add(ownKeyKeyword, { kind: "own" });
    return keywords;
  }

  #scanBlock(final: boolean): RawMatch[] {
    const text = this.#text;
    const limit = final ? text.length : Math.max(this.#scanned, text.length - lookaheadBytes);
    const candidates = this.#prefilter.scan(text.bytes.subarray(0, text.length), this.#scanned, limit);
    const matches: { match: Match; order: number }[] = [];
    for (let index = 0; index < candidates.count; index += 1) {
      const order = candidates.keywords[index] ?? 0;
      const target = this.#targets[order];
      if (target === undefined) continue;
      for (const match of this.#confirm(target, candidates.positions[index] ?? 0))
        matches.push({ match, order });
    }
    // Of two that say the same, the rule that stands first is reported: the prefilter promises no order.
    matches.sort((left, right) => left.match.start - right.match.start || left.order - right.order);
    for (const { match } of matches) this.#waiting.push(this.#locate(match));
    // A token found by a literal in its middle begins before the literal: what begins near the limit may still get company.
    const settled = final ? Infinity : text.originalOffset(Math.max(0, limit - lookbehindBytes));
    this.#scanned = limit;
    const found = this.#settle(settled, final);
    const drop = Math.max(0, limit - lookbehindBytes);
    if (!final && drop > 0) {
      this.#position.drop(drop);
      text.drop(drop);
      this.#scanned -= drop;
    }
    return found;
  }

  #confirm(target: Target, position: number): Match[] {
    if (target.kind === "near") {
      return confirmNear(this.#text, target.rule, { after: position + target.length, now: this.#now });
    }
    const match =
      target.kind === "own"
        ? confirmOwn(this.#text, position)
        : confirmRule(this.#text, target.rule, { start: position - target.at, now: this.#now });
    return match === null ? [] : [match];
  }

  #locate(match: Match): RawMatch {
    const { start, end, prefixLength, ...facts } = match;
    const bytes = this.#text.bytes.subarray(start, end);
    return {
      ...facts,
      ...this.#position.at(start),
      offset: this.#text.originalOffset(start),
      endOffset: this.#text.originalOffset(end - 1) + 1,
      length: end - start,
      masked: mask(Buffer.from(bytes.subarray(0, 16)).toString("latin1"), prefixLength),
      secret: Secret.fromBytes(bytes),
      identity: hash("sha256", bytes, "base64url"),
    };
  }

  /** Of what overlaps, the better stays; answers what begins before `settled` and can no longer be overlapped. */
  #settle(settled: number, final: boolean): RawMatch[] {
    const order = (left: RawMatch, right: RawMatch): number => left.offset - right.offset;
    this.#waiting.sort(order);
    const found: RawMatch[] = [];
    let taken = 0;
    for (const match of this.#waiting) {
      if (match.offset >= settled) break;
      taken += 1;
      if (this.#held !== null && match.offset < this.#held.endOffset) {
        if (isBetter(match, this.#held)) this.#held = match;
        continue;
      }
      if (this.#held !== null) found.push(this.#held);
      this.#held = match;
    }
    this.#waiting = this.#waiting.slice(taken);
    if (final && this.#held !== null) {
      found.push(this.#held);
      this.#held = null;
    }
    return found;
  }
}
