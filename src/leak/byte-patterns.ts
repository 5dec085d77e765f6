/**
 * Finds all of many byte strings in one pass (Aho and Corasick, "Efficient string matching", 1975). A state is the longest
 * beginning of any pattern that the text read so far ends with; state 0 is none.
 */
export class BytePatterns {
  /** The first byte's state. */
  readonly #roots = new Int32Array(256);
  /** 1 where two bytes begin a pattern: most of a text is passed over by this table alone. */
  readonly #pairs = new Uint8Array(65_536);
  readonly #byte: Uint8Array;
  /** Children of a state are a list: most have one. */
  readonly #firstChild: Int32Array;
  readonly #sibling: Int32Array;
  /** Where to go on when no child fits: the next shorter beginning that the text ends with. */
  readonly #fallback: Int32Array;
  readonly #depth: Int32Array;
  readonly #longest: Int32Array;
  #size = 1;

  constructor(patterns: readonly Uint8Array[]) {
    const states = patterns.reduce((sum, pattern) => sum + pattern.length, 1);
    this.#byte = new Uint8Array(states);
    this.#firstChild = new Int32Array(states);
    this.#sibling = new Int32Array(states);
    this.#fallback = new Int32Array(states);
    this.#depth = new Int32Array(states);
    this.#longest = new Int32Array(states);
    for (const pattern of patterns) this.#insert(pattern);
    this.#link();
  }

  /** The state after one more byte. */
  next(state: number, byte: number): number {
    for (let from = state; from !== 0; from = this.#fallback[from] ?? 0) {
      const child = this.#childOf(from, byte);
      if (child !== 0) return child;
    }
    return this.#roots[byte] ?? 0;
  }

  /** Where, from `at` on, bytes stand that may begin a pattern; the text's length when none do. */
  skip(text: Uint8Array, at: number): number {
    const pairs = this.#pairs;
    const last = text.length - 1;
    let i = at;
    while (i < last && pairs[((text[i] ?? 0) << 8) | (text[i + 1] ?? 0)] === 0) i++;
    return i === last && this.#roots[text[i] ?? 0] === 0 ? text.length : i;
  }

  /** How many of the last bytes may be the beginning of a pattern. */
  depth(state: number): number {
    return this.#depth[state] ?? 0;
  }

  /** The length of the longest pattern that ends here; 0 when none does. */
  longest(state: number): number {
    return this.#longest[state] ?? 0;
  }

  #childOf(state: number, byte: number): number {
    let child = this.#firstChild[state] ?? 0;
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child] ?? 0;
    return child;
  }

  #insert(pattern: Uint8Array): void {
    let state = 0;
    for (const byte of pattern) {
      const known = state === 0 ? (this.#roots[byte] ?? 0) : this.#childOf(state, byte);
      state = known === 0 ? this.#grow(state, byte) : known;
    }
    this.#longest[state] = pattern.length;
    const [first = 0, second] = pattern;
    if (second === undefined) this.#pairs.fill(1, first << 8, (first + 1) << 8);
    else this.#pairs[(first << 8) | second] = 1;
  }

  #grow(parent: number, byte: number): number {
    const state = this.#size++;
    this.#byte[state] = byte;
    this.#depth[state] = (this.#depth[parent] ?? 0) + 1;
    if (parent === 0) this.#roots[byte] = state;
    else {
      this.#sibling[state] = this.#firstChild[parent] ?? 0;
      this.#firstChild[parent] = state;
    }
    return state;
  }

  /** Level by level: a state's fallback is always shorter, and linked before it. */
  #link(): void {
    const queue = new Int32Array(this.#size);
    let filled = 0;
    for (const root of this.#roots) if (root !== 0) queue[filled++] = root;
    for (let at = 0; at < filled; at++) {
      const state = queue[at] ?? 0;
      const fallback = this.#fallback[state] ?? 0;
      this.#longest[state] = Math.max(this.longest(state), this.longest(fallback));
      for (let child = this.#firstChild[state] ?? 0; child !== 0; child = this.#sibling[child] ?? 0) {
        this.#fallback[child] = this.next(fallback, this.#byte[child] ?? 0);
        queue[filled++] = child;
      }
    }
  }
}
