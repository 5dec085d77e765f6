/** First bytes of formats whose content does not stand in the file as text, and what to say of them. */
const signatures: readonly { bytes: readonly number[]; reason: string }[] = [
  { bytes: [0x1f, 0x8b], reason: "gzip is not unpacked" },
  { bytes: [0x50, 0x4b, 0x03, 0x04], reason: "zip is not unpacked" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], reason: "zstd is not unpacked" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], reason: "xz is not unpacked" },
  { bytes: [0x42, 0x5a, 0x68], reason: "bzip2 is not unpacked" },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], reason: "7z is not unpacked" },
  { bytes: [0xff, 0xfe], reason: "UTF-16 is not read" },
  { bytes: [0xfe, 0xff], reason: "UTF-16 is not read" },
];

/** Why a file that begins with these bytes (six are enough) is not really read by scanning its bytes; null when it is. */
export function unreadableReason(head: Uint8Array): string | null {
  return signatures.find(({ bytes }) => bytes.every((byte, at) => head[at] === byte))?.reason ?? null;
}
