import { KeyctlError } from "./errors.ts";

/** The two halves of a sealed value: the data key that opens it, wrapped (`KCW1`), and the value itself (`KCE1`). */
export interface SealedValue {
  wrapped: Uint8Array;
  envelope: Uint8Array;
}

// KCV1: 0 magic 4 · 4 length n u16 BE · 6 KCW1 n · then KCE1
const magic = Buffer.from("KCV1");
const headerBytes = 6;

/** One piece of bytes to keep: the wrapped data key, and behind it the envelope that it opens. */
export function formatSealedValue({ wrapped, envelope }: SealedValue): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.set(magic, 0);
  header.writeUInt16BE(wrapped.length, 4);
  return Uint8Array.from(Buffer.concat([header, wrapped, envelope]));
}

/** The halves, unread; `integrity` for everything that is no `KCV1`. */
export function parseSealedValue(bytes: Uint8Array): SealedValue {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const envelopeAt = view.length < headerBytes ? 0 : headerBytes + view.readUInt16BE(4);
  if (envelopeAt <= headerBytes || envelopeAt >= view.length || !view.subarray(0, 4).equals(magic)) {
    throw new KeyctlError("integrity", "these bytes are no sealed value that this version of keyctl knows", {
      hint: "values.open takes exactly the bytes that values.seal answered",
    });
  }
  return { wrapped: bytes.subarray(headerBytes, envelopeAt), envelope: bytes.subarray(envelopeAt) };
}
