import { KeyctlError } from "../core/errors.ts";

/** What is being worked at, so that an end waits for it. */
export class Underway {
  #count = 0;
  #isEmpty: (() => void) | null = null;
  #ending: Promise<void> | null = null;

  /** Does the work unless the end has come: then `usage`. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ending !== null) {
      throw new KeyctlError("usage", "the keyring is closed", { hint: "openKeyring opens another" });
    }
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#isEmpty?.();
    }
  }

  /** Lets nothing begin any more, waits for what has begun, and then does the last work, once. */
  async end(last: () => Promise<void>): Promise<void> {
    this.#ending ??= this.#empty().then(last);
    await this.#ending;
  }

  async #empty(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((isEmpty) => {
      this.#isEmpty = isEmpty;
    });
  }
}
