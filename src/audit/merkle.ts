import { hash } from "node:crypto";
import { KeyctlError } from "../core/errors.ts";

/**
 * The Merkle tree of RFC 9162 §2.1: `leaf = SHA-256(00 ‖ bytes)`, `node = SHA-256(01 ‖ left ‖ right)`. A tree of any size
 * is kept as its compact range: the roots of the full subtrees it consists of, largest first, one per bit set in its size.
 */

/** Bytes of every hash here. */
export const hashLength = 32;

/** Subtrees of a tree whose size is a safe integer. */
const subtreesMax = 53;
const frontierMagic = "KAF1";
const frontierHeader = frontierMagic.length + 8;

/** A tree's size and root. */
export interface TreeHead {
  size: number;
  /** 32 bytes */
  root: Uint8Array;
}

/** What must be kept of a tree to append to it: its size and the roots of its full subtrees, largest first. */
export interface Frontier {
  size: number;
  nodes: readonly Uint8Array[];
}

export const emptyFrontier: Frontier = { size: 0, nodes: [] };

// The one-shot hash is three times as fast when it answers a string as when it allocates a buffer for each answer.
const leafInput = Buffer.alloc(1 + 65_536, 0);
// Entries are alike: the views of `leafInput` by length are made once.
const leafViews: (Uint8Array | undefined)[] = [];
const leafViewsMax = 4_096;
const nodeInput = Buffer.alloc(1 + 2 * hashLength, 1);

function sha256Into(input: Uint8Array, target: Buffer, offset: number): void {
  target.write(hash("sha256", input, "binary"), offset, hashLength, "latin1");
}

/** Writes the leaf hash of an entry to `target` at `offset`; nothing is allocated. */
export function leafHashInto(bytes: Uint8Array, target: Buffer, offset: number): void {
  if (bytes.length < leafInput.length) {
    leafInput.set(bytes, 1);
    sha256Into(leafView(bytes.length), target, offset);
    return;
  }
  sha256Into(Buffer.concat([Buffer.of(0), bytes]), target, offset);
}

function leafView(length: number): Uint8Array {
  if (length >= leafViewsMax) return leafInput.subarray(0, 1 + length);
  return (leafViews[length] ??= leafInput.subarray(0, 1 + length));
}

/** `SHA-256(00 ‖ bytes)` */
export function leafHash(bytes: Uint8Array): Uint8Array {
  const leaf = Buffer.allocUnsafeSlow(hashLength);
  leafHashInto(bytes, leaf, 0);
  return leaf;
}

/** `SHA-256(01 ‖ left ‖ right)` */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashLength);
  const node = Buffer.allocUnsafeSlow(hashLength);
  sha256Into(nodeInput, node, 0);
  return node;
}

/** The root of the empty tree: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return hash("sha256", new Uint8Array(0), "buffer");
}

/** Builds a tree from a stream of leaves in constant memory. */
export class TreeHasher {
  readonly #stack = Buffer.alloc((subtreesMax + 1) * hashLength);
  #count = 0;
  #size = 0;

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next leaf, 32 bytes. */
  append(leaf: Uint8Array): void {
    assertHash(leaf);
    this.#stack.set(leaf, this.#count * hashLength);
    this.#count += 1;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) this.#merge();
    this.#size += 1;
  }

  /** The root of the leaves so far; more may follow. */
  root(): Uint8Array {
    return frontierRoot(this.frontier());
  }

  frontier(): Frontier {
    const nodes = Array.from({ length: this.#count }, (_, place) =>
      Uint8Array.from(this.#stack.subarray(place * hashLength, (place + 1) * hashLength)),
    );
    return { size: this.#size, nodes };
  }

  /** The two top subtrees lie side by side, as the node's hash wants them. */
  #merge(): void {
    const left = (this.#count - 2) * hashLength;
    this.#stack.copy(nodeInput, 1, left, left + 2 * hashLength);
    sha256Into(nodeInput, this.#stack, left);
    this.#count -= 1;
  }
}

/** The tree with one more leaf, 32 bytes; at most log2(size) hashes. */
export function appendLeaf(frontier: Frontier, leaf: Uint8Array): Frontier {
  assertHash(leaf);
  const nodes = [...frontier.nodes];
  let node = leaf;
  for (let rest = frontier.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = nodes.pop();
    if (left === undefined) throw notAFrontier();
    node = nodeHash(left, node);
  }
  return { size: frontier.size + 1, nodes: [...nodes, node] };
}

/** The root, 32 bytes; of the empty tree too. */
export function frontierRoot(frontier: Frontier): Uint8Array {
  return frontier.nodes.length === 0
    ? emptyRoot()
    : frontier.nodes.reduceRight((right, left) => nodeHash(left, right));
}

/** `KAF1`, size as u64 BE, then the nodes, largest subtree first. The empty tree is the empty array. */
export function formatFrontier(frontier: Frontier): Uint8Array {
  if (frontier.size === 0) return new Uint8Array(0);
  const bytes = Buffer.alloc(frontierHeader + frontier.nodes.length * hashLength);
  bytes.write(frontierMagic, "latin1");
  bytes.writeBigUInt64BE(BigInt(frontier.size), frontierMagic.length);
  frontier.nodes.forEach((node, place) => {
    bytes.set(node, frontierHeader + place * hashLength);
  });
  return bytes;
}

/** Reads what `formatFrontier` wrote; throws `integrity` for anything else. */
export function parseFrontier(bytes: Uint8Array): Frontier {
  if (bytes.length === 0) return emptyFrontier;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    buffer.length < frontierHeader ||
    buffer.toString("latin1", 0, frontierMagic.length) !== frontierMagic
  ) {
    throw notAFrontier();
  }
  const size = Number(buffer.readBigUInt64BE(frontierMagic.length));
  if (size === 0 || !Number.isSafeInteger(size)) throw notAFrontier();
  const count = onesOf(size);
  if (buffer.length !== frontierHeader + count * hashLength) throw notAFrontier();
  const nodes = Array.from({ length: count }, (_, place) => {
    const start = frontierHeader + place * hashLength;
    return buffer.subarray(start, start + hashLength);
  });
  return { size, nodes };
}

/** What the store needs to keep a log's tree: `AuditTree` of the ports. */
export const auditTree = {
  leafHash,
  append: (frontier: Uint8Array, leaf: Uint8Array): Uint8Array =>
    formatFrontier(appendLeaf(parseFrontier(frontier), leaf)),
};

function onesOf(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

function assertHash(leaf: Uint8Array): void {
  if (leaf.length !== hashLength) {
    throw new KeyctlError(
      "integrity",
      `a leaf of the audit tree has ${leaf.length} bytes, not ${hashLength}`,
    );
  }
}

function notAFrontier(): KeyctlError {
  return new KeyctlError("integrity", "the audit log's stored tree cannot be read", {
    hint: "keyctl audit-verify",
  });
}
