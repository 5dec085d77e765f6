/** Digits, upper case, lower case: the order of their code points. */
export const base62Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const notADigit = 255;
const digitOf = new Uint8Array(128).fill(notADigit);
for (let digit = 0; digit < base62Alphabet.length; digit++) digitOf[base62Alphabet.charCodeAt(digit)] = digit;

/**
 * Bytes as a big-endian integer in base 62 (`0-9A-Za-z`), padded on the left with `0` to `width` characters. The width
 * must hold every value of that many bytes: 14 for 10 bytes, 33 for 24, 6 for 4.
 */
export function encodeBase62(bytes: Uint8Array, width: number): string {
  const rest = Uint8Array.from(bytes);
  const digits: string[] = [];
  for (let place = 0; place < width; place++) {
    let remainder = 0;
    for (const [index, byte] of rest.entries()) {
      const value = remainder * 256 + byte;
      rest[index] = Math.floor(value / 62);
      remainder = value % 62;
    }
    digits.push(base62Alphabet.charAt(remainder));
  }
  return digits.reverse().join("");
}

/**
 * The `length` bytes that a fixed-width base-62 text stands for; null for another character, or when the value does not
 * fit, so that no two texts of one width give the same bytes.
 */
export function decodeBase62(text: string, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  for (let place = 0; place < text.length; place++) {
    let carry = digitOf[text.charCodeAt(place)] ?? notADigit;
    if (carry === notADigit) return null;
    for (let index = length - 1; index >= 0; index--) {
      const value = (bytes[index] ?? 0) * 62 + carry;
      bytes[index] = value & 0xff;
      carry = value >>> 8;
    }
    if (carry !== 0) return null;
  }
  return bytes;
}
