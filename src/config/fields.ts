import { KeyctlError } from "../core/errors.ts";
import { nearestName } from "../core/near-name.ts";

export type JsonObject = Record<string, unknown>;

/** A JSON object from a file's text; `usage` that names the file, and the line where JSON stops being JSON. */
export function parseObject(text: string, path: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch (error) {
    throw new KeyctlError("usage", `${path} is not JSON`, {
      hint: "check its commas and quotes",
      cause: error,
    });
  }
  if (isObject(parsed)) return parsed;
  throw new KeyctlError("usage", `${path} is not a JSON object`, {
    hint: "it begins with { and ends with }",
  });
}

/** Refuses what is not known, with the nearest known name. `place` says where: `profile work`. */
export function assertFields(
  object: JsonObject,
  known: readonly string[],
  place: { path: string; within: string | null },
): void {
  for (const field of Object.keys(object)) {
    if (known.includes(field)) continue;
    const near = nearestName(field, known);
    const shown = /^[\w-]{1,40}$/.test(field) ? ` ${field}` : "";
    throw new KeyctlError("usage", `${place.path}${within(place)} has an unknown field${shown}`, {
      hint: near === null ? `known are ${known.join(", ")}` : `did you mean ${near}?`,
    });
  }
}

/** A text field, or null when it is absent; empty or anything but text is `usage`. */
export function textField(
  object: JsonObject,
  field: string,
  place: { path: string; within: string | null },
): string | null {
  const value = object[field];
  if (value === undefined) return null;
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new KeyctlError("usage", `${place.path}${within(place)}: ${field} is not a text`);
}

/** An object field, or null when it is absent; anything else is `usage`. */
export function objectField(object: JsonObject, field: string, path: string): JsonObject | null {
  const value = object[field];
  if (value === undefined) return null;
  if (isObject(value)) return value;
  throw new KeyctlError("usage", `${path}: ${field} is not an object`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function within(place: { within: string | null }): string {
  return place.within === null ? "" : `, ${place.within},`;
}
