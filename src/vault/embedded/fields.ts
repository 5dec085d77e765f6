/** What can stand in an authenticated list of fields. */
export type Field = string | number | boolean | null | Uint8Array;

const absent = Buffer.from("ffffffff", "hex");

function fieldBytes(field: Exclude<Field, null>): Uint8Array {
  return field instanceof Uint8Array ? field : Buffer.from(String(field), "utf8");
}

/**
 * The bytes that are authenticated for a list of fields: each as u32 BE length, then its bytes (text as UTF-8, numbers
 * in decimal), null as length ffffffff. Lengths keep neighbouring fields apart, so two different lists of one shape
 * never give the same bytes. The same form as the store's row MAC.
 */
export function encodeFields(fields: Field[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    if (field === null) {
      parts.push(absent);
      continue;
    }
    const bytes = fieldBytes(field);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
