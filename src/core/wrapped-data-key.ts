import { timingSafeEqual } from "node:crypto";
import { KeyctlError } from "./errors.ts";
import { hkdf } from "./hkdf.ts";
import { hmacSha256 } from "./hmac.ts";
import { uuidBytes, uuidText } from "./uuid.ts";

/** Where a wrapped data key belongs, and the bytes that its encryption key made of it. */
export interface WrappedDataKey {
  tenantId: string;
  /** The encryption key that wraps, and the version of it. */
  keyId: string;
  version: number;
  /** The data key's own id, as the store counts it. */
  id: string;
  /** RSA-OAEP-256 of the 32 bytes. */
  wrapped: Uint8Array;
}

// KCW1: 0 magic 4 · 4 suite 1 · 5 K_auth version 1 · 6 length n u16 BE · 8 tenant 16 · 24 key 16 · 40 data key 16 · 56 version
// u32 BE · 60 wrapped n · then tag 32
const magic = Buffer.from("KCW1");
/** RSA-OAEP-256, HMAC-SHA-256. */
const suite = 1;
const headerBytes = 60;
const tagBytes = 32;
/** RSA-8192 makes 1,024 bytes; nothing larger is ours. */
const wrappedBytesMax = 1_024;

/**
 * A wrapped data key as `KCW1` bytes. The tag is made with a key from K_auth: with the public half of an encryption key alone
 * anybody could wrap a data key of his own choice, and plant it.
 */
export function formatWrappedDataKey(
  dataKey: WrappedDataKey,
  kAuth: { version: number; key: Uint8Array },
): Uint8Array {
  const { wrapped, version } = dataKey;
  if (wrapped.length === 0 || wrapped.length > wrappedBytesMax) {
    throw new KeyctlError("failure", `a wrapped data key has 1 to ${wrappedBytesMax} bytes`);
  }
  const header = Buffer.alloc(headerBytes);
  header.set(magic, 0);
  header.writeUInt8(suite, 4);
  header.writeUInt8(kAuth.version, 5);
  header.writeUInt16BE(wrapped.length, 6);
  header.set(uuidBytes(dataKey.tenantId), 8);
  header.set(uuidBytes(dataKey.keyId), 24);
  header.set(uuidBytes(dataKey.id), 40);
  header.writeUInt32BE(version, 56);
  const body = Buffer.concat([header, wrapped]);
  return Uint8Array.from(Buffer.concat([body, tagOf(kAuth.key, body)]));
}

/** Which K_auth made the tag; `integrity` for everything that is not `KCW1` of a known form and length. */
export function wrappedDataKeyAuth(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    view.length <= headerBytes + tagBytes ||
    view.length > headerBytes + wrappedBytesMax + tagBytes ||
    !view.subarray(0, 4).equals(magic) ||
    view.readUInt8(4) !== suite ||
    view.readUInt8(5) === 0 ||
    view.readUInt16BE(6) !== view.length - headerBytes - tagBytes
  ) {
    throw new KeyctlError(
      "integrity",
      "these bytes are no wrapped data key that this version of keyctl knows",
      {
        hint: "unwrap takes exactly the bytes that dataKey answered",
      },
    );
  }
  return view.readUInt8(5);
}

/** The parts of `KCW1` bytes. `integrity` when the tag is not the one that this K_auth gives: they were changed, or made elsewhere. */
export function parseWrappedDataKey(bytes: Uint8Array, kAuth: Uint8Array): WrappedDataKey {
  wrappedDataKeyAuth(bytes);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = view.subarray(0, -tagBytes);
  if (!timingSafeEqual(tagOf(kAuth, body), view.subarray(-tagBytes))) {
    throw new KeyctlError("integrity", "a wrapped data key was changed, or another store wrapped it", {
      hint: "unwrap it with the store and the vault that wrapped it",
    });
  }
  return {
    tenantId: uuidText(body.subarray(8, 24)),
    keyId: uuidText(body.subarray(24, 40)),
    id: uuidText(body.subarray(40, 56)),
    version: body.readUInt32BE(56),
    wrapped: Uint8Array.from(body.subarray(headerBytes)),
  };
}

function tagOf(kAuth: Uint8Array, body: Uint8Array): Uint8Array {
  const info = Buffer.from("keyctl/v1/data-key");
  return hmacSha256(hkdf({ hash: "sha256", ikm: kAuth, info, lengthBytes: 32 }), body);
}
