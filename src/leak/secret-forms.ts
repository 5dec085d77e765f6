import type { Secret } from "../core/secret.ts";

/** A line shorter than this is no secret: keyctl takes none, and it stands in every text. */
const lineBytesMin = 8;
/** What `base64` (76) and PEM tools (64) put on one line. */
const wrappedColumns = [76, 64];

const unreserved = /[A-Za-z0-9\-._~]/;
const unreservedByScripts = /[A-Za-z0-9\-._~!'()*]/;

/**
 * The byte strings as which a secret stands in text: plain, as JSON has it, base64 and base64url wherever it begins in a
 * group of three bytes, hex in both cases, percent-encoded; and each line of a secret of many lines by itself. Each form once.
 */
export function secretForms(secret: Secret): Uint8Array[] {
  const bytes = Buffer.from(secret.reveal());
  const texts = [
    ...base64Forms(bytes),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...percentForms(bytes),
    ...jsonForms(bytes),
  ];
  const forms = new Set([bytes, ...linesOf(bytes)].map((form) => form.toString("latin1")));
  for (const text of texts) forms.add(text);
  forms.delete("");
  return [...forms].map((form) => Uint8Array.from(Buffer.from(form, "latin1")));
}

/** Without the blanks around it: who prints a line may indent it. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines = bytes.toString("latin1").split(/[\r\n]+/);
  if (lines.length === 1) return [];
  return lines
    .map((line) => Buffer.from(line.replace(/^[ \t]+|[ \t]+$/g, ""), "latin1"))
    .filter((line) => line.length >= lineBytesMin);
}

function base64Forms(bytes: Buffer): string[] {
  const standard = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    // From the first character that nothing before the secret can change: to the end, and as far as nothing after it can.
    const from = text.slice(Math.ceil((offset * 8) / 6));
    const sure = Math.floor(((offset + bytes.length) * 8) / 6) - Math.ceil((offset * 8) / 6);
    return [from, from.replace(/=+$/, ""), from.slice(0, sure)];
  });
  const wrapped = wrappedColumns.flatMap((columns) => chunks(bytes.toString("base64"), columns));
  return [...standard, ...standard.map(urlSafe), ...wrapped];
}

function urlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

/** Whole lines, and what is left if it is enough to be told from chance. */
function chunks(text: string, columns: number): string[] {
  if (text.length <= columns) return [];
  const count = Math.ceil(text.length / columns);
  return Array.from({ length: count }, (_, i) => text.slice(i * columns, (i + 1) * columns)).filter(
    (chunk) => chunk.length >= lineBytesMin,
  );
}

/** As RFC 3986 has it, as `encodeURIComponent` does it, and as forms are sent; hex digits in both cases. */
function percentForms(bytes: Buffer): string[] {
  const strict = percent(bytes, unreserved);
  const forms = [strict, percent(bytes, unreservedByScripts), strict.replaceAll("%20", "+")];
  return [...forms, ...forms.map((form) => form.replace(/%../g, (escape) => escape.toLowerCase()))];
}

function percent(bytes: Buffer, kept: RegExp): string {
  return bytes
    .toString("latin1")
    .replace(/[^]/g, (char) =>
      kept.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );
}

/**
 * Inside a JSON string, as JavaScript writes it, as Python does (ASCII only), PHP (with `\/` too) and Go (fit for HTML); of
 * bytes that are no UTF-8 there is no such form.
 */
function jsonForms(bytes: Buffer): string[] {
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes)) return [];
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = plain.replace(/[\u0080-\uffff]/g, unicodeEscape);
  const forms = [plain, ascii, ascii.replaceAll("/", "\\/"), plain.replace(/[<>&]/g, unicodeEscape)];
  return forms.map((form) => Buffer.from(form, "utf8").toString("latin1"));
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
