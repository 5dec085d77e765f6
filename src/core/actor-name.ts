import { KeyctlError } from "./errors.ts";
import { isUuid } from "./uuid.ts";

const nameCharactersMax = 64;
const loginCharactersMax = 128;

/** Controls, format characters, surrogates, private and unassigned ones, line ends, and all that takes no place when shown. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** More marks on one letter than any script needs: they cover the lines above and below. */
const piledMarks = /\p{M}{4}/u;
/** Scripts that share shapes: a name in two of them looks like another name. */
const alike = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u];

/**
 * What an actor is called, as people read it: up to 64 characters of any one script, in Unicode's normal form (NFC). `usage` for
 * what cannot be seen, what looks like something else, and what could be taken for an id.
 */
export function parseActorName(text: string): string {
  const name = text.normalize("NFC");
  assertReadable("the actor's name", name, nameCharactersMax);
  if (/^ | $|\p{Zs}{2}|(?! )\p{Zs}/u.test(name))
    throw refused("the actor's name has blanks at its ends, two in a row, or ones that are no plain blank");
  if (isUuid(name)) throw refused("the actor's name looks like an id");
  return name;
}

/** A login as the system gives it, without blanks; compared byte by byte. `usage` as for a name. */
export function parseLogin(text: string): string {
  if (text !== text.normalize("NFC")) throw refused("the login is not in Unicode's normal form (NFC)");
  assertReadable("the login", text, loginCharactersMax);
  if (/\p{Z}/u.test(text)) throw refused("the login has a blank in it");
  if (isUuid(text)) throw refused("the login looks like an id");
  return text;
}

function assertReadable(what: string, text: string, charactersMax: number): void {
  const characters = Array.from(text).length;
  if (characters === 0) throw refused(`${what} is empty`);
  if (characters > charactersMax)
    throw refused(`${what} has ${characters} characters; at most ${charactersMax} are allowed`);
  const bad = unseen.exec(text);
  if (bad !== null) throw refused(`${what} has ${codePoint(bad[0])} in it, which cannot be seen`);
  if (piledMarks.test(text)) throw refused(`${what} has a letter with more than three marks`);
  if (alike.filter((script) => script.test(text)).length > 1)
    throw refused(`${what} mixes scripts whose letters look alike`);
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function refused(message: string): KeyctlError {
  return new KeyctlError("usage", message, {
    hint: "for example keyctl actor add 'Mia Lang' --login mia --role operator",
  });
}
