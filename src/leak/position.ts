import type { CleanText } from "./normalise.ts";

/** A place in the original file as an editor shows it. */
export interface Position {
  /** 1 for the first; a line ends with a line feed, a lone carriage return ends none. */
  line: number;
  /** 1 for the first; in Unicode characters of the original, colour codes and invisible characters included. */
  column: number;
}

/** Turns indices of the clean text into lines and columns. Asked in rising order it looks at each byte once. */
export class PositionTracker {
  readonly #text: CleanText;
  /** Line of index 0, and how many characters of it stand before index 0. */
  #line = 1;
  #before = 0;
  /** A line start that was already found: the greatest one asked for. */
  #known = { index: 0, line: 1 };

  constructor(text: CleanText) {
    this.#text = text;
  }

  /** Back to the beginning of a file. */
  reset(): void {
    this.#line = 1;
    this.#before = 0;
    this.#known = { index: 0, line: 1 };
  }

  /** Where the byte at `index` stands. */
  at(index: number): Position {
    const start = this.#lineStart(index);
    return { line: start.line, column: this.#characters(start.index, index) + 1 };
  }

  /** Tells that the first `count` bytes are about to be dropped from the text. */
  drop(count: number): void {
    const start = this.#lineStart(count);
    const before = this.#characters(start.index, count);
    this.#line = start.line;
    this.#before = before;
    this.#known = { index: 0, line: start.line };
  }

  #lineStart(index: number): { index: number; line: number } {
    let start = this.#known.index <= index ? this.#known : { index: 0, line: this.#line };
    for (;;) {
      const feed = this.#text.nextLineFeed(start.index);
      if (feed < 0 || feed >= index) break;
      start = { index: feed + 1, line: start.line + 1 };
    }
    this.#known = start;
    return start;
  }

  /** Characters of the original between a line's start and `index`; every UTF-8 byte but a continuation begins one. */
  #characters(start: number, index: number): number {
    let count = start === 0 ? this.#before : 0;
    for (let at = start; at < index; at += 1) {
      if (((this.#text.bytes[at] ?? 0) & 0xc0) !== 0x80) count += 1;
    }
    const removed = start === 0 ? 0 : this.#text.removedCharacters(start - 1);
    return count + this.#text.removedCharacters(index) - removed;
  }
}
