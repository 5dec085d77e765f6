import { KeyctlError } from "./errors.ts";

/** Any JSON value. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Nesting deeper than this is refused, so that hostile input cannot exhaust the stack. */
export const jsonDepthMax = 100;

/**
 * The one spelling of a JSON value (RFC 8785, JSON Canonicalization Scheme): no white space, names sorted by UTF-16 code
 * units, numbers and strings as ECMAScript writes them. `usage` for what JSON cannot carry the same way everywhere:
 * halves of surrogate pairs, numbers that are not finite, anything but plain data, nesting deeper than `jsonDepthMax`.
 */
export function canonicalJson(value: JsonValue): string {
  return serialise(value, 0);
}

function serialise(value: unknown, depth: number): string {
  if (depth > jsonDepthMax) throw refused(`nesting deeper than ${jsonDepthMax}`);
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      if (!Number.isFinite(value)) throw refused("a number that is not finite");
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? serialiseArray(value, depth) : serialiseObject(value, depth);
    default:
      throw refused(`a value of type ${typeof value}`);
  }
}

function serialiseArray(values: readonly unknown[], depth: number): string {
  // Array.from visits the holes of a sparse array too, which are then refused as undefined.
  return `[${Array.from(values, (value) => serialise(value, depth + 1)).join(",")}]`;
}

function serialiseObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A Date, a Map or a Secret would silently become {} here.
  if (prototype !== null && prototype !== Object.prototype) throw refused("an object that is not plain data");
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${quote(name)}:${serialise(member, depth + 1)}`);
  return `{${members.join(",")}}`;
}

function quote(text: string): string {
  if (!text.isWellFormed()) throw refused("half of a surrogate pair");
  return JSON.stringify(text);
}

function refused(what: string): KeyctlError {
  return new KeyctlError("usage", `canonical JSON cannot hold ${what}`);
}
