/** What a secret looks like in each of the ways in which it could stand somewhere. */
export interface Needle {
  secret: string;
  how: string;
  bytes: Buffer;
}

/** The secret in base64 wherever it begins in a group of three bytes: only characters that its neighbours cannot change. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const first = Math.ceil((offset * 8) / 6);
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(first, whole);
  });
}

/** Fewer characters than this stand in random bytes by chance. */
const halvedFrom = 16;

/** Plain, base64 (three alignments, two alphabets), hex, URL-encoded, JSON-escaped, and in UTF-16; whole and its later half. */
export function needlesOf(name: string, secret: string): Needle[] {
  const half = secret.slice(Math.floor(secret.length / 2));
  const parts = [["whole", secret], ...(secret.length < halvedFrom ? [] : [["the later half", half]])];
  return parts.flatMap(([part = "", value = ""]) => {
    const bytes = Buffer.from(value);
    const forms: [string, Buffer][] = [
      ["plain", bytes],
      ["hex", Buffer.from(bytes.toString("hex"))],
      ["HEX", Buffer.from(bytes.toString("hex").toUpperCase())],
      ["URL-encoded", Buffer.from(encodeURIComponent(value))],
      ["every byte URL-encoded", Buffer.from(bytes.toString("hex").replaceAll(/../g, "%$&"))],
      ["JSON-escaped", Buffer.from(JSON.stringify(value).slice(1, -1))],
      ["UTF-16", Buffer.from(value, "utf16le")],
      ["a list of bytes", Buffer.from([...bytes].join(","))],
      ...base64Forms(bytes).flatMap((text, offset): [string, Buffer][] => [
        [`base64 at ${offset}`, Buffer.from(text)],
        [`base64url at ${offset}`, Buffer.from(text.replaceAll("+", "-").replaceAll("/", "_"))],
      ]),
    ];
    return forms.map(([how, found]) => ({ secret: name, how: `${part}, ${how}`, bytes: found }));
  });
}

/** Which needles stand in these bytes, in words. */
export function findNeedles(bytes: Uint8Array, needles: readonly Needle[]): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return needles
    .filter((needle) => haystack.includes(needle.bytes))
    .map(({ secret, how }) => `${secret}: ${how}`);
}
