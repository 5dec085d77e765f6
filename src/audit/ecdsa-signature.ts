import { KeyctlError } from "../core/errors.ts";

/**
 * The two spellings of a P-256 signature: `r‖s`, 64 bytes (IEEE P1363, RFC 7518 §3.4), as vaults answer it, and DER
 * (SEQUENCE of two INTEGERs, RFC 3279 §2.2.3), as `openssl dgst -verify` and signed notes want it.
 */

const integerLength = 32;
const sequenceTag = 0x30;
const integerTag = 0x02;

/** r‖s → DER. Throws `integrity` when it is not 64 bytes or one of the two is zero. */
export function rawToDer(raw: Uint8Array): Uint8Array {
  if (raw.length !== 2 * integerLength) throw notASignature();
  const integers = [
    ...derInteger(raw.subarray(0, integerLength)),
    ...derInteger(raw.subarray(integerLength)),
  ];
  return Uint8Array.of(sequenceTag, integers.length, ...integers);
}

/** DER → r‖s. Throws `integrity` for everything but the one encoding that DER allows. */
export function derToRaw(der: Uint8Array): Uint8Array {
  if (der[0] !== sequenceTag || der[1] !== der.length - 2) throw notASignature();
  const r = readInteger(der, 2);
  const s = readInteger(der, r.end);
  if (s.end !== der.length) throw notASignature();
  const raw = new Uint8Array(2 * integerLength);
  raw.set(r.magnitude, integerLength - r.magnitude.length);
  raw.set(s.magnitude, 2 * integerLength - s.magnitude.length);
  return raw;
}

function derInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start === -1) throw notASignature();
  const magnitude = bytes.subarray(start);
  // A leading bit would make the number negative.
  const sign = isNegative(magnitude[0]) ? [0] : [];
  return Uint8Array.of(integerTag, sign.length + magnitude.length, ...sign, ...magnitude);
}

function readInteger(der: Uint8Array, at: number): { magnitude: Uint8Array; end: number } {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== integerTag || length === 0 || end > der.length) throw notASignature();
  const value = der.subarray(at + 2, end);
  const [first, second] = value;
  const isPadded = first === 0;
  if (isNegative(first) || (isPadded && !isNegative(second))) throw notASignature();
  const magnitude = isPadded ? value.subarray(1) : value;
  if (magnitude.length > integerLength) throw notASignature();
  return { magnitude, end };
}

function isNegative(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80;
}

function notASignature(): KeyctlError {
  return new KeyctlError("integrity", "a signature is not a well-formed P-256 signature");
}
