import type { Severity } from "../core/model.ts";
import { isIn, type Text } from "./alphabet.ts";

/** The longest PEM text that is read, in bytes: an RSA key of 16,384 bits takes 12,700. */
export const pemBytesMax = 14_000;
const labelBytesMax = 64;
/** Fewer base64 characters than this are no key: the shortest there is (Ed25519, PKCS #8) has 64. */
const bodyCharactersMin = 64;

/** A private key in PEM (RFC 7468) or OpenPGP armour (RFC 9580), as far as it stands in the text. */
export interface PemMatch {
  /** Exclusive. */
  end: number;
  /** `certain`: the body is a key; `likely`: it begins as one; `possible`: the header stands there, the body cannot be read. */
  confidence: "certain" | "likely" | "possible";
  proof: string;
  severity: Severity;
  /** The body's base64 characters, for the check against placeholders. */
  body: string;
}

/**
 * Reads the PEM text that begins at `start` with `-----BEGIN`. Null when it is no private key, or when its body is left out. Line
 * ends may be real or written as `\n`. Steps are bounded by `pemBytesMax`.
 */
export function readPem(source: Text, start: number): PemMatch | null {
  const limit = Math.min(source.length, start + pemBytesMax);
  const text = Buffer.from(source.bytes.subarray(start, limit)).toString("latin1");
  const label = labelAfter(text, 0, "-----BEGIN ");
  if (label === null || !(label.name.endsWith("PRIVATE KEY") || label.name.endsWith("PRIVATE KEY BLOCK")))
    return null;
  const again = text.indexOf("-----BEGIN ", label.end);
  const region = again < 0 ? text : text.slice(0, again);
  const closing = region.indexOf("-----END ", label.end);
  const footer = closing < 0 ? null : labelAfter(region, closing, "-----END ");
  const bodyEnd =
    closing < 0 ? bodyRunEnd(source, start + label.end, start + region.length) - start : closing;
  const { body, encrypted } = readBody(region.slice(label.end, bodyEnd));
  if (body.length < bodyCharactersMin) return null;
  const verdict = judge(body, { encrypted, closed: closing >= 0, openPgp: label.name.startsWith("PGP") });
  const locked = encrypted || label.name.startsWith("ENCRYPTED");
  return {
    end: start + (footer?.end ?? bodyEnd),
    ...verdict,
    severity: locked ? "medium" : "critical",
    body,
  };
}

function labelAfter(text: string, at: number, opening: string): { name: string; end: number } | null {
  if (!text.startsWith(opening, at)) return null;
  const from = at + opening.length;
  const close = text.slice(from, from + labelBytesMax).indexOf("-----");
  return close < 0 ? null : { name: text.slice(from, from + close), end: from + close + 5 };
}

/** Without an END line (cut off): the body goes as far as base64, white space and written line ends go. */
function bodyRunEnd(source: Text, from: number, limit: number): number {
  let at = from;
  let end = from;
  while (at < limit) {
    const byte = source.bytes[at] ?? 0;
    if (isIn("base64Padded", source, at)) end = at + 1;
    else if (byte === 0x5c && (source.bytes[at + 1] === 0x6e || source.bytes[at + 1] === 0x72)) at += 1;
    else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) break;
    at += 1;
  }
  return end;
}

function readBody(written: string): { body: string; encrypted: boolean } {
  const lines = written.replaceAll("\\r", "\n").replaceAll("\\n", "\n").replaceAll("\r", "\n").split("\n");
  // "Proc-Type: …", "Version: …" are headers; "=abcd" alone is OpenPGP's checksum line.
  const kept = lines
    .map((line) => line.trim())
    .filter((line) => !line.includes(": ") && !/^=[^=]{4}$/u.test(line));
  return { body: kept.join(""), encrypted: lines.some((line) => line.includes("ENCRYPTED")) };
}

function judge(
  body: string,
  facts: { encrypted: boolean; closed: boolean; openPgp: boolean },
): Pick<PemMatch, "confidence" | "proof"> {
  const bytes = decodeStrict(body);
  if (bytes === null)
    return { confidence: "possible", proof: "private key header; the body does not decode" };
  if (facts.encrypted) return { confidence: "likely", proof: "private key header; the body is encrypted" };
  if (facts.openPgp) {
    const packet = ((bytes[0] ?? 0) & 0x80) !== 0;
    return packet
      ? { confidence: "likely", proof: "the body begins as an OpenPGP packet" }
      : { confidence: "possible", proof: "private key header; the body is no OpenPGP packet" };
  }
  if (Buffer.from(bytes.subarray(0, 15)).toString("latin1") === "openssh-key-v1\0") {
    return facts.closed
      ? { confidence: "certain", proof: "the body is an OpenSSH private key" }
      : { confidence: "likely", proof: "the body begins as an OpenSSH private key and is cut off" };
  }
  const whole = derLength(bytes);
  if (whole !== null && whole === bytes.length)
    return { confidence: "certain", proof: "the body is one ASN.1 sequence" };
  if (whole !== null && whole > bytes.length) {
    return { confidence: "likely", proof: "the body begins as an ASN.1 sequence and is cut off" };
  }
  return { confidence: "possible", proof: "private key header; the body is neither ASN.1 nor OpenSSH" };
}

/** Bytes of base64, or null when another character stands in it; a tail that makes no whole byte is dropped. */
function decodeStrict(body: string): Uint8Array | null {
  return /^[A-Za-z0-9+/]*={0,2}$/u.test(body) ? Buffer.from(body, "base64") : null;
}

/** The length that a DER SEQUENCE claims for itself, header included; null when it is none. */
function derLength(bytes: Uint8Array): number | null {
  if (bytes[0] !== 0x30) return null;
  const first = bytes[1] ?? 0;
  if (first < 0x80) return 2 + first;
  if (first === 0x81) return 3 + (bytes[2] ?? 0);
  return first === 0x82 ? 4 + (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0) : null;
}
