import { hash } from "node:crypto";

/** SHA-256's block (FIPS 180-4 §1), which a key is padded to. */
const blockBytes = 64;
const digestBytes = 32;
const innerPad = 0x36;
const outerPad = 0x5c;

/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the parts one after the other, 32 bytes. `createHmac` makes a key object of raw
 * bytes at each call, which takes six times as long as the two hashes; a log's commitments have a key of their own each.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const padded = key.length > blockBytes ? hash("sha256", key, "buffer") : key;
  const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const inner = new Uint8Array(blockBytes + lengthBytes);
  const outer = Buffer.alloc(blockBytes + digestBytes);
  for (let place = 0; place < blockBytes; place += 1) {
    const byte = padded[place] ?? 0;
    inner[place] = byte ^ innerPad;
    outer[place] = byte ^ outerPad;
  }
  let end = blockBytes;
  for (const part of parts) {
    inner.set(part, end);
    end += part.length;
  }
  // A hash as a string costs a third of one in a buffer of its own.
  outer.write(hash("sha256", inner, "binary"), blockBytes, digestBytes, "latin1");
  const mac = Uint8Array.from(Buffer.from(hash("sha256", outer, "binary"), "latin1"));
  // Both hold the key, and the inner one what may be a secret.
  inner.fill(0);
  outer.fill(0);
  return mac;
}
