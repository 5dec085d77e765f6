import { decodeBase62 } from "../core/base62.ts";
import { parseIssuedKey, parsePublicId } from "../core/issued-key.ts";
import { isIn, type Text } from "./alphabet.ts";
import type { Keyword } from "./prefilter.ts";

const prefixCharactersMax = 32;
const idCharacters = 14;
const secretCharacters = 33;
const checksumCharacters = 6;
/** From the first dot to the end. */
const tailCharacters = 1 + idCharacters + 1 + secretCharacters + checksumCharacters;

/** How the prefilter finds a key of ours whatever its prefix: two dots, fifteen apart. */
export const ownKeyKeyword: Keyword = {
  literal: ".",
  ignoreCase: false,
  also: { at: 1 + idCharacters, byte: 0x2e },
};

/** A text of the form `prefix.id.secret` of our own issued keys, of any prefix. */
export interface OwnKeyMatch {
  start: number;
  /** Exclusive. */
  end: number;
  publicId: string;
  /** The checksum holds; when not, id and secret are at least in their ranges, as one in 200 look-alikes is. */
  valid: boolean;
}

/**
 * The key around the first dot at `dot`, or null. The checksum covers the prefix, so where the key begins is found by trying: also
 * when it is glued to letters before it. Bounded: at most 32 beginnings.
 */
export function matchOwnKey(text: Text, dot: number): OwnKeyMatch | null {
  const end = dot + tailCharacters;
  if (end > text.length) return null;
  for (let at = dot + 1; at < end; at += 1) {
    if (at !== dot + 1 + idCharacters && !isIn("base62", text, at)) return null;
  }
  const tail = Buffer.from(text.bytes.subarray(dot, end)).toString("latin1");
  const publicId = tail.slice(1, 1 + idCharacters);
  const secretAt = 2 + idCharacters;
  const secret = tail.slice(secretAt, secretAt + secretCharacters);
  if (parsePublicId(publicId) === null || decodeBase62(secret, 24) === null) return null;
  let first = dot;
  while (dot - first < prefixCharactersMax && isPrefixByte(text, first - 1)) first -= 1;
  const before = Buffer.from(text.bytes.subarray(first, dot)).toString("latin1");
  for (let skip = 0; skip < before.length; skip += 1) {
    if (parseIssuedKey(before.slice(skip) + tail) !== null)
      return { start: first + skip, end, publicId, valid: true };
  }
  const prefix = /[a-z][a-z0-9]*(?:_[a-z0-9]+){0,15}$/u.exec(before)?.[0];
  const alone = !isPrefixByte(text, first - 1) && !isIn("base62", text, end);
  return prefix === undefined || !alone ? null : { start: dot - prefix.length, end, publicId, valid: false };
}

function isPrefixByte(text: Text, at: number): boolean {
  return isIn("word", text, at) && !isIn("upper", text, at);
}
