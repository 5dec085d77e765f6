import { hkdfSync } from "node:crypto";

/** What HKDF (RFC 5869) is called with. An empty salt stands for a hash's length of zeros, as the RFC says. */
export interface HkdfInput {
  hash: "sha256" | "sha512";
  ikm: Uint8Array;
  salt?: Uint8Array;
  /** Text is taken as UTF-8. */
  info: string | Uint8Array;
  lengthBytes: number;
}

/** Derived key bytes of the asked length. */
export function hkdf(input: HkdfInput): Uint8Array {
  const salt = input.salt ?? new Uint8Array();
  return new Uint8Array(hkdfSync(input.hash, input.ikm, salt, input.info, input.lengthBytes));
}
