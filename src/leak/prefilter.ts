/** A literal to look for. */
export interface Keyword {
  literal: string;
  /** Letters match in either case; the literal itself is lower case then. */
  ignoreCase: boolean;
  /** Another byte that must stand at this distance from the literal's start; for literals too short to mean anything alone. */
  also?: { at: number; byte: number };
}

/** Where keywords begin; both lists are valid up to `count`, and until the next scan. */
export interface Candidates {
  count: number;
  positions: Int32Array;
  /** Indices into the keywords that the prefilter was made with. */
  keywords: Uint16Array;
}

/**
 * The first, fast look at the text: it decides the scanner's speed, so a later implementation may be of another kind. It
 * must find every keyword, and nothing else.
 */
export interface Prefilter {
  /** Every keyword that begins in `[from, to)`; it may end after `to`. In no promised order. */
  scan(bytes: Uint8Array, from: number, to: number): Candidates;
}

/** Positions that are looked at in one go: their list stays in the processor's cache. */
const sliceLength = 32_768;
const tripleBits = 15;

/**
 * The plain TypeScript prefilter, three sieves in a row: a table of all byte pairs says where a keyword's rarest pair stands, a
 * hashed table of byte triples thins that list, and only the rest is compared. The first two write every position and advance the
 * list by 0 or 1 instead of branching, because a mispredicted branch costs more than a store.
 */
export class PairPrefilter implements Prefilter {
  readonly #sieve: Sieve = {
    pairs: new Uint8Array(65_536),
    triples: new Uint8Array(1 << tripleBits),
    partnerAt: new Uint8Array(256),
    partner: new Int16Array(256).fill(-1),
    list: new Int32Array(sliceLength + 1),
  };
  /** By pair: one more than the first keyword whose rarest pair it is; the others follow as a chain, 0 ends it. */
  readonly #first = new Uint16Array(65_536);
  readonly #links: { keyword: CompiledKeyword; id: number; next: number }[] = [];
  readonly #offsetMax: number;
  #found: Candidates = { count: 0, positions: new Int32Array(1024), keywords: new Uint16Array(1024) };

  constructor(keywords: readonly Keyword[]) {
    const compiled = keywords.map(compile);
    this.#offsetMax = Math.max(0, ...compiled.map((keyword) => keyword.pairAt));
    for (const [id, keyword] of compiled.entries()) {
      markTriples(keyword, this.#sieve);
      for (const pair of keyword.pairs) {
        this.#sieve.pairs[pair] = 1;
        this.#links.push({ keyword, id, next: this.#first[pair] ?? 0 });
        this.#first[pair] = this.#links.length;
      }
    }
  }

  scan(bytes: Uint8Array, from: number, to: number): Candidates {
    this.#found.count = 0;
    const range = { from, to };
    const end = Math.min(bytes.length - 1, to + this.#offsetMax);
    for (let start = from; start < end; start += sliceLength) {
      const listed = listPairs(bytes, {
        start,
        stop: Math.min(end, start + sliceLength),
        sieve: this.#sieve,
      });
      const count = thinByTriples(bytes, listed, this.#sieve);
      for (let index = 0; index < count; index += 1) this.#verify(bytes, this.#sieve.list[index] ?? 0, range);
    }
    return this.#found;
  }

  #verify(bytes: Uint8Array, at: number, range: { from: number; to: number }): void {
    let link = this.#links[(this.#first[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0) - 1];
    while (link !== undefined) {
      const position = at - link.keyword.pairAt;
      const inside = position >= range.from && position < range.to;
      if (inside && stands(bytes, position, link.keyword)) this.#add(position, link.id);
      link = this.#links[link.next - 1];
    }
  }

  #add(position: number, id: number): void {
    const found = this.#found;
    if (found.count === found.positions.length) {
      const positions = new Int32Array(found.count * 2);
      const keywords = new Uint16Array(found.count * 2);
      positions.set(found.positions);
      keywords.set(found.keywords);
      this.#found = { count: found.count, positions, keywords };
    }
    this.#found.positions[this.#found.count] = position;
    this.#found.keywords[this.#found.count] = id;
    this.#found.count += 1;
  }
}

interface Sieve {
  /** 1 for a pair (first byte low) that some keyword is looked for by. */
  pairs: Uint8Array;
  /** 1 for the hash of a triple that begins with such a pair, letters in lower case. */
  triples: Uint8Array;
  /** Of a keyword of one byte, by that byte: how far off its partner stands, and which it is; -1 for none. */
  partnerAt: Uint8Array;
  partner: Int16Array;
  /** Positions, as far as the sieve has come. */
  list: Int32Array;
}

interface CompiledKeyword {
  lower: Uint8Array;
  upper: Uint8Array;
  /** Where in the literal its rarest pair stands. */
  pairAt: number;
  pairs: number[];
  also: { at: number; byte: number } | null;
}

/** Lists the positions in `[start, stop)` whose byte pair is marked; answers how many. `stop` is below the last index. */
function listPairs(bytes: Uint8Array, work: { start: number; stop: number; sieve: Sieve }): number {
  const { start, stop } = work;
  const { pairs, list } = work.sieve;
  let count = 0;
  // The casts keep an undefined check out of the hottest loop: every index is below the array's length.
  let current = bytes[start] as number;
  for (let at = start; at < stop; at += 1) {
    const next = bytes[at + 1] as number;
    list[count] = at;
    count = (count + (pairs[current | (next << 8)] as number)) | 0;
    current = next;
  }
  return count;
}

/** Keeps the listed positions whose triple is marked, or whose partner stands in its place; answers how many. */
function thinByTriples(bytes: Uint8Array, listed: number, sieve: Sieve): number {
  const { triples, partner, partnerAt, list } = sieve;
  let count = 0;
  for (let index = 0; index < listed; index += 1) {
    const at = list[index] as number;
    const first = bytes[at] as number;
    const hash = tripleHash(first, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0);
    const paired = bytes[at + (partnerAt[first] as number)] === partner[first];
    list[count] = at;
    count = (count + ((triples[hash] as number) | Number(paired))) | 0;
  }
  return count;
}

function tripleHash(first: number, second: number, third: number): number {
  return Math.imul(first | (second << 8) | (third << 16) | 0x202020, 0x9e3779b1) >>> (32 - tripleBits);
}

function markTriples(keyword: CompiledKeyword, sieve: Sieve): void {
  const { lower, pairAt, also } = keyword;
  const first = lower[pairAt] ?? 0;
  if (lower.length === 1) {
    sieve.partnerAt[first] = also?.at ?? 0;
    sieve.partner[first] = also?.byte ?? first;
    return;
  }
  const third = lower[pairAt + 2];
  const thirds = third === undefined ? Array.from({ length: 256 }, (_, byte) => byte) : [third];
  for (const byte of thirds) sieve.triples[tripleHash(first, lower[pairAt + 1] ?? 0, byte)] = 1;
}

function stands(bytes: Uint8Array, position: number, keyword: CompiledKeyword): boolean {
  const { lower, upper, also } = keyword;
  for (let index = 0; index < lower.length; index += 1) {
    const byte = bytes[position + index];
    if (byte !== lower[index] && byte !== upper[index]) return false;
  }
  return also === null || bytes[position + also.at] === also.byte;
}

function compile(keyword: Keyword): CompiledKeyword {
  const lower = Buffer.from(keyword.literal, "latin1");
  const upper = keyword.ignoreCase ? Buffer.from(keyword.literal.toUpperCase(), "latin1") : lower;
  const also = keyword.also ?? null;
  if (lower.length === 1) {
    const pairs = Array.from({ length: 256 }, (_, second) => (lower[0] ?? 0) | (second << 8));
    return { lower, upper, pairAt: 0, pairs, also };
  }
  let pairAt = 0;
  // The pair that is rarest in logs, with a third byte after it where there is one.
  for (let at = 1; at + 2 < lower.length; at += 1) {
    if (commonness(lower, at) < commonness(lower, pairAt)) pairAt = at;
  }
  const pairs = new Set<number>();
  for (const first of [lower[pairAt] ?? 0, upper[pairAt] ?? 0]) {
    for (const second of [lower[pairAt + 1] ?? 0, upper[pairAt + 1] ?? 0]) pairs.add(first | (second << 8));
  }
  return { lower, upper, pairAt, pairs: [...pairs], also };
}

/** How rare a pair is, letters, digits and punctuation taken from what logs are made of; the product ranks pairs. */
function commonness(bytes: Uint8Array, at: number): number {
  return frequency(bytes[at] ?? 0) * frequency(bytes[at + 1] ?? 0);
}

function frequency(byte: number): number {
  const rank = "etaoinsrlcdpmuhgfbyvwkxzjq".indexOf(String.fromCharCode(byte));
  if (rank >= 0) return 70 - rank * 2.6;
  if (byte >= 0x30 && byte <= 0x39) return 25;
  if (byte >= 0x41 && byte <= 0x5a) return 6;
  return byte === 0x20 || byte === 0x2e || byte === 0x2d ? 20 : 4;
}
