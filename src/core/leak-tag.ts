import { KeyctlError } from "./errors.ts";
import { hkdf } from "./hkdf.ts";
import { hmacSha256 } from "./hmac.ts";
import { parseIssuedKey } from "./issued-key.ts";
import { Secret } from "./secret.ts";

/** How many bytes of a secret the rolling hash looks at. */
export const leakWindowBytes = 16;
const fingerprintBytes = 10;
const payloadKeyBytes = 32;
const label = Buffer.from("keyctl/v1/leak\0");

/**
 * By which a secret is recognised without being known, 32 bytes: `HMAC-SHA-256(Kleak, "keyctl/v1/leak\0" ‖ the exact bytes
 * handed out)`. Only for secrets of 128 bits or more by construction: anything less could be guessed from its tag by who
 * holds Kleak.
 */
export function leakTag(leakKey: Uint8Array, secret: Secret | Uint8Array): Uint8Array {
  const bytes = secret instanceof Secret ? secret.reveal() : secret;
  return hmacSha256(leakKey, label, bytes);
}

/** The short form of a tag that findings and bundles show: its first 10 bytes. */
export function leakFingerprint(tag: Uint8Array): Uint8Array {
  return Uint8Array.from(tag.subarray(0, fingerprintBytes));
}

/** The key that seals a bundle's entry, 32 bytes: only who has found the secret can make the tag that it comes from. */
export function leakPayloadKey(tag: Uint8Array): Uint8Array {
  return hkdf({ hash: "sha256", ikm: tag, info: "keyctl/v1/leak-payload", lengthBytes: payloadKeyBytes });
}

/**
 * The 16 bytes that the rolling hash is made of: of an issued key the first 16 characters of the secret part (what comes
 * before is public and alike), else the first 16 bytes. `failure` for what must not have a tag.
 */
export function leakWindow(secret: Secret, form: "issued" | "other"): Uint8Array {
  if (form === "other") {
    if (secret.byteLength < leakWindowBytes) throw noWindow();
    return secret.reveal().slice(0, leakWindowBytes);
  }
  const parsed = parseIssuedKey(secret);
  if (parsed === null) throw noWindow();
  const start = parsed.prefix.length + 1 + parsed.publicId.length + 1;
  return secret.reveal().slice(start, start + leakWindowBytes);
}

function noWindow(): KeyctlError {
  return new KeyctlError("failure", "a leak tag is for issued keys and for secrets of 16 bytes or more");
}

/** B, the base of a tenant's rolling hash: the first 4 bytes (BE) of HKDF-SHA-256(Kleak, info "roll"), made odd. */
export function rollingBase(leakKey: Uint8Array): number {
  const bytes = hkdf({ hash: "sha256", ikm: leakKey, info: "roll", lengthBytes: 4 });
  return (Buffer.from(bytes).readUInt32BE(0) | 1) >>> 0;
}

/** `h = Σ b[i]·B^(15−i) mod 2^32` over a window of 16 bytes: what a scanner rolls along a text before it makes an HMAC. */
export function rollingHash(leakKey: Uint8Array, window: Uint8Array): number {
  if (window.length !== leakWindowBytes) throw noWindow();
  const base = rollingBase(leakKey);
  let hash = 0;
  for (const byte of window) hash = (Math.imul(hash, base) + byte) >>> 0;
  return hash;
}
