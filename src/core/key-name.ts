import { KeyctlError } from "./errors.ts";

/** Where a person says that a key is; what they left out comes from the context. */
export interface KeyPath {
  tenant?: string;
  env?: string;
  name: string;
}

export const nameCharactersMax = 63;
const pathCharactersMax = 3 * nameCharactersMax + 2;
const firstCharacter = /^[A-Za-z0-9]$/;
const furtherCharacter = /^[A-Za-z0-9._-]$/;

/** Cyrillic and Greek letters that look like the Latin one beside them (Unicode UTS #39, confusables), as code points. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: "430 3b1",
  c: "441 3f2",
  e: "435",
  i: "456 3b9",
  j: "458",
  o: "43e 3bf",
  p: "440 3c1",
  s: "455",
  u: "3c5",
  v: "3bd",
  x: "445 3c7",
  y: "443 3b3",
  A: "410 391",
  B: "412 392",
  C: "421 3f9",
  E: "415 395",
  H: "41d 397",
  I: "406 399",
  K: "41a 39a",
  M: "41c 39c",
  N: "39d",
  O: "41e 39f",
  P: "420 3a1",
  T: "422 3a4",
  X: "425 3a7",
  Y: "423 3a5",
  Z: "396",
};

/** `usage` unless the text is `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`. `what` is how the message calls it: `a key's name`. */
export function assertName(what: string, text: string): void {
  if (text === "") throw refused(`${what} is empty`);
  if (text.length > nameCharactersMax) {
    throw refused(`${what} has ${text.length} characters; at most ${nameCharactersMax} are allowed`);
  }
  let place = 0;
  for (const character of text) {
    place++;
    const allowed = place === 1 ? firstCharacter : furtherCharacter;
    if (!allowed.test(character)) throw badCharacter(what, character, place);
  }
}

/**
 * The parts of `name`, `env/name` or `tenant/env/name`. `usage` for anything else; the message names a bad character by
 * its code point, because what it looks like is the trap.
 */
export function parseKeyPath(path: string): KeyPath {
  if (path.length > pathCharactersMax) throw refused(`a key's path of ${path.length} characters is too long`);
  const parts = path.split("/");
  const [name, env, tenant, ...more] = parts.toReversed();
  if (name === undefined || more.length > 0) throw refused("a key's path has more than three parts");
  if (tenant !== undefined) assertName("the tenant", tenant);
  if (env !== undefined) assertName("the environment", env);
  assertName("the key's name", name);
  return { ...(tenant === undefined ? {} : { tenant }), ...(env === undefined ? {} : { env }), name };
}

function badCharacter(what: string, character: string, place: number): KeyctlError {
  if (place === 1 && furtherCharacter.test(character))
    return refused(`${what} starts with ${codePoint(character)}`);
  const like = latinOf(character);
  const looks = like === null ? "" : `, which looks like the letter ${like} and is another`;
  return refused(`${what} has ${codePoint(character)} as character ${place}${looks}`);
}

function codePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  // Only printable ASCII is shown as itself.
  return /^[!-~]$/.test(character) ? `"${character}"` : `U+${hex}`;
}

function latinOf(character: string): string | null {
  const code = character.codePointAt(0)?.toString(16) ?? "";
  const found = Object.entries(lookAlikes).find(([, codes]) => codes.split(" ").includes(code));
  if (found !== undefined) return found[0];
  // Full-width and mathematical letters, and accented ones, fold to the letter they are made from.
  const [folded] = character.normalize("NFKD");
  return folded !== undefined && folded !== character && furtherCharacter.test(folded) ? folded : null;
}

function refused(message: string): KeyctlError {
  return new KeyctlError("usage", message, {
    hint: `NAME is name, env/name or tenant/env/name; each part starts with a letter or digit and goes on with letters, digits, . _ -, at most ${nameCharactersMax}`,
  });
}
