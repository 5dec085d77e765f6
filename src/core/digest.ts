import { timingSafeEqual } from "node:crypto";
import { KeyctlError } from "./errors.ts";
import { hmacSha256 } from "./hmac.ts";
import { Secret } from "./secret.ts";

/** What the digest of an issued key binds together. */
export interface DigestInput {
  /** The 16 bytes of the tenant's UUID. */
  tenant16: Uint8Array;
  /** As in the key, at most 32 ASCII characters. */
  prefix: string;
  /** The public id's 10 bytes. */
  id10: Uint8Array;
  /** The secret's 24 bytes. */
  secret24: Uint8Array | Secret;
}

const label = Buffer.from("keyctl/v1/verifier\0");

/**
 * What the store keeps of an issued key, 32 bytes: `HMAC-SHA-256(Kv, "keyctl/v1/verifier\0" ‖ tenant16 ‖ len1 ‖ prefix ‖
 * id10 ‖ secret24)`. It is keyed so that who can write the database still cannot mint a key, and it binds the tenant and
 * the prefix so that a digest does not verify in another row.
 */
export function digestOf(verifierKey: Uint8Array, input: DigestInput): Uint8Array {
  const prefix = Buffer.from(input.prefix);
  const secret24 = input.secret24 instanceof Secret ? input.secret24.reveal() : input.secret24;
  if (
    input.tenant16.length !== 16 ||
    prefix.length > 255 ||
    input.id10.length !== 10 ||
    secret24.length !== 24
  ) {
    throw new KeyctlError(
      "failure",
      "a digest takes 16 bytes of tenant, a short prefix, 10 of id and 24 of secret",
    );
  }
  const { tenant16, id10 } = input;
  return hmacSha256(verifierKey, label, tenant16, Uint8Array.of(prefix.length), prefix, id10, secret24);
}

/** Whether a presented key's digest is the stored one, in constant time. A row without a digest never matches. */
export function digestMatches(presented: Uint8Array, stored: Uint8Array | null): boolean {
  return stored !== null && stored.length === presented.length && timingSafeEqual(presented, stored);
}

const dummy: DigestInput = {
  tenant16: new Uint8Array(16),
  prefix: "kc_live",
  id10: new Uint8Array(10),
  secret24: new Uint8Array(24),
};

/** The same work as for a known id, for one that no row has; always false, so that time does not tell which ids exist. */
export function dummyDigest(verifierKey: Uint8Array): false {
  const presented = digestOf(verifierKey, dummy);
  digestMatches(presented, new Uint8Array(presented.length));
  return false;
}
