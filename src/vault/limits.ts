import { KeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { assertFitsVault } from "../core/weak-secret.ts";

/** A data-encryption key is an AES-256 key; nothing else is ever wrapped. */
export const dekBytes = 32;

/** Refuses (`refused`) an empty value, and one that is larger than every vault takes. */
export function assertSecretValue(value: Secret): void {
  if (value.byteLength === 0) throw new KeyctlError("refused", "an empty secret is not stored");
  assertFitsVault(value);
}

/** Refuses (`refused`) anything that has not the length of a DEK, so that a vault key never wraps other data. */
export function assertDek(dek: Secret): void {
  if (dek.byteLength !== dekBytes) {
    throw new KeyctlError("refused", `only data keys of ${dekBytes} bytes are wrapped`);
  }
}
