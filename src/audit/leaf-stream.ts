import { KeyctlError } from "../core/errors.ts";
import { hashLength, TreeHasher } from "./merkle.ts";
import type { TreeHead } from "./merkle.ts";

const newline = 0x0a;

/** Walks `leaves.bin` once, building its tree, and answers single leaves on the way. */
export class LeafStream {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #remembered: TreeHead | null;
  readonly #tree = new TreeHasher();
  #bytes: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** `remembered` is a head that the leaves must pass through, where they reach that far. */
  constructor(content: AsyncIterable<Uint8Array>, remembered: TreeHead | null) {
    this.#chunks = content[Symbol.asyncIterator]();
    this.#remembered = remembered;
    this.#comparePast();
  }

  /** The leaf at `seq`, which must be past the ones asked for before; null when there are not so many. */
  async at(seq: number): Promise<Uint8Array | null> {
    let leaf: Uint8Array | null = null;
    while (this.#tree.size <= seq) {
      leaf = this.#take();
      if (leaf === null && !(await this.#fill())) return null;
    }
    return leaf;
  }

  /** Reads the rest; size and root of it all. Throws `integrity` when the last leaf is cut off. */
  async finish(): Promise<TreeHead> {
    while ((await this.at(Number.MAX_SAFE_INTEGER - 1)) !== null);
    if (this.#offset < this.#bytes.length)
      throw new KeyctlError("integrity", "leaves.bin is cut off in a leaf");
    return { size: this.#tree.size, root: this.#tree.root() };
  }

  #take(): Uint8Array | null {
    const end = this.#offset + hashLength;
    if (end > this.#bytes.length) return null;
    const leaf = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    this.#tree.append(leaf);
    this.#comparePast();
    return leaf;
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#offset), value]);
    this.#offset = 0;
    return true;
  }

  #comparePast(): void {
    if (this.#remembered?.size !== this.#tree.size) return;
    if (Buffer.compare(this.#tree.root(), this.#remembered.root) !== 0) {
      throw new KeyctlError(
        "integrity",
        `the log was another one when it had ${this.#tree.size} entries: it does not continue what was seen before`,
      );
    }
  }
}

/** Lines without their newline. Throws `integrity` for a line over `bytesMax` and for a last line without its newline. */
export async function* splitLines(
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of content) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if (end - start > bytesMax) throw tooLong();
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > bytesMax) throw tooLong();
  }
  if (rest.length > 0) throw new KeyctlError("integrity", "the last line is cut off");
}

/** All of a small file; null when it has more than `bytesMax`. */
export async function readAll(
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(): KeyctlError {
  return new KeyctlError("integrity", "a line is longer than such a line can be");
}
