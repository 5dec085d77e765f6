import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Random } from "../../app/ports.ts";
import { encodeFields } from "./fields.ts";
import type { Field } from "./fields.ts";

/**
 * The keys of one vault, each HKDF-SHA-256 (RFC 5869) of the unlock key with the vault's uuid as salt, so one unlock key
 * may serve several vaults.
 */
export interface VaultKeyring {
  seal: KeyObject;
  row: KeyObject;
  header: KeyObject;
  /** 32 bytes that tell the right unlock key from a wrong one; stored in the clear. */
  check: Buffer;
}

/** One sealed value as it is stored. */
export interface SealedValue {
  /** 32 bytes; the value's own key is HKDF of the sealing key and this. */
  salt: Uint8Array;
  /** 12 bytes */
  nonce: Uint8Array;
  /** 16 bytes */
  tag: Uint8Array;
  sealed: Uint8Array;
}

const cipher = "aes-256-gcm";
const authTagLength = 16;

function derive(key: KeyObject, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, 32));
}

function deriveKey(key: KeyObject, salt: Uint8Array, info: string): KeyObject {
  const bytes = derive(key, salt, info);
  const derived = createSecretKey(bytes);
  bytes.fill(0);
  return derived;
}

export function deriveKeyring(unlockKey: KeyObject, uuid: string): VaultKeyring {
  const salt = Buffer.from(uuid.replaceAll("-", ""), "hex");
  return {
    seal: deriveKey(unlockKey, salt, "keyctl/vault/v1/seal"),
    row: deriveKey(unlockKey, salt, "keyctl/vault/v1/row"),
    header: deriveKey(unlockKey, salt, "keyctl/vault/v1/header"),
    check: derive(unlockKey, salt, "keyctl/vault/v1/check"),
  };
}

/** AES-256-GCM (NIST SP 800-38D) under a key of its own, so that no nonce can repeat under one key. */
export function sealValue(
  keyring: VaultKeyring,
  { plaintext, context, random }: { plaintext: Uint8Array; context: Field[]; random: Random },
): SealedValue {
  const salt = random.bytes(32);
  const nonce = random.bytes(12);
  const key = deriveKey(keyring.seal, salt, "keyctl/vault/v1/value");
  const encryption = createCipheriv(cipher, key, nonce, { authTagLength });
  encryption.setAAD(encodeFields(["keyctl-vault-value-v1", ...context]));
  const sealed = Buffer.concat([encryption.update(plaintext), encryption.final()]);
  return { salt, nonce, tag: encryption.getAuthTag(), sealed };
}

/** The plaintext, which the caller wipes; null when value or context are not what was sealed. */
export function openValue(keyring: VaultKeyring, value: SealedValue, context: Field[]): Buffer | null {
  try {
    const key = deriveKey(keyring.seal, value.salt, "keyctl/vault/v1/value");
    const decryption = createDecipheriv(cipher, key, value.nonce, { authTagLength });
    decryption.setAAD(encodeFields(["keyctl-vault-value-v1", ...context]));
    decryption.setAuthTag(value.tag);
    return Buffer.concat([decryption.update(value.sealed), decryption.final()]);
  } catch {
    // Node throws for a wrong tag and for a nonce or tag of a wrong length alike; its text says nothing more.
    return null;
  }
}

/** HMAC-SHA-256 of fields under one of the vault's keys. */
export function authenticate(key: KeyObject, fields: Field[]): Buffer {
  return createHmac("sha256", key).update(encodeFields(fields)).digest();
}
