import { isIn, type AlphabetName, type Text } from "./alphabet.ts";
import type { CleanText } from "./normalise.ts";

/**
 * True when a token may begin at `index`: nothing of `forbidden` stands before it. An escape that is written out (`\n`, `%3D`,
 * `\u0022`) ends the text before it although its last character is a letter or digit; so does a colour code that was taken out.
 */
export function mayBegin(text: CleanText, index: number, forbidden: AlphabetName | "any"): boolean {
  if (forbidden === "any" || index === 0 || text.isSeam(index)) return true;
  return !isIn(forbidden, text, index - 1) || endsEscape(text, index);
}

/** True when a token may end before `index`: nothing of `forbidden` stands there. */
export function mayEnd(text: CleanText, index: number, forbidden: AlphabetName): boolean {
  return !isIn(forbidden, text, index) || text.isSeam(index);
}

function endsEscape(text: Text, end: number): boolean {
  const { bytes } = text;
  const last = String.fromCharCode(bytes[end - 1] ?? 0);
  if (bytes[end - 2] === 0x5c && "nrtbf".includes(last)) return true;
  if (!isIn("hex", text, end - 1) || !isIn("hex", text, end - 2)) return false;
  if (bytes[end - 3] === 0x25) return true;
  const unicode = isIn("hex", text, end - 3) && isIn("hex", text, end - 4);
  return unicode && bytes[end - 5] === 0x75 && bytes[end - 6] === 0x5c;
}
