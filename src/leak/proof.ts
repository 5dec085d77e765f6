import type { Severity } from "../core/model.ts";
import {
  annotatedTails,
  azureSeedsOf,
  crcBase36,
  crcBase62,
  entraTail,
  holdsMarvin,
  shaBase32,
} from "./checksum.ts";
import { readJwt } from "./jwt.ts";
import { isPypiMacaroon } from "./macaroon.ts";

/** How sure we are: a checksum holds, the shape is distinctive, the shape is weak, or a checksum fails. */
export const confidences = ["certain", "likely", "possible", "doctored"] as const;
export type Confidence = (typeof confidences)[number];

export const proofNames = [
  "anthropic-tail",
  "azure-annotated",
  "azure-key",
  "crc-base62",
  "entra-tail",
  "github-fine-grained",
  "github-server-token",
  "gitlab-routable",
  "groq-marker",
  "jwt",
  "openai-marker",
  "pypi-macaroon",
] as const;
export type ProofName = (typeof proofNames)[number];

export interface ProofResult {
  /** null: the proof says nothing, the rule's own grade stands. */
  confidence: Confidence | null;
  /** One line for the report; never a part of the secret. */
  text: string;
  /** Replaces the rule's severity. */
  severity?: Severity;
}

const failed = (text: string): ProofResult => ({ confidence: "doctored", text, severity: "low" });
const altered = "checksum does not match: altered, cut or a sample";

/**
 * Checks a token that has its rule's shape. Nothing is dropped because a check fails: vendors doctor the examples that they publish,
 * so a failure lowers the grade and says why. `now` is milliseconds since the epoch, null when unknown (then no token counts as expired).
 */
export function prove(name: ProofName, token: string, now: number | null): ProofResult {
  switch (name) {
    case "crc-base62":
      return crc(token, token.indexOf("_") + 1);
    case "gitlab-routable":
      return crcBase36(token.slice(0, -7)) === token.slice(-7)
        ? holds("CRC-32 holds")
        : failed(`CRC-32 ${altered}`);
    case "github-fine-grained":
      return shaBase32(token.slice(0, 77)) === token.slice(77, 85).toUpperCase()
        ? holds("SHA-256 check characters hold")
        : failed(`SHA-256 ${altered}`);
    case "azure-key":
      return azureKey(token);
    case "azure-annotated":
      return annotatedTails(token.slice(0, 80)).includes(token.slice(80, 84))
        ? holds("Marvin32 checksum holds")
        : failed(`Marvin32 ${altered}`);
    case "entra-tail":
      return entra(token);
    case "anthropic-tail":
      return anthropic(token);
    case "openai-marker":
      return openai(token);
    case "groq-marker":
      return token.startsWith("WGdyb3FY", 24)
        ? { confidence: "likely", text: "vendor's marker at its place" }
        : { confidence: "possible", text: "vendor's marker is missing" };
    case "github-server-token":
      return jwt(token.slice(token.indexOf("_", 4) + 1), now, "critical");
    case "jwt":
      return jwt(token, now, null);
    case "pypi-macaroon":
      return isPypiMacaroon(Buffer.from(token.slice("pypi-".length), "base64url"))
        ? holds("macaroon is whole and names PyPI")
        : failed("macaroon does not decode: altered, cut or a sample");
  }
}

function holds(text: string): ProofResult {
  return { confidence: "certain", text };
}

function crc(token: string, bodyAt: number): ProofResult {
  const valid = crcBase62(token.slice(bodyAt, -6)) === token.slice(-6);
  return valid ? holds("CRC-32 holds") : failed(`CRC-32 ${altered}`);
}

/** Azure's "identifiable" keys: four signature characters, then six that end in the checksum, then padding. */
function azureKey(token: string): ProofResult {
  const bare = token.replaceAll("=", "");
  const seeds = azureSeedsOf(bare.slice(-10, -6));
  return holdsMarvin(Buffer.from(bare, "base64"), seeds)
    ? holds("Marvin32 checksum holds")
    : failed(`Marvin32 ${altered}`);
}

/** Only the generation that carries `8Q~` has check characters. */
function entra(token: string): ProofResult {
  if (!token.startsWith("8Q~", 3))
    return { confidence: null, text: "this generation has no check characters" };
  return entraTail(token.slice(0, -3)) === token.slice(-3)
    ? holds("Marvin32 check characters hold")
    : failed(`Marvin32 ${altered}`);
}

/** The named kinds end in AA: base64 of a length that leaves padding bits. Of other kinds it is only likely. */
function anthropic(token: string): ProofResult {
  if (token.endsWith("AA")) return { confidence: "likely", text: "ends in AA, as keys of this vendor do" };
  const named = token.startsWith("sk-ant-api") || token.startsWith("sk-ant-admin");
  return named
    ? failed("does not end in AA, as every key of this kind does: altered, cut or a sample")
    : { confidence: null, text: "a kind not known by name; the usual ending AA is missing" };
}

const openaiKinds = ["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"];

/** `T3BlbkFJ` is base64 of "OpenAI" and stands in the middle of every key. Not documented, so it raises the grade and proves nothing. */
function openai(token: string): ProofResult {
  const kind = openaiKinds.find((prefix) => token.startsWith(prefix)) ?? "sk-";
  const body = token.slice(kind.length);
  const at = body.indexOf("T3BlbkFJ");
  const middle = at > 0 && at * 2 + 8 === body.length;
  return middle
    ? { confidence: "likely", text: "vendor's marker in the middle" }
    : {
        confidence: "possible",
        text: "vendor's marker is not in the middle: altered, cut or another service's key",
      };
}

function jwt(token: string, now: number | null, severity: Severity | null): ProofResult {
  const facts = readJwt(token);
  if (facts === null) return failed("header and payload are no JSON: altered, cut or a sample");
  if (facts.algorithm === "none")
    return { confidence: "likely", text: "token decodes and is unsigned", severity: "low" };
  if (facts.expiresAt !== null && now !== null && facts.expiresAt <= now) {
    return { confidence: "likely", text: "token decodes and has expired", severity: "low" };
  }
  const still =
    facts.expiresAt === null ? "has no expiry" : now === null ? "has an expiry" : "has not expired";
  return {
    confidence: "likely",
    text: `token decodes and ${still}`,
    ...(severity === null ? {} : { severity }),
  };
}
