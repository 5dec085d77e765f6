import type { Secret } from "../core/secret.ts";
import { Masker, maskPatterns } from "../leak/mask.ts";

/** So many secrets are remembered, of so many bytes together; a process that hands out more masks the latest. */
const secretsMax = 100;
/** To look for a byte in all its forms takes about a kilobyte of memory. */
const bytesMax = 65_536;
/** Of what is shorter, letters and numbers, every text is full. */
const bytesMin = 8;

/** The secrets that were handed out lately, to mask them in text. They are held as they were given, in no other form. */
export class HandedOut {
  #secrets: Secret[] = [];
  #patterns: ReturnType<typeof maskPatterns> | null = null;

  /** Remembers it; answers it. */
  note(secret: Secret): Secret {
    const { byteLength } = secret;
    if (byteLength < bytesMin || byteLength > bytesMax) return secret;
    if (this.#secrets.some((known) => known.equals(secret))) return secret;
    const secrets = [...this.#secrets.slice(1 - secretsMax), secret];
    let bytes = secrets.reduce((sum, each) => sum + each.byteLength, 0);
    while (bytes > bytesMax) bytes -= secrets.shift()?.byteLength ?? 0;
    this.#secrets = secrets;
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
