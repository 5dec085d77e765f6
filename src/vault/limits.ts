import { KeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";

/** The largest secret value every vault takes, in bytes: 25 KB, Azure Key Vault's limit. */
export const secretBytesMax = 25 * 1024;

/** A data-encryption key is an AES-256 key; nothing else is ever wrapped. */
export const dekBytes = 32;

/** Refuses (`refused`) an empty value and one above `secretBytesMax`. */
export function assertSecretValue(value: Secret): void {
  if (value.byteLength === 0) throw new KeyctlError("refused", "an empty secret is not stored");
  if (value.byteLength > secretBytesMax) {
    throw new KeyctlError("refused", `a secret may have at most ${secretBytesMax} bytes`);
  }
}

/** Refuses (`refused`) anything that has not the length of a DEK, so that a vault key never wraps other data. */
export function assertDek(dek: Secret): void {
  if (dek.byteLength !== dekBytes) {
    throw new KeyctlError("refused", `only data keys of ${dekBytes} bytes are wrapped`);
  }
}
