import { createHmac, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** Making a key object of raw bytes takes six times as long as the HMAC itself: keys that are used again keep theirs. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

/** HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the parts one after the other, 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  let keyObject = keyObjects.get(key);
  if (keyObject === undefined) {
    keyObject = createSecretKey(key);
    keyObjects.set(key, keyObject);
  }
  const mac = createHmac("sha256", keyObject);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}
