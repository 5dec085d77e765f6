import { hash } from "node:crypto";

/** One reason why a text that has a key's shape is no key. */
export interface Placeholder {
  reason: string;
  /** `body` is what the runs of the shape hold, `token` the whole. */
  matches(body: string, token: string): boolean;
}

/** Longer bodies (tokens with a payload, private keys) hold every short word by chance. */
const wordBodyMax = 200;

const words = [
  "EXAMPLE",
  "SAMPLE",
  "DUMMY",
  "PLACEHOLDER",
  "REDACTED",
  "CHANGEME",
  "REPLACEME",
  "REPLACE_",
  "INSERT_",
  "YOUR_",
  "YOUR-",
  "YOURTOKEN",
  "YOURKEY",
  "YOURAPIKEY",
  "TOKENHERE",
  "KEYHERE",
  "NOTAREAL",
  "XXXXXX",
  "QWERTY",
  "ASDFGH",
];

/**
 * SHA-256 of tokens that vendors print in their own documentation for everybody. Hashes, because a scanner must not carry
 * what it looks for.
 */
const published: ReadonlyMap<string, string> = new Map([
  [
    "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
    "the test key of Stripe's documentation",
  ],
  [
    "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
    "the former test key of Stripe's documentation",
  ],
  ["7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606", "the token on jwt.io's front page"],
  [
    "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
    "the storage emulator's well-known key",
  ],
]);

/** The whole list. A reason must be a fact about the text; low entropy alone is the rule's own bound. */
export const placeholders: readonly Placeholder[] = [
  { reason: "one character makes up more than half of it", matches: (body) => topShare(body) > 0.5 },
  { reason: "it counts up or down", matches: (body) => stepShare(body) > 0.5 },
  { reason: "it repeats a short piece", matches: isPeriodic },
  { reason: "it holds a word of samples (EXAMPLE, YOUR_, REDACTED …)", matches: holdsWord },
  {
    reason: "the vendor's documentation shows it to everybody",
    matches: (_body, token) => published.has(hash("sha256", token, "hex")),
  },
];

/** Why the text is a placeholder, or null when nothing says so. */
export function placeholderReason(body: string, token: string): string | null {
  return placeholders.find((placeholder) => placeholder.matches(body, token))?.reason ?? null;
}

/** Shannon entropy in bits per character; 0 for an empty text. */
export function entropy(text: string): number {
  const counts = countCharacters(text);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

function countCharacters(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return counts;
}

function topShare(text: string): number {
  return text.length === 0 ? 0 : Math.max(...countCharacters(text).values()) / text.length;
}

/** The share of neighbours that follow each other in the alphabet, either way. */
function stepShare(text: string): number {
  let steps = 0;
  for (let at = 1; at < text.length; at += 1) {
    if (Math.abs(text.charCodeAt(at) - text.charCodeAt(at - 1)) === 1) steps += 1;
  }
  return text.length < 2 ? 0 : steps / (text.length - 1);
}

function isPeriodic(text: string): boolean {
  if (text.length < 16) return false;
  for (let period = 2; period <= 8; period += 1) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  return false;
}

function holdsWord(body: string): boolean {
  if (body.length > wordBodyMax) return false;
  const upper = body.toUpperCase();
  return words.some((word) => upper.includes(word));
}
