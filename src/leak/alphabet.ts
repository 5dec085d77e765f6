/** The alphabets that token formats are written in. A token ends where its alphabet ends; nothing here is a regular expression. */
const digits = "0123456789";
const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Every alphabet a rule can name, as its characters. */
export const alphabets = {
  digits,
  letters: upper + lower,
  upper,
  lower,
  hexLower: "0123456789abcdef",
  hex: "0123456789abcdefABCDEF",
  lowerAlnum: digits + lower,
  upperAlnum: digits + upper,
  /** RFC 4648 section 6 */
  base32: upper + "234567",
  /** Bech32 in upper case (BIP 173), as age writes its identities. */
  bech32Upper: "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
  base62: digits + upper + lower,
  /** base62 and the underscore: what an identifier may hold. */
  word: digits + upper + lower + "_",
  /** RFC 4648 section 4, without the padding */
  base64: upper + lower + digits + "+/",
  base64Padded: upper + lower + digits + "+/=",
  /** RFC 4648 section 5, without the padding */
  base64url: upper + lower + digits + "-_",
  base64urlPadded: upper + lower + digits + "-_=",
  /** RFC 3986 "unreserved" */
  unreserved: upper + lower + digits + "-_.~",
  /** Unreserved without the full stop, so that the end of a sentence ends a token. */
  unreservedWord: upper + lower + digits + "-_~",
  /** Base64 of either kind with percent signs, as cookies carry it. */
  cookie: upper + lower + digits + "+/-_%=",
  /** Last base64 character of 16 bits: its low four bits are zero. */
  base64Tail: "AQgw",
} as const;

export type AlphabetName = keyof typeof alphabets;

const classes = new Map<AlphabetName, Uint8Array>();

/** A table of 256 entries, 1 where the byte belongs to the alphabet. The same table for the same name. */
export function byteClass(name: AlphabetName): Uint8Array {
  const known = classes.get(name);
  if (known !== undefined) return known;
  const table = new Uint8Array(256);
  for (const character of alphabets[name]) table[character.charCodeAt(0)] = 1;
  classes.set(name, table);
  return table;
}

/** Bytes that are filled up to `length`; what stands after is left over from before. */
export interface Text {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** True when the byte at `index` exists and belongs to the alphabet. */
export function isIn(name: AlphabetName, text: Text, index: number): boolean {
  return index >= 0 && index < text.length && byteClass(name)[text.bytes[index] ?? 0] === 1;
}
