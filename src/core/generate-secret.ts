import { base62Alphabet } from "./base62.ts";
import { KeyctlError } from "./errors.ts";
import { Secret } from "./secret.ts";

export const generatedCharactersDefault = 32;
const charactersMin = 16;
const charactersMax = 1024;
/** 22 characters of 62 are 131 bits: from here on a generated secret can have a leak tag. */
const taggedCharactersMin = 22;

/** A secret of `length` characters of 0-9A-Za-z, each drawn evenly; `usage` outside 16 to 1024 characters. */
export function generateSecret(random: (count: number) => Uint8Array, length: number): Secret {
  if (!Number.isInteger(length) || length < charactersMin || length > charactersMax) {
    throw new KeyctlError(
      "usage",
      `--length is a number of characters from ${charactersMin} to ${charactersMax}`,
    );
  }
  // Bytes from 248 on are drawn again: 248 is the largest multiple of 62 in a byte, so that no character is likelier.
  const even = 256 - (256 % base62Alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < even && text.length < length) text += base62Alphabet.charAt(byte % base62Alphabet.length);
    }
  }
  return Secret.fromUtf8(text);
}

/** Whether a generated secret has 128 bits or more. */
export function isTaggable(generated: Secret): boolean {
  return generated.byteLength >= taggedCharactersMin;
}
