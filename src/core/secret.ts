import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

const redacted = "[redacted]";

/**
 * Plaintext that must not be seen. However JavaScript prints it (string, JSON, template, `util.inspect`, error text) it
 * says `[redacted]`; the bytes come out only through `reveal()`, whose call sites a test counts.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes a copy: the caller may wipe its own buffer. */
  static fromBytes(bytes: Uint8Array): Secret {
    return new Secret(Uint8Array.from(bytes));
  }

  static fromUtf8(text: string): Secret {
    return new Secret(new TextEncoder().encode(text));
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** The plaintext bytes themselves (not a copy). Each call site is a decision that a test lists. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** Compares in constant time for equal lengths. */
  equals(other: Secret): boolean {
    return this.#bytes.length === other.#bytes.length && timingSafeEqual(this.#bytes, other.#bytes);
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
