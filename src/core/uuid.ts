import { KeyctlError } from "./errors.ts";

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const unixMsEnd = 2 ** 48;

/**
 * A UUIDv7 in lower case (RFC 9562 §5.7) from milliseconds since the epoch and 10 random bytes, of which 74 bits are
 * used. Ids of the same millisecond have no order among themselves.
 */
export function uuidv7(unixMs: number, random10: Uint8Array): string {
  if (!Number.isInteger(unixMs) || unixMs < 0 || unixMs >= unixMsEnd || random10.length !== 10) {
    throw new KeyctlError("failure", "a UUIDv7 takes a 48-bit time and 10 random bytes");
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(unixMs, 0, 6);
  bytes.set(random10, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidText(bytes);
}

/** True for the usual 8-4-4-4-12 text of any UUID version, in either case. */
export function isUuid(text: string): boolean {
  return shape.test(text);
}

/** The 16 bytes of a UUID's text. `integrity` when it is none: what a person typed goes through `isUuid` first. */
export function uuidBytes(text: string): Uint8Array {
  if (!isUuid(text)) throw new KeyctlError("integrity", "an id in the store is not a UUID");
  return Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
}

/** The text of a UUID's 16 bytes, lower case. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
