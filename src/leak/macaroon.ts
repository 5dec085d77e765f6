/**
 * True when the bytes are one whole macaroon in the binary format, version 2 (libmacaroons, "doc/format.txt"), whose location names
 * PyPI or its test instance: version byte, location, identifier, caveats, a signature of 32 bytes, and nothing after it.
 */
export function isPypiMacaroon(bytes: Uint8Array): boolean {
  if (bytes[0] !== 2) return false;
  const head = readFields(bytes, 1);
  const location = head?.fields.get(locationField);
  if (head === null || location === undefined || !head.fields.has(identifierField)) return false;
  const place = Buffer.from(location).toString("latin1");
  if (place !== "pypi.org" && place !== "test.pypi.org") return false;
  let at = head.next;
  while (at < bytes.length && bytes[at] !== 0) {
    const caveat = readFields(bytes, at);
    if (caveat === null || !caveat.fields.has(identifierField)) return false;
    at = caveat.next;
  }
  return bytes[at + 1] === signatureField && bytes[at + 2] === 32 && bytes.length === at + 3 + 32;
}

const locationField = 1;
const identifierField = 2;
const signatureField = 6;

/** Fields `type length data` up to a zero byte, or null when they run over the end. Each field takes at least two bytes. */
function readFields(
  bytes: Uint8Array,
  from: number,
): { fields: Map<number, Uint8Array>; next: number } | null {
  const fields = new Map<number, Uint8Array>();
  let at = from;
  while (at < bytes.length) {
    const type = bytes[at] ?? 0;
    if (type === 0) return { fields, next: at + 1 };
    const length = readVarint(bytes, at + 1);
    if (length === null || length.next + length.value > bytes.length) return null;
    fields.set(type, bytes.subarray(length.next, length.next + length.value));
    at = length.next + length.value;
  }
  return null;
}

function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, next: at + 1 };
  const second = bytes[at + 1];
  return second === undefined || second >= 0x80
    ? null
    : { value: (first & 0x7f) | (second << 7), next: at + 2 };
}
