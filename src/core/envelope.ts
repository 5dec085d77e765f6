import { timingSafeEqual } from "node:crypto";
import { gcmOpen, gcmSeal } from "./aes-gcm.ts";
import { KeyctlError } from "./errors.ts";
import { hkdf } from "./hkdf.ts";
import { Secret } from "./secret.ts";

/** The place that a sealed value belongs to; moved anywhere else it does not open. */
export interface EnvelopeContext {
  table: string;
  column: string;
  /** The 16 bytes of the tenant's UUID. */
  tenant16: Uint8Array;
  /** The 16 bytes of the key's UUID. */
  row16: Uint8Array;
  version: bigint;
}

export interface SealInput {
  /** 32 bytes, a vault secret: without it, who can write the database could plant a value. */
  kAuth: Uint8Array;
  /** 1 to 255; stands in the header in the clear. */
  kAuthVersion: number;
  /** 32 bytes, drawn for this envelope alone. */
  dek: Uint8Array;
  context: EnvelopeContext;
  plaintext: Secret;
  /** Fresh for every envelope. */
  random: { salt32: Uint8Array; nonce12: Uint8Array };
}

export interface OpenInput {
  bytes: Uint8Array;
  kAuth: Uint8Array;
  dek: Uint8Array;
  context: EnvelopeContext;
}

export interface EnvelopeHeader {
  /** Which K_auth opens it. */
  kAuthVersion: number;
  salt: Uint8Array;
  commitment: Uint8Array;
  nonce: Uint8Array;
  /** Bytes of ciphertext, as many as of plaintext. */
  ciphertextLength: number;
}

// KCE1: 0 magic 4 · 4 suite 1 · 5 K_auth version 1 · 6 zero 2 · 8 salt 32 · 40 commitment 32 · 72 nonce 12 · 84 length u32 BE
const magic = Buffer.from("KCE1");
/** AES-256-GCM, HKDF-SHA-512, key commitment. */
const suite = 1;
const headerBytes = 88;
const keyBytes = 32;
const authTagLength = 16;

/**
 * A sealed value as `KCE1` bytes: 88 of header, the ciphertext, 16 of tag. The wrapped DEK stands beside it, not in it,
 * so that a new KEK never touches the ciphertext.
 */
export function sealEnvelope(input: SealInput): Uint8Array {
  const { salt32, nonce12 } = input.random;
  if (!Number.isInteger(input.kAuthVersion) || input.kAuthVersion < 1 || input.kAuthVersion > 255) {
    throw new KeyctlError("failure", "the version of K_auth must be 1 to 255");
  }
  if (salt32.length !== 32 || nonce12.length !== 12) {
    throw new KeyctlError("failure", "sealing takes 32 random bytes of salt and 12 of nonce");
  }
  const { key, commitment } = deriveKeys(input, salt32);
  const header = Buffer.alloc(headerBytes);
  header.set(magic, 0);
  header.writeUInt8(suite, 4);
  header.writeUInt8(input.kAuthVersion, 5);
  header.set(salt32, 8);
  header.set(commitment, 40);
  header.set(nonce12, 72);
  header.writeUInt32BE(input.plaintext.byteLength, 84);
  const place = { key, nonce: nonce12, associatedData: associatedData(header, input.context) };
  return Uint8Array.from(Buffer.concat([header, gcmSeal(place, input.plaintext.reveal())]));
}

/**
 * The plaintext of an envelope. `integrity` when the bytes are no envelope of a known form, were changed, belong to
 * another place, or were sealed under other keys. The commitment is compared first, so that no ciphertext can be made to
 * open under two keys.
 */
export function openEnvelope(input: OpenInput): Secret {
  const header = parseEnvelopeHeader(input.bytes);
  const { key, commitment } = deriveKeys(input, header.salt);
  if (!timingSafeEqual(commitment, header.commitment)) throw doesNotOpen();
  const aad = associatedData(input.bytes.subarray(0, headerBytes), input.context);
  const place = { key, nonce: header.nonce, associatedData: aad };
  const plaintext = gcmOpen(place, input.bytes.subarray(headerBytes));
  if (plaintext === null) throw doesNotOpen();
  const secret = Secret.fromBytes(plaintext);
  plaintext.fill(0);
  return secret;
}

/** The parts of an envelope's header; `integrity` for any other magic, suite or length, and where a zero must stand. */
export function parseEnvelopeHeader(bytes: Uint8Array): EnvelopeHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    view.length < headerBytes + authTagLength ||
    !view.subarray(0, 4).equals(magic) ||
    view.readUInt8(4) !== suite ||
    view.readUInt8(5) === 0 ||
    view.readUInt16BE(6) !== 0 ||
    view.readUInt32BE(84) !== view.length - headerBytes - authTagLength
  ) {
    throw new KeyctlError("integrity", "a sealed value is not in a form that this version of keyctl knows", {
      hint: "keyctl audit-verify --state",
    });
  }
  return {
    kAuthVersion: view.readUInt8(5),
    salt: Uint8Array.from(bytes.subarray(8, 40)),
    commitment: Uint8Array.from(bytes.subarray(40, 72)),
    nonce: Uint8Array.from(bytes.subarray(72, 84)),
    ciphertextLength: view.readUInt32BE(84),
  };
}

function deriveKeys(
  keys: { dek: Uint8Array; kAuth: Uint8Array },
  salt: Uint8Array,
): { key: Uint8Array; commitment: Uint8Array } {
  if (keys.dek.length !== keyBytes || keys.kAuth.length !== keyBytes) {
    throw new KeyctlError("integrity", "a key from the vault is not 32 bytes long", {
      hint: "keyctl doctor",
    });
  }
  const ikm = Buffer.concat([keys.dek, keys.kAuth]);
  const derive = (label: string): Uint8Array => {
    const info = Buffer.concat([magic, Uint8Array.of(suite), Buffer.from(label)]);
    return hkdf({ hash: "sha512", ikm, salt, info, lengthBytes: keyBytes });
  };
  return { key: derive("DERIVEKEY"), commitment: derive("COMMITKEY") };
}

/** `header ‖ "KCE1-CTX\0" ‖ u16 len ‖ table ‖ u16 len ‖ column ‖ tenant16 ‖ row16 ‖ u64 version`, numbers BE. */
function associatedData(header: Uint8Array, context: EnvelopeContext): Uint8Array {
  const { tenant16, row16, version } = context;
  if (tenant16.length !== 16 || row16.length !== 16 || version < 0n || version >= 1n << 64n) {
    throw new KeyctlError(
      "failure",
      "an envelope's context takes 16 bytes of tenant, 16 of row and a 64-bit version",
    );
  }
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(version);
  const place = [...lengthAndText(context.table), ...lengthAndText(context.column), tenant16, row16, number];
  return Buffer.concat([header, Buffer.from("KCE1-CTX\0"), ...place]);
}

function lengthAndText(text: string): Uint8Array[] {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xffff) throw new KeyctlError("failure", "a table or column name is too long");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return [length, bytes];
}

function doesNotOpen(): KeyctlError {
  return new KeyctlError(
    "integrity",
    "a sealed value does not open: it was changed, moved, or sealed under other keys",
    {
      hint: "keyctl audit-verify --state",
    },
  );
}
