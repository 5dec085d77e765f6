import type { Secret } from "./secret.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The plaintext as text, character by character what its bytes say; null when they are not UTF-8. */
export function secretText(secret: Secret): string | null {
  try {
    return strictUtf8.decode(secret.reveal());
  } catch {
    return null;
  }
}
