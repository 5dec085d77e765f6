import { crc32 } from "node:zlib";
import { decodeBase62, encodeBase62 } from "./base62.ts";
import { KeyctlError } from "./errors.ts";
import { Secret } from "./secret.ts";

/** The parts of an issued key, `prefix.id.secret`. */
export interface IssuedKeyParts {
  prefix: string;
  /** 10 random bytes, public */
  id10: Uint8Array;
  /** 24 random bytes */
  secret24: Uint8Array;
}

export interface ParsedIssuedKey {
  prefix: string;
  /** The 14 characters in the middle, by which the row is found. */
  publicId: string;
  id10: Uint8Array;
  secret24: Secret;
}

const prefixPattern = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const prefixCharactersMax = 32;
const idBytes = 10;
const idCharacters = 14;
const secretBytes = 24;
const secretCharacters = 33;
const checksumCharacters = 6;
/** The last two parts with both dots. */
const tailCharacters = 1 + idCharacters + 1 + secretCharacters + checksumCharacters;

/**
 * An issued key as it is handed out: base 62 in fixed width, and over all that precedes a CRC-32/IEEE, by which a typing
 * error and a scanner's false alarm are told without a look-up. `usage` for a bad prefix.
 */
export function formatIssuedKey(parts: IssuedKeyParts): Secret {
  assertPrefix(parts.prefix);
  if (parts.secret24.length !== secretBytes) {
    throw new KeyctlError("failure", "an issued key takes 24 secret bytes");
  }
  const body = `${parts.prefix}.${formatPublicId(parts.id10)}.${encodeBase62(parts.secret24, secretCharacters)}`;
  return Secret.fromUtf8(body + checksum(body));
}

/**
 * The parts of an issued key; null for everything else, whatever is wrong with it: wrong form, value out of range, wrong
 * checksum. That the prefix is the stored one, and the digest right, is for the verifier to see.
 */
export function parseIssuedKey(key: string | Secret): ParsedIssuedKey | null {
  if (byteLengthOf(key) > prefixCharactersMax + tailCharacters) return null;
  const text = typeof key === "string" ? key : Buffer.from(key.reveal()).toString("latin1");
  const [prefix, publicId, tail, ...more] = text.split(".");
  if (prefix === undefined || publicId === undefined || tail === undefined || more.length > 0) return null;
  if (!isPrefix(prefix) || tail.length !== secretCharacters + checksumCharacters) return null;
  const id10 = parsePublicId(publicId);
  const secret24 = decodeBase62(tail.slice(0, secretCharacters), secretBytes);
  if (id10 === null || secret24 === null) return null;
  if (checksum(text.slice(0, -checksumCharacters)) !== text.slice(-checksumCharacters)) return null;
  return { prefix, publicId, id10, secret24: Secret.fromBytes(secret24) };
}

function byteLengthOf(key: string | Secret): number {
  return typeof key === "string" ? key.length : key.byteLength;
}

/** The public id as it stands in the key: 14 characters for 10 bytes. */
export function formatPublicId(id10: Uint8Array): string {
  if (id10.length !== idBytes) throw new KeyctlError("failure", "a public id is made of 10 bytes");
  return encodeBase62(id10, idCharacters);
}

/** The 10 bytes of a public id; null unless it is 14 characters of the alphabet below 2^80. */
export function parsePublicId(text: string): Uint8Array | null {
  return text.length === idCharacters ? decodeBase62(text, idBytes) : null;
}

/** True for `[a-z][a-z0-9]*(_[a-z0-9]+)*` of at most 32 characters. */
function isPrefix(text: string): boolean {
  return text.length <= prefixCharactersMax && prefixPattern.test(text);
}

/** `usage` unless the text can stand before the first dot of an issued key. */
export function assertPrefix(prefix: string): void {
  if (isPrefix(prefix)) return;
  throw new KeyctlError(
    "usage",
    `a prefix is made of lower-case letters, digits and single _ between them, starts with a letter and has at most ${prefixCharactersMax} characters`,
    { hint: "for example --prefix kc_live" },
  );
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return encodeBase62(bytes, checksumCharacters);
}
