import { KeyctlError } from "./errors.ts";
import type { Secret } from "./secret.ts";

const secretBytesMin = 8;
/** The largest secret value every vault takes, in bytes: 25 KB, Azure Key Vault's limit. */
const vaultSecretBytesMax = 25 * 1024;
/** White space, separators, control and format characters: nothing that a person would see. */
const blank = /^[\s\p{Z}\p{Cc}\p{Cf}]*$/u;

/** `refused` for a value that cannot be meant: empty, blank, or under 8 bytes. Says which, and never the value. */
export function assertNotWeak(secret: Secret): void {
  const fault = weakness(secret);
  if (fault === null) return;
  throw new KeyctlError("refused", `the value is ${fault}`, {
    hint: `give at least ${secretBytesMin} bytes; a secret of our own keyctl can draw (--generate)`,
  });
}

/** `refused` for a secret that is too large for a vault. Asked before anything is begun. */
export function assertFitsVault(secret: Secret): void {
  if (secret.byteLength <= vaultSecretBytesMax) return;
  throw new KeyctlError("refused", `a secret may have at most ${vaultSecretBytesMax} bytes`, {
    hint: "keep a large file elsewhere, sealed with a key of kind encryption",
  });
}

function weakness(secret: Secret): string | null {
  if (secret.byteLength === 0) return "empty";
  // Bytes that are not UTF-8 become U+FFFD, which is not blank.
  if (blank.test(new TextDecoder().decode(secret.reveal()))) return "blank";
  return secret.byteLength < secretBytesMin ? `shorter than ${secretBytesMin} bytes` : null;
}
