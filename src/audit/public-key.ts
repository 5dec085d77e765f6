import { createPublicKey, hash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { KeyctlError } from "../core/errors.ts";

/**
 * SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480): these 26 bytes, then the point's 65. Nothing else is
 * taken, so that one key has one spelling, one fingerprint and one key id.
 */
const spkiPrefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const spkiLength = 91;
const pemBegin = "-----BEGIN PUBLIC KEY-----";
const pemEnd = "-----END PUBLIC KEY-----";
const pemShape = new RegExp(`^${pemBegin}\n((?:[A-Za-z0-9+/=]{1,64}\n)+)${pemEnd}\n$`, "u");

/** SHA-256 of the SPKI DER, 64 hex digits: what people compare to know a signing key. */
export function fingerprint(spkiDer: Uint8Array): string {
  return hash("sha256", spkiDer, "hex");
}

/** The first 4 bytes of SHA-256(SPKI DER): how a signed note names its key (C2SP signed-note, ECDSA). */
export function keyId(spkiDer: Uint8Array): Uint8Array {
  return hash("sha256", spkiDer, "buffer").subarray(0, 4);
}

/** Reads a fingerprint as people type it: upper case, colons and blanks do not matter. Throws `usage` for anything else. */
export function parseFingerprint(text: string): string {
  const digits = text.replace(/[\s:]/gu, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/u.test(digits)) {
    throw new KeyctlError("usage", "a fingerprint is 64 hexadecimal digits", {
      hint: "it stands in VERIFY.md of a bundle that you trust, and in audit-verify's answer",
    });
  }
  return digits;
}

/** The key as `public-key.pem` holds it. */
export function formatPem(spkiDer: Uint8Array): string {
  const lines =
    Buffer.from(spkiDer)
      .toString("base64")
      .match(/.{1,64}/gu) ?? [];
  return `${[pemBegin, ...lines, pemEnd].join("\n")}\n`;
}

/** SPKI DER of a file that `formatPem` wrote; throws `integrity` for anything else. */
export function parsePem(text: string): Uint8Array {
  const body = pemShape.exec(text)?.[1];
  const der = Buffer.from(body?.replaceAll("\n", "") ?? "", "base64");
  if (formatPem(der) !== text) throw notAKey();
  openP256(der);
  return der;
}

/** The key for node:crypto; throws `integrity` when it is not a P-256 key in its one spelling. */
export function openP256(spkiDer: Uint8Array): KeyObject {
  const der = Buffer.from(spkiDer);
  if (der.length !== spkiLength || !der.subarray(0, spkiPrefix.length).equals(spkiPrefix)) throw notAKey();
  try {
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch (cause) {
    throw notAKey(cause);
  }
}

function notAKey(cause?: unknown): KeyctlError {
  return new KeyctlError("integrity", "the checkpoint's public key is not a P-256 key", { cause });
}
