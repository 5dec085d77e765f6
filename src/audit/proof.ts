import { KeyctlError } from "../core/errors.ts";
import { hashLength, nodeHash, TreeHasher } from "./merkle.ts";

/** Answers the leaf hash at an index; asked for each index at most once, in ascending runs. */
export type LeafReader = (index: number) => Uint8Array;

/** Says that a leaf stands at an index of a tree. */
export interface InclusionClaim {
  index: number;
  size: number;
  leaf: Uint8Array;
  root: Uint8Array;
}

/** Says that the tree of `size2` begins with the tree of `size1`. */
export interface ConsistencyClaim {
  size1: number;
  root1: Uint8Array;
  size2: number;
  root2: Uint8Array;
}

/** PATH(index, D[size]) of RFC 9162 §2.1.3.1, nearest node first. Throws `usage` for an index outside the tree. */
export function inclusionProof(index: number, size: number, leafAt: LeafReader): Uint8Array[] {
  assertSize(size);
  if (!isCount(index) || index >= size) throw outside();
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      proof.push(subtreeRoot(middle, end, leafAt));
      end = middle;
    } else {
      proof.push(subtreeRoot(start, middle, leafAt));
      start = middle;
    }
  }
  return proof.toReversed();
}

/** PROOF(size1, D[size2]) of RFC 9162 §2.1.4.1, 0 < size1 ≤ size2; throws `usage` outside that. */
export function consistencyProof(size1: number, size2: number, leafAt: LeafReader): Uint8Array[] {
  assertSize(size1);
  assertSize(size2);
  if (size1 === 0 || size1 > size2) throw outside();
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size2];
  while (end !== size1) {
    const middle = start + splitOf(end - start);
    if (size1 <= middle) {
      proof.push(subtreeRoot(middle, end, leafAt));
      end = middle;
    } else {
      proof.push(subtreeRoot(start, middle, leafAt));
      start = middle;
    }
  }
  // The verifier knows the old tree's root; only when the last subtree is not that whole tree must it be told.
  if (start !== 0) proof.push(subtreeRoot(start, end, leafAt));
  return proof.toReversed();
}

/** RFC 9162 §2.1.3.2. False for anything that does not prove the claim. */
export function verifyInclusion(claim: InclusionClaim, proof: readonly Uint8Array[]): boolean {
  const { index, size } = claim;
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (![claim.leaf, claim.root, ...proof].every(isHash)) return false;
  let [place, last] = [index, size - 1];
  let node = claim.leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      node = nodeHash(sibling, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      node = nodeHash(node, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && same(node, claim.root);
}

/** RFC 9162 §2.1.4.2. False for anything that does not prove the claim; from the empty tree nothing can be proved. */
export function verifyConsistency(claim: ConsistencyClaim, proof: readonly Uint8Array[]): boolean {
  const { size1, size2, root1, root2 } = claim;
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2) return false;
  if (![root1, root2, ...proof].every(isHash)) return false;
  if (size1 === size2) return proof.length === 0 && same(root1, root2);
  const path = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  const first = path[0];
  if (first === undefined || proof.length === 0) return false;
  let [place, last] = [size1 - 1, size2 - 1];
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  let [older, newer] = [first, first];
  for (const node of path.slice(1)) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      older = nodeHash(node, older);
      newer = nodeHash(node, newer);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      newer = nodeHash(newer, node);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && same(older, root1) && same(newer, root2);
}

function subtreeRoot(start: number, end: number, leafAt: LeafReader): Uint8Array {
  const tree = new TreeHasher();
  for (let index = start; index < end; index += 1) tree.append(leafAt(index));
  return tree.root();
}

/** The largest power of two smaller than `size`. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(size: number): boolean {
  return size === 1 || splitOf(size) * 2 === size;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: Uint8Array): boolean {
  return value.length === hashLength;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function assertSize(size: number): void {
  if (!isCount(size)) throw outside();
}

function outside(): KeyctlError {
  return new KeyctlError("usage", "a proof was asked for a place outside the tree");
}
