import { createSecretKey, scrypt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Random } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";

/** scrypt's cost parameters (RFC 7914) and salt, as the vault stores them. */
export interface PassphraseParameters {
  n: number;
  r: number;
  p: number;
  salt: Uint8Array;
}

const passphraseBytesMin = 8;
const saltBytes = 32;
const keyBytes = 32;
/** The cost of a new vault: 128 MiB and about half a second; OWASP's first choice for scrypt. */
const newCost = { n: 2 ** 17, r: 8, p: 1 } as const;
/** Beyond this a changed file could take 1 GiB of memory; below `newCost` it would make guessing cheap. */
const nMax = 2 ** 20;

function isCost(n: unknown): n is number {
  return typeof n === "number" && Number.isInteger(n) && n >= newCost.n && n <= nMax && (n & (n - 1)) === 0;
}

/** The stored form: one line of JSON. */
export function formatPassphraseParameters({ n, r, p, salt }: PassphraseParameters): string {
  return JSON.stringify({ kdf: "scrypt", n, r, p, salt: Buffer.from(salt).toString("base64") });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Null for what is not exactly the stored form, or whose costs are out of bounds: checked before memory is taken. */
export function parsePassphraseParameters(text: string): PassphraseParameters | null {
  const value = parseJson(text);
  if (!isObject(value) || value["kdf"] !== "scrypt" || typeof value["salt"] !== "string") return null;
  const { n } = value;
  if (!isCost(n) || value["r"] !== newCost.r || value["p"] !== newCost.p) return null;
  const parameters = { n, r: newCost.r, p: newCost.p, salt: Buffer.from(value["salt"], "base64") };
  if (parameters.salt.length !== saltBytes) return null;
  return formatPassphraseParameters(parameters) === text ? parameters : null;
}

/** The costs of a new vault with a fresh salt. */
export function newPassphraseParameters(random: Random): PassphraseParameters {
  return { ...newCost, salt: random.bytes(saltBytes) };
}

/** Refuses (`refused`) a passphrase under 8 bytes or of white space only; asked once, when the vault is made. */
export function assertStrongPassphrase(passphrase: Secret): void {
  const blank = passphrase.reveal().every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
  if (!blank && passphrase.byteLength >= passphraseBytesMin) return;
  throw new KeyctlError(
    "refused",
    `a passphrase needs at least ${passphraseBytesMin} bytes that are not blank`,
  );
}

/** scrypt of the passphrase's exact bytes (no Unicode normalisation): 32 bytes. */
export async function stretchPassphrase(
  passphrase: Secret,
  { n, r, p, salt }: PassphraseParameters,
): Promise<KeyObject> {
  // scrypt needs 128·N·r bytes and a little; Node refuses above `maxmem`, whose default is 32 MiB.
  const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) };
  return await new Promise((resolve, reject) => {
    scrypt(passphrase.reveal(), salt, keyBytes, options, (error, key) => {
      if (error !== null) {
        reject(
          new KeyctlError("unavailable", "there is not enough memory to unlock the vault", { cause: error }),
        );
        return;
      }
      resolve(createSecretKey(key));
      key.fill(0);
    });
  });
}
