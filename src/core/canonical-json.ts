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
  let members = "";
  // The default order is the wanted one, by UTF-16 code units.
  for (const name of Object.keys(value).toSorted()) {
    const member: unknown = Reflect.get(value, name);
    members += `${members === "" ? "" : ","}${quote(name)}:${serialise(member, depth + 1)}`;
  }
  return `{${members}}`;
}

/** Most text needs no escape, and looking at it is quicker than escaping it. */
const plain = /^[ !#-[\]-~]*$/u;

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw refused("half of a surrogate pair");
  return JSON.stringify(text);
}

function refused(what: string): KeyctlError {
  return new KeyctlError("usage", `canonical JSON cannot hold ${what}`);
}
