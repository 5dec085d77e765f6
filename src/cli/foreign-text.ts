/**
 * Text that came from outside (names, descriptions, paths, log lines) as it may be printed: it must not move the cursor,
 * recolour the screen, reorder what is read, or give a command to the CI that reads the log.
 */

/** C0 and C1 controls, DEL, bidi marks and overrides, zero-width and invisible characters, line separators, lone surrogates, BOM. */
const unprintable =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- it finds control and joining characters one by one
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e0fff}]/gu;

const namedEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** One line: what cannot be printed is shown escaped (`\n`, `\u202e`). */
export function cleanText(text: string): string {
  return text.replace(unprintable, (found) => namedEscapes[found] ?? unicodeEscape(found));
}

/** As `cleanText`, and in CI with the beginnings of workflow commands broken by a blank. */
export function printable(text: string, ci: boolean): string {
  const clean = cleanText(text);
  return ci ? clean.replace(/:(?=:)/g, ": ").replace(/##(vso)?\[/gi, "## $1[") : clean;
}

/**
 * JSON with the same value, safe to print: invisible characters as `\u…`, and in CI the workflow commands inside strings
 * escaped too (`:\u003a`), which a JSON reader does not notice.
 */
export function printableJson(json: string, ci: boolean): string {
  const clean = json.replace(unprintable, (found) => (found === "\n" ? found : unicodeEscape(found)));
  return ci ? clean.replace(/(?<=:):/g, "\\u003a").replace(/##(vso)?\[/gi, "##$1\\u005b") : clean;
}

/**
 * A CSV field (RFC 4180). A leading `= + - @`, tab or carriage return would start a formula in a spreadsheet: such a field
 * gets an apostrophe in front, which spreadsheets read as "this is text".
 */
export function csvField(text: string): string {
  const safe = /^\s*[=+\-@\t\r＝＋－＠]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$|^'/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function unicodeEscape(found: string): string {
  return Array.from(
    { length: found.length },
    (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
