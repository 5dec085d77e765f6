import type { Secret } from "../core/secret.ts";
import { Masker, maskPatterns } from "../leak/mask.ts";

/** So many secrets are remembered; a process that hands out more masks the latest. */
const secretsMax = 100;

/** The secrets that were handed out lately, to mask them in text. They are held as they were given, in no other form. */
export class HandedOut {
  #secrets: Secret[] = [];
  #patterns: ReturnType<typeof maskPatterns> | null = null;

  /** Remembers it; answers it. */
  note(secret: Secret): Secret {
    if (secret.byteLength === 0 || this.#secrets.some((known) => known.equals(secret))) return secret;
    this.#secrets = [...this.#secrets.slice(1 - secretsMax), secret];
    this.#patterns = null;
    return secret;
  }

  /** The text with `[redacted]` in the place of each of them, in any of its forms. */
  mask(text: string): string {
    if (this.#secrets.length === 0) return text;
    this.#patterns ??= maskPatterns(this.#secrets);
    const masker = new Masker(this.#patterns);
    const parts = [masker.write(new TextEncoder().encode(text)), masker.finish()];
    return Buffer.concat(parts).toString("utf8");
  }
}
