import { hash } from "node:crypto";
import { KeyctlError } from "./errors.ts";
import { hmacSha256 } from "./hmac.ts";
import type { KeyKind, KeyRecord, VersionRecord } from "./model.ts";
import { uuidBytes } from "./uuid.ts";

/** The fields of a version's row that its MAC covers, in the order in which it covers them. */
export interface RowMacFields {
  kind: KeyKind;
  /** UUID text; its 16 bytes are covered. */
  tenantId: string;
  /** UUID text; its 16 bytes are covered. */
  keyId: string;
  version: number;
  publicId: string | null;
  prefix: string | null;
  /** issued: the digest; provider: SHA-256 of the envelope; secret, encryption: the vault reference's UTF-8 bytes */
  value: Uint8Array | null;
  /** In the order stored. */
  scopes: readonly string[];
  tier: string | null;
  /** Milliseconds. No row has one yet, but its place is kept. */
  notBefore: number | null;
  /** Milliseconds */
  expiresAt: number | null;
  /** Milliseconds */
  graceUntil: number | null;
  owner: string;
  /** In the order stored. */
  authorizedServices: readonly string[];
}

const label = Buffer.from("keyctl/v1/row\0");

/** What the MAC of this version's row must cover. The kind says which column holds the value; the others are ignored. */
export function rowMacFields(key: KeyRecord, version: VersionRecord): RowMacFields {
  return {
    kind: key.kind,
    tenantId: key.tenantId,
    keyId: key.id,
    version: version.version,
    publicId: version.publicId,
    prefix: key.prefix,
    value: valueOf(key.kind, version),
    scopes: key.scopes,
    tier: key.tier,
    notBefore: null,
    expiresAt: version.expiresAt,
    graceUntil: version.graceUntil,
    owner: key.owner,
    authorizedServices: key.authorizedServices,
  };
}

function valueOf(kind: KeyKind, version: VersionRecord): Uint8Array | null {
  switch (kind) {
    case "issued":
      return version.digest;
    case "provider":
      return version.envelope === null ? null : hash("sha256", version.envelope, "buffer");
    case "secret":
    case "encryption":
      return text(version.vaultReference);
  }
}

/**
 * The MAC's input: `"keyctl/v1/row\0"`, then each field as u32 BE length and bytes, null as length ffffffff. Text is
 * UTF-8, a UUID its 16 bytes, a number u64 BE, a list the same length-and-bytes of its items one after the other (so an
 * empty list is length 0). `integrity` for ids and numbers that keyctl never writes.
 */
export function rowMacInput(fields: RowMacFields): Uint8Array {
  return joined(label, [
    text(fields.kind),
    uuidBytes(fields.tenantId),
    uuidBytes(fields.keyId),
    number(fields.version),
    text(fields.publicId),
    text(fields.prefix),
    fields.value,
    list(fields.scopes),
    text(fields.tier),
    number(fields.notBefore),
    number(fields.expiresAt),
    number(fields.graceUntil),
    text(fields.owner),
    list(fields.authorizedServices),
  ]);
}

/** `HMAC-SHA-256(Km, input)`, 32 bytes. */
export function rowMac(rowKey: Uint8Array, fields: RowMacFields): Uint8Array {
  return hmacSha256(rowKey, rowMacInput(fields));
}

/** SHA-256 of the MAC's input, 32 bytes: what a revoke's audit entry keeps, so that an undo finds a changed row. */
export function rowMacDigest(fields: RowMacFields): Uint8Array {
  return Uint8Array.from(hash("sha256", rowMacInput(fields), "buffer"));
}

/** Each field as its length and its bytes, after what comes first; in one piece, because every row of a bulk change is read so. */
function joined(first: Uint8Array, fields: readonly (Uint8Array | null)[]): Uint8Array {
  const all = fields.reduce((sum, bytes) => sum + 4 + (bytes?.length ?? 0), first.length);
  const whole = new Uint8Array(all);
  const view = new DataView(whole.buffer);
  whole.set(first);
  let at = first.length;
  for (const bytes of fields) {
    view.setUint32(at, bytes?.length ?? 0xffff_ffff);
    at += 4;
    if (bytes === null) continue;
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}

function text(value: string | null): Uint8Array | null {
  return value === null ? null : Buffer.from(value);
}

function list(items: readonly string[]): Uint8Array {
  return joined(
    new Uint8Array(),
    items.map((item) => text(item)),
  );
}

function number(value: number | null): Uint8Array | null {
  if (value === null) return null;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new KeyctlError("integrity", "a row holds a number that keyctl never writes", {
      hint: "keyctl audit-verify --state",
    });
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
