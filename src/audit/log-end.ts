import { appendLeaf, frontierRoot, leafHash } from "./merkle.ts";
import type { Frontier, TreeHead } from "./merkle.ts";

/** A head that the log must agree with, and what it is called when it does not. */
export interface KnownHead extends TreeHead {
  name: string;
}

/**
 * Checks the newest entries of a log against their stored leaves, those since the last large subtree against the stored tree
 * too, and every known head that lies among these. What stands before is taken as it is: only a reading of the whole log
 * tells more.
 */
export class LogEndVerifier {
  /** The first entry to be read. */
  readonly from: number;
  readonly #end: Frontier;
  readonly #heads: readonly KnownHead[];
  #tree: Frontier;
  #nextSeq: number;
  #problem: string | null = null;

  /** `end` is the log's stored tree; so many of its newest entries are read, or all where it has fewer. */
  constructor(end: Frontier, expected: { heads: readonly KnownHead[]; entries: number }) {
    this.#end = end;
    this.#heads = expected.heads;
    this.#tree = largestSubtrees(end, expected.entries);
    this.from = Math.max(0, end.size - expected.entries);
    this.#nextSeq = this.from;
    for (const { name, size } of this.#heads) {
      if (size > end.size) this.#blame(`the log has ${end.size} entries, and ${name} was of ${size}`);
    }
    this.#compareHeads();
  }

  /** The next entry, with the leaf that was stored beside it. False once something is wrong. */
  add(seq: number, bytes: Uint8Array, storedLeaf: Uint8Array): boolean {
    if (seq !== this.#nextSeq) this.#blame(`entry ${this.#nextSeq} is missing`);
    this.#nextSeq = seq + 1;
    const leaf = leafHash(bytes);
    if (Buffer.compare(leaf, storedLeaf) !== 0)
      this.#blame(`entry ${seq} is not what was appended: its leaf differs`);
    if (this.#problem === null && seq === this.#tree.size) {
      this.#tree = appendLeaf(this.#tree, leaf);
      this.#compareHeads();
    }
    return this.#problem === null;
  }

  /** What is wrong, in one sentence; null when all that was looked at agrees. */
  finish(): string | null {
    const { size } = this.#end;
    if (this.#nextSeq !== size) this.#blame(`entry ${this.#nextSeq} is missing, and the log has ${size}`);
    if (Buffer.compare(frontierRoot(this.#tree), frontierRoot(this.#end)) !== 0)
      this.#blame(`an entry from ${this.from} on was changed: the log's root is another one`);
    return this.#problem;
  }

  #compareHeads(): void {
    for (const { name, size, root } of this.#heads) {
      if (size === this.#tree.size && Buffer.compare(root, frontierRoot(this.#tree)) !== 0)
        this.#blame(`an entry before ${size} was changed: the root is not that of ${name}`);
    }
  }

  #blame(problem: string): void {
    this.#problem ??= problem;
  }
}

/** The tree's largest subtrees, as few as leave no more than so many entries after them. */
function largestSubtrees(tree: Frontier, entriesMax: number): Frontier {
  let [rest, count] = [tree.size, 0];
  while (rest > entriesMax) {
    rest -= 2 ** Math.floor(Math.log2(rest));
    count += 1;
  }
  return { size: tree.size - rest, nodes: tree.nodes.slice(0, count) };
}
