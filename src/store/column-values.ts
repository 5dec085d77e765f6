import { KeyctlError } from "../core/errors.ts";

/** A value that no keyctl wrote: the file was damaged, or changed by something else. */
function foreignValue(column: string): KeyctlError {
  return new KeyctlError("integrity", `the store holds a ${column} that keyctl did not write`, {
    hint: "restore the store from a backup, then run keyctl audit-verify",
  });
}

/** The text as one of the allowed words; `integrity` for any other. */
export function parseWord<Word extends string>(column: string, text: string, allowed: readonly Word[]): Word {
  const found = allowed.find((word) => word === text);
  if (found === undefined) throw foreignValue(column);
  return found;
}

/** Like `parseWord`, for a column that may be null. */
export function parseOptionalWord<Word extends string>(
  column: string,
  text: string | null,
  allowed: readonly Word[],
): Word | null {
  return text === null ? null : parseWord(column, text, allowed);
}

function parseJson(column: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw foreignValue(column);
  }
}

/** A JSON array of strings; `integrity` for anything else. */
export function parseTextList(column: string, text: string): string[] {
  const value = parseJson(column, text);
  if (!Array.isArray(value)) throw foreignValue(column);
  return value.map((item: unknown) => {
    if (typeof item !== "string") throw foreignValue(column);
    return item;
  });
}

type Scalar = string | number | boolean | null;

function isScalar(value: unknown): value is Scalar {
  return (
    value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
  );
}

/** A JSON object without nesting; `integrity` for anything else. */
export function parseScalarMap(column: string, text: string): Record<string, Scalar> {
  const value = parseJson(column, text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw foreignValue(column);
  const entries = Object.entries(value).map(([name, item]: [string, unknown]): [string, Scalar] => {
    if (!isScalar(item)) throw foreignValue(column);
    return [name, item];
  });
  return Object.fromEntries(entries);
}

/** A JSON object of strings; `integrity` for anything else. */
export function parseTextMap(column: string, text: string): Record<string, string> {
  const entries = Object.entries(parseScalarMap(column, text)).map(([name, item]): [string, string] => {
    if (typeof item !== "string") throw foreignValue(column);
    return [name, item];
  });
  return Object.fromEntries(entries);
}

/** The bytes without the driver's own class around them. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Like `plainBytes`, for a column that may be null. */
export function optionalBytes(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : plainBytes(bytes);
}

/** A name as it is compared: ASCII letters in lower case, everything else as it is. Names are ASCII. */
export function foldName(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
