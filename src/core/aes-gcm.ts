import { createCipheriv, createDecipheriv } from "node:crypto";
import { KeyctlError } from "./errors.ts";

/** AES-256-GCM (NIST SP 800-38D) is called with a 32-byte key and a 12-byte nonce that is never used twice with that key. */
export interface GcmPlace {
  key: Uint8Array;
  nonce: Uint8Array;
  /** What is authenticated and not encrypted. */
  associatedData: Uint8Array;
}

/** Node accepts tags as short as 4 bytes unless it is told the length. */
const authTagLength = 16;

/** The ciphertext, as long as the plaintext, and then the tag of 16 bytes. `failure` for another key or nonce size. */
export function gcmSeal(place: GcmPlace, plaintext: Uint8Array): Uint8Array {
  assertSizes(place);
  const cipher = createCipheriv("aes-256-gcm", place.key, place.nonce, { authTagLength });
  cipher.setAAD(place.associatedData);
  return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** The plaintext; null when the tag does not agree. `failure` for another key or nonce size. */
export function gcmOpen(place: GcmPlace, sealed: Uint8Array): Uint8Array | null {
  assertSizes(place);
  if (sealed.length < authTagLength) return null;
  const decipher = createDecipheriv("aes-256-gcm", place.key, place.nonce, { authTagLength });
  decipher.setAAD(place.associatedData);
  decipher.setAuthTag(sealed.subarray(-authTagLength));
  const plaintext = decipher.update(sealed.subarray(0, -authTagLength));
  try {
    decipher.final();
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  } catch {
    // Unauthenticated plaintext must not outlive this call.
    plaintext.fill(0);
    return null;
  }
}

function assertSizes(place: GcmPlace): void {
  if (place.key.length !== 32 || place.nonce.length !== 12) {
    throw new KeyctlError("failure", "AES-256-GCM takes a key of 32 bytes and a nonce of 12");
  }
}
