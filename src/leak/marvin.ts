/**
 * Marvin32, the keyed checksum that Microsoft's "identifiable" keys carry (`System.Marvin` in .NET).
 * It is no cryptographic proof: whoever knows the published seed can compute it. It tells a real key from a look-alike.
 */

/** Both halves of the 64-bit state after hashing `bytes`, as unsigned 32-bit numbers. */
export function marvin(bytes: Uint8Array, seed: bigint): { low: number; high: number } {
  let low = Number(seed & 0xffffffffn);
  let high = Number(seed >> 32n);
  const block = (): void => {
    high ^= low;
    low = rotate(low, 20);
    low = (low + high) | 0;
    high = rotate(high, 9);
    high ^= low;
    low = rotate(low, 27);
    low = (low + high) | 0;
    high = rotate(high, 19);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    low = (low + view.getUint32(at, true)) | 0;
    block();
  }
  // The rest, closed by one 0x80 byte, little-endian.
  let last = 0x80;
  for (let at = bytes.length - 1; at >= whole; at -= 1) last = (last << 8) | (bytes[at] ?? 0);
  low = (low + last) | 0;
  block();
  block();
  return { low: low >>> 0, high: high >>> 0 };
}

/** The 32-bit checksum: both halves of the state folded together; unsigned. */
export function marvin32(bytes: Uint8Array, seed: bigint): number {
  const { low, high } = marvin(bytes, seed);
  return (low ^ high) >>> 0;
}

/** A seed from its eight-character name, first character most significant. */
export function marvinSeed(name: string): bigint {
  let seed = 0n;
  for (const character of name) seed = (seed << 8n) | BigInt(character.charCodeAt(0));
  return seed;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
