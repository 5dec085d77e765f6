import { KeyctlError } from "./errors.ts";
import { hkdf } from "./hkdf.ts";

/** The keys that one pepper version gives, 32 bytes each. */
export interface DerivedKeys {
  /** Kv: digests of issued keys */
  verifierKey: Uint8Array;
  /** Km: row MACs */
  rowKey: Uint8Array;
  /** Ki: hashes of idempotent requests */
  idempotencyKey: Uint8Array;
}

const keyBytes = 32;
/** A pepper is drawn with 256 bits; a shorter one is not ours. */
const pepperBytesMin = 32;

/** Kv, Km and Ki of a pepper: `HKDF-SHA-256(pepper, salt empty, info "keyctl/v1/…", 32)`. `integrity` for a short pepper. */
export function deriveKeys(pepper: Uint8Array): DerivedKeys {
  return {
    verifierKey: derive(pepper, Buffer.from("keyctl/v1/verifier-key")),
    rowKey: derive(pepper, Buffer.from("keyctl/v1/row-key")),
    idempotencyKey: derive(pepper, Buffer.from("keyctl/v1/idempotency-key")),
  };
}

/** Kleak of one tenant, 32 bytes: as above with info `"keyctl/v1/leak-key" ‖ tenant16` (the bytes of the tenant's UUID). */
export function leakKey(pepper: Uint8Array, tenant16: Uint8Array): Uint8Array {
  if (tenant16.length !== 16) throw new KeyctlError("failure", "a tenant's id is 16 bytes");
  return derive(pepper, Buffer.concat([Buffer.from("keyctl/v1/leak-key"), tenant16]));
}

function derive(pepper: Uint8Array, info: Uint8Array): Uint8Array {
  if (pepper.length < pepperBytesMin) {
    throw new KeyctlError("integrity", `the pepper in the vault is shorter than ${pepperBytesMin} bytes`, {
      hint: "keyctl doctor",
    });
  }
  return hkdf({ hash: "sha256", ikm: pepper, info, lengthBytes: keyBytes });
}
