import { alphabets, type AlphabetName } from "./alphabet.ts";
import { annotatedTails, azureSeedsOf, crcBase36, crcBase62, entraTail, shaBase32 } from "./checksum.ts";
import { marvin32 } from "./marvin.ts";
import type { ProofName } from "./proof.ts";
import type { LeakRule, ShapePart } from "./rule.ts";

/** `count` random bytes; a test may give repeatable ones. */
export type RandomBytes = (count: number) => Uint8Array;

/** A made-up token that a rule finds with its proof valid, and a line of text that it stands in. */
export interface LeakExample {
  token: string;
  /** Holds the token, and the word without which a rule that needs one says nothing. */
  line: string;
}

/**
 * Assembles an example from the rule's own data: its first shape filled at random, then its checksum put right. So no
 * token has to stand in a source file, and every rule can be tried without knowing its vendor.
 */
export function exampleOf(rule: LeakRule, random: RandomBytes): LeakExample {
  const token = rule.structure === "pem" ? pemExample(random) : filled(rule, random);
  const word = rule.near?.words[0];
  const line = word === undefined ? `value: "${token}"` : `${word}${/[=:]$/u.test(word) ? "" : "="}${token}`;
  return { token, line };
}

function filled(rule: LeakRule, random: RandomBytes): string {
  const shape = rule.shapes[0] ?? [];
  const plain = shape.map((part) => fillPart(part, random)).join("");
  return rule.proof === undefined ? plain : complete(rule.proof, plain, random);
}

function fillPart(part: ShapePart, random: RandomBytes): string {
  if ("literal" in part) return part.literal;
  if ("oneOf" in part) return part.oneOf[0] ?? "";
  return randomText(part.run, Math.max(part.min, Math.min(part.max, 40)), random);
}

/** `length` characters of an alphabet, evenly drawn where 256 is a multiple of its size, nearly so elsewhere. */
export function randomText(alphabet: AlphabetName, length: number, random: RandomBytes): string {
  const characters = alphabets[alphabet];
  return Array.from(random(length), (byte) => characters[byte % characters.length] ?? "").join("");
}

/** Puts right what the proof looks at. */
function complete(proof: ProofName, plain: string, random: RandomBytes): string {
  switch (proof) {
    case "crc-base62": {
      const body = plain.slice(0, -6);
      return body + crcBase62(body.slice(body.indexOf("_") + 1));
    }
    case "gitlab-routable":
      return plain.slice(0, -7) + crcBase36(plain.slice(0, -7));
    case "github-fine-grained":
      return plain.slice(0, 77) + shaBase32(plain.slice(0, 77)) + plain.slice(85);
    case "azure-key":
      return azureExample(plain, random);
    case "azure-annotated":
      return plain.slice(0, 80) + annotatedTails(plain.slice(0, 80))[1] + plain.slice(84);
    case "entra-tail": {
      const body = `${plain.slice(0, 3)}8${plain.slice(4, -3)}`;
      return body + entraTail(body);
    }
    case "anthropic-tail":
      return `${plain.slice(0, -2)}AA`;
    case "groq-marker":
      return `${plain.slice(0, 24)}WGdyb3FY${plain.slice(32)}`;
    case "openai-marker":
      return plain;
    case "jwt":
      return jwtExample(random);
    case "github-server-token":
      return `ghs_1234567_${jwtExample(random)}`;
    case "pypi-macaroon":
      return `pypi-${macaroonExample(random)}`;
  }
}

/** The checksum over all but the last four bytes; drawn again while it does not fit an alphabet without `+` and `/`. */
function azureExample(plain: string, random: RandomBytes): string {
  const bare = plain.replaceAll("=", "");
  const padding = plain.slice(bare.length);
  const signature = bare.slice(-10, -6);
  const encoding = signature === "AzFu" ? "base64url" : "base64";
  const bytes = Buffer.from(bare, "base64");
  for (;;) {
    bytes.writeUInt32LE(marvin32(bytes.subarray(0, -4), azureSeedsOf(signature)[0] ?? 0n), bytes.length - 4);
    const token = bytes.toString(encoding).replaceAll("=", "");
    if (signature !== "AzSe" || /^[A-Za-z0-9]+$/u.test(token)) return token + padding;
    Buffer.from(randomText("base62", 20, random), "base64").copy(bytes);
  }
}

function jwtExample(random: RandomBytes): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const subject = Buffer.from(random(8)).toString("hex");
  return [
    part({ alg: "HS256", typ: "JWT" }),
    part({ sub: subject, iat: 1_700_000_000 }),
    Buffer.from(random(32)).toString("base64url"),
  ].join(".");
}

function macaroonExample(random: RandomBytes): string {
  const field = (type: number, data: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([type, data.length]), data]);
  const end = Buffer.from([0]);
  return Buffer.concat([
    Buffer.from([2]),
    field(1, Buffer.from("pypi.org")),
    field(2, random(36)),
    end,
    field(2, Buffer.from('{"permissions":"user","version":1}')),
    end,
    end,
    field(6, random(32)),
  ]).toString("base64url");
}

/** An Ed25519 private key in PKCS #8 (RFC 8410): a fixed head and 32 random bytes. */
function pemExample(random: RandomBytes): string {
  const head = Buffer.from("302e020100300506032b657004220420", "hex");
  const body = Buffer.concat([head, random(32)]).toString("base64");
  const label = "PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;
}
