import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { alphabets } from "./alphabet.ts";
import { marvin32, marvinSeed } from "./marvin.ts";

/**
 * GitHub's and npm's checksum: CRC-32/IEEE of the body, base62 (digits, upper, lower), left-padded with `0` to six
 * characters (github.blog, "Behind GitHub's new authentication token formats", 2021).
 */
export function crcBase62(body: string): string {
  return inBase(crc32(body), alphabets.base62).padStart(6, "0");
}

/** GitLab's routable tokens: CRC-32/IEEE of all that stands before, base36 in lower case, seven wide (GitLab docs, "Token overview"). */
export function crcBase36(body: string): string {
  return crc32(body).toString(36).padStart(7, "0");
}

/** The first eight characters of base32(SHA-256(text)): seen in GitHub's fine-grained tokens, not documented by GitHub. */
export function shaBase32(text: string): string {
  const digest = hash("sha256", text, "buffer");
  let bits = 0n;
  for (const byte of digest.subarray(0, 5)) bits = (bits << 8n) | BigInt(byte);
  let out = "";
  for (let shift = 35n; shift >= 0n; shift -= 5n)
    out += alphabets.base32[Number((bits >> shift) & 31n)] ?? "";
  return out;
}

/**
 * Seeds by the signature inside the key: the names that Microsoft's security-utilities publish. A service has one for each
 * of its kinds of key, and the key does not say which.
 */
const azureSeeds: Readonly<Record<string, readonly string[]>> = {
  "+ASt": ["Default0"],
  ACDb: ["MastRO00", "MastRW00", "SysAll00", "SystRO00", "SystRW00", "Resour00", "Encryp00"],
  "+ASb": ["Send0000", "Manage00", "Listen00", "System00", "Unknown0"],
  "+AEh": ["Send0000", "Manage00", "Listen00", "System00", "Unknown0"],
  "+ARm": ["Send0000", "Manage00", "Listen00", "System00", "Unknown0"],
  "+ABa": ["AbAcct00"],
  "+AMC": ["Classic0"],
  "+ACR": ["ACRDflt0"],
  AzFu: ["Master00", "System00", "Functi00"],
  AzCa: ["Access00"],
  AzSe: ["Query000", "PAdmin00"],
  AIoT: ["IoTHub00", "DpsKey00", "Device00"],
  APIM: ["Tenant00", "IoTHub00", "Gatewy00", "GitKey00"],
};

/** The seeds to try for an Azure signature; empty when the signature is not known. */
export function azureSeedsOf(signature: string): bigint[] {
  return (azureSeeds[signature] ?? []).map(marvinSeed);
}

/** True when the last four of the key's decoded bytes are Marvin32 of the rest, little-endian, under one of the seeds. */
export function holdsMarvin(bytes: Uint8Array, seeds: readonly bigint[]): boolean {
  if (bytes.length < 5) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stored = view.getUint32(bytes.length - 4, true);
  const body = bytes.subarray(0, bytes.length - 4);
  return seeds.some((seed) => marvin32(body, seed) === stored);
}

/**
 * The two tails that a "common annotated" Azure key may carry after its first 80 characters: three checksum bytes in base64, or
 * the first four base62 digits of the checksum's bytes.
 */
export function annotatedTails(first80: string): [string, string] {
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(
    0,
    marvin32(Buffer.from(first80, "base64"), marvinSeed("Default0")),
    true,
  );
  let zeros = 0;
  while (zeros < 3 && sum[zeros] === 0) zeros += 1;
  const number = new DataView(sum.buffer).getUint32(0, false);
  const base62 = "0".repeat(zeros) + inBase(number, alphabets.base62);
  return [Buffer.from(sum.subarray(0, 3)).toString("base64"), base62.slice(0, 4)];
}

const entraAlphabet = alphabets.lower + alphabets.upper + "1234567890.-_~";

/** The last three characters of an Entra client secret: the first three digits of Marvin32 in an alphabet of 66. */
export function entraTail(body: string): string {
  return inBase(marvin32(Buffer.from(body, "latin1"), marvinSeed("AadPwd00")), entraAlphabet).slice(0, 3);
}

function inBase(value: number, alphabet: string): string {
  let rest = value;
  let out = "";
  do {
    out = (alphabet[rest % alphabet.length] ?? "") + out;
    rest = Math.floor(rest / alphabet.length);
  } while (rest > 0);
  return out;
}
