/** Longer control sequences than this are text: real ones stay under 40 bytes. Also the most that `append` keeps back. */
export const controlBytesMax = 64;
const escape = 0x1b;
const space = 0x20;

/**
 * Log text with what a terminal does not show taken out, and the way back to the original bytes.
 *
 * Taken out: colour, cursor and mode codes (ECMA-48 CSI `ESC [ … final`, charset and two-byte codes), zero-width and bidirectional
 * marks, soft hyphens, byte-order marks. The opening and closing of a hyperlink or title (`ESC ]`, `ESC \`) become one space each,
 * so that the address inside is read too and is glued to nothing. A lone carriage return stays: it ends a token, and what a
 * progress line overwrote is read as well. What is no whole sequence stays as it is.
 *
 * The result does not depend on how the input was cut into chunks.
 */
export class CleanText {
  readonly bytes: Uint8Array;
  /** How many of `bytes` are filled. */
  length = 0;
  /** The original offset that index 0 would have had without what was taken out after it. */
  #base = 0;
  #tail: Uint8Array = new Uint8Array(0);
  readonly #view: Buffer;
  /** Seams: before which index something was taken out, and how much up to there, in bytes and in characters. */
  #seamAt: number[] = [];
  #seamBytes: number[] = [];
  #seamCharacters: number[] = [];

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = Buffer.from(this.bytes.buffer);
  }

  /** Forgets everything, for the next file. */
  reset(): void {
    this.length = 0;
    this.#base = 0;
    this.#tail = new Uint8Array(0);
    this.#seamAt = [];
    this.#seamBytes = [];
    this.#seamCharacters = [];
  }

  /** How many bytes `append` can take now. */
  get room(): number {
    return this.bytes.length - this.length - this.#tail.length;
  }

  /** Adds original bytes, at most `room`. A sequence that is cut by the end waits for the next call. */
  append(chunk: Uint8Array): void {
    this.#take(chunk, false);
  }

  /** No more will come: a sequence that is still open is text. */
  finish(): void {
    this.#take(new Uint8Array(0), true);
  }

  /** The original offset of the byte at `index`. */
  originalOffset(index: number): number {
    const seam = this.#lastSeam(index);
    return this.#base + index + (seam < 0 ? 0 : (this.#seamBytes[seam] ?? 0));
  }

  /** True when something was taken out directly before `index`: a token may begin or end there. */
  isSeam(index: number): boolean {
    const seam = this.#lastSeam(index);
    return seam >= 0 && this.#seamAt[seam] === index;
  }

  /** Characters taken out before `index` and at it, counted from index 0. */
  removedCharacters(index: number): number {
    const seam = this.#lastSeam(index);
    return seam < 0 ? 0 : (this.#seamCharacters[seam] ?? 0);
  }

  /** The index of the next line feed at or after `from`, or -1. */
  nextLineFeed(from: number): number {
    const found = this.#view.indexOf(0x0a, from);
    return found >= this.length ? -1 : found;
  }

  /** Forgets the first `count` bytes; every index shrinks by as much. */
  drop(count: number): void {
    const passed = this.#lastSeam(count) + 1;
    const bytes = passed === 0 ? 0 : (this.#seamBytes[passed - 1] ?? 0);
    const characters = passed === 0 ? 0 : (this.#seamCharacters[passed - 1] ?? 0);
    this.#base += count + bytes;
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
    this.#seamAt = this.#seamAt.slice(passed).map((at) => at - count);
    this.#seamBytes = this.#seamBytes.slice(passed).map((sum) => sum - bytes);
    this.#seamCharacters = this.#seamCharacters.slice(passed).map((sum) => sum - characters);
  }

  #take(chunk: Uint8Array, final: boolean): void {
    const joined = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = new Uint8Array(0);
    const input = Buffer.from(joined.buffer, joined.byteOffset, joined.byteLength);
    const leads = new Leads(input);
    let at = 0;
    while (at < input.length) {
      const next = leads.next(at);
      if (next > at) this.#copy(input.subarray(at, next));
      at = next;
      if (at >= input.length) break;
      const length = sequenceLength(input, at);
      if (length === incomplete && !final) {
        this.#tail = Uint8Array.from(input.subarray(at));
        return;
      }
      if (length <= 0) this.#copy(input.subarray(at, at + 1));
      else this.#remove(input, at, length);
      at += Math.max(1, length);
    }
  }

  #copy(part: Uint8Array): void {
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  #remove(input: Uint8Array, at: number, length: number): void {
    const spaced = length === 2 && input[at] === escape && isStringMark(input[at + 1] ?? 0);
    if (spaced) {
      this.bytes[this.length] = space;
      this.length += 1;
    }
    const characters = (input[at] === escape ? length : 1) - (spaced ? 1 : 0);
    const last = this.#seamAt.length - 1;
    const bytes = (this.#seamBytes[last] ?? 0) + length - (spaced ? 1 : 0);
    const sum = (this.#seamCharacters[last] ?? 0) + characters;
    if (this.#seamAt[last] === this.length) {
      this.#seamBytes[last] = bytes;
      this.#seamCharacters[last] = sum;
      return;
    }
    this.#seamAt.push(this.length);
    this.#seamBytes.push(bytes);
    this.#seamCharacters.push(sum);
  }

  /** The last seam at or before `index`, or -1. */
  #lastSeam(index: number): number {
    let low = 0;
    let high = this.#seamAt.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seamAt[middle] ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Finds the next byte that can begin something to take out. One `memchr` per lead byte passes plain ASCII at memory speed. */
class Leads {
  readonly #input: Buffer;
  readonly #at: number[];

  constructor(input: Buffer) {
    this.#input = input;
    this.#at = leadBytes.map(() => -1);
  }

  next(from: number): number {
    let nearest = this.#input.length;
    for (const [index, lead] of leadBytes.entries()) {
      let at = this.#at[index] ?? -1;
      if (at < from) {
        const found = this.#input.indexOf(lead, from);
        at = found < 0 ? this.#input.length : found;
        this.#at[index] = at;
      }
      if (at < nearest) nearest = at;
    }
    return nearest;
  }
}

/** ESC, and the first UTF-8 bytes of U+00AD, of U+200B to U+206F, and of U+FEFF. */
const leadBytes = [escape, 0xc2, 0xe2, 0xef];
const incomplete = -1;

/** Bytes to take out at `at`: 0 for none, -1 when only more input can tell. */
function sequenceLength(input: Uint8Array, at: number): number {
  const lead = input[at] ?? 0;
  const second = input[at + 1];
  if (second === undefined) return incomplete;
  if (lead === escape) return escapeLength(input, at, second);
  if (lead === 0xc2) return second === 0xad ? 2 : 0;
  if (lead === 0xef ? second !== 0xbb : second !== 0x80 && second !== 0x81) return 0;
  const third = input[at + 2];
  if (third === undefined) return incomplete;
  if (lead === 0xef) return third === 0xbf ? 3 : 0;
  return isInvisible(second, third) ? 3 : 0;
}

/** U+200B–U+200F, U+202A–U+202E, U+2060–U+206F: zero-width and bidirectional marks (Unicode "default ignorable"). */
function isInvisible(second: number, third: number): boolean {
  if (second === 0x81) return third >= 0xa0 && third <= 0xaf;
  return (third >= 0x8b && third <= 0x8f) || (third >= 0xaa && third <= 0xae);
}

function escapeLength(input: Uint8Array, at: number, second: number): number {
  if (second === 0x5b) return controlLength(input, at);
  if (isStringMark(second)) return 2;
  if (second >= 0x20 && second <= 0x2f) {
    const third = input[at + 2];
    if (third === undefined) return incomplete;
    return third >= 0x30 && third <= 0x7e ? 3 : 0;
  }
  return twoByteCodes.includes(second) ? 2 : 0;
}

/** Save, restore, keypad, index, tab set, reset and the like: `ESC` and one of these. */
const twoByteCodes = Buffer.from("78=>cDEHMNOZ");

/** ECMA-48: OSC `]`, DCS `P`, SOS `X`, PM `^`, APC `_` open a string, ST `\` closes it. */
function isStringMark(byte: number): boolean {
  return byte === 0x5d || byte === 0x5c || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f;
}

/** `ESC [`, parameter and intermediate bytes (0x20–0x3f), one final byte (0x40–0x7e). */
function controlLength(input: Uint8Array, at: number): number {
  for (let index = at + 2; index < at + controlBytesMax; index += 1) {
    const byte = input[index];
    if (byte === undefined) return incomplete;
    if (byte >= 0x40 && byte <= 0x7e) return index - at + 1;
    if (byte < 0x20 || byte > 0x3f) return 0;
  }
  return 0;
}
