import type { ObjectKind } from "./references.ts";
import type { UnlockMethod } from "./unlock.ts";

/** What a value is; decides what may be done with it. */
export type ValueType = "rsa-3072" | "p-256" | "secret";

/** The vault's only `meta` row. */
export interface HeaderRow {
  uuid: string;
  createdAt: number;
  method: UnlockMethod;
  parameters: string;
  keyCheck: Uint8Array;
  generation: number;
  mac: Uint8Array;
}

/** A name with its versions, by number. */
export interface ObjectRow {
  id: number;
  kind: ObjectKind;
  name: string;
  type: ValueType;
  deletedAt: number | null;
}

/** A version without its sealed value. */
export interface VersionRow {
  id: number;
  objectId: number;
  version: number;
  /** The vault's when it was sealed. */
  generation: number;
  enabled: boolean;
  createdAt: number;
  /** JSON as stored: an array of [name, value], sorted. */
  tags: string;
  /** The sealed value's authentication tag, which stands for the value. */
  tag: Uint8Array;
}

const valueTypes: readonly ValueType[] = ["rsa-3072", "p-256", "secret"];
const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Cells = Record<string, unknown>;

function isCells(row: unknown): row is Cells {
  return typeof row === "object" && row !== null;
}

function isCount(cell: unknown): cell is number {
  return typeof cell === "number" && Number.isSafeInteger(cell) && cell >= 0;
}

function isValueType(cell: unknown): cell is ValueType {
  return valueTypes.some((type) => type === cell);
}

/** Null when a cell is not of its kind: the file was not written by us. */
export function parseHeaderRow(row: unknown): HeaderRow | null {
  if (!isCells(row)) return null;
  const { uuid, unlock_method: method, unlock_parameters: parameters, created_at: createdAt } = row;
  const { key_check: keyCheck, generation, mac } = row;
  if (typeof uuid !== "string" || !uuidShape.test(uuid) || typeof parameters !== "string") return null;
  if (method !== "file" && method !== "passphrase") return null;
  if (!isCount(createdAt) || !isCount(generation)) return null;
  if (!(keyCheck instanceof Uint8Array) || !(mac instanceof Uint8Array)) return null;
  return { uuid, createdAt, method, parameters, keyCheck, generation, mac };
}

/** As `parseHeaderRow`. */
export function parseObjectRow(row: unknown): ObjectRow | null {
  if (!isCells(row)) return null;
  const { id, kind, name, type, deleted_at: deletedAt } = row;
  if (!isCount(id) || typeof name !== "string" || !isValueType(type)) return null;
  if (kind !== "keys" && kind !== "secrets") return null;
  if (deletedAt !== null && !isCount(deletedAt)) return null;
  return { id, kind, name, type, deletedAt };
}

/** As `parseHeaderRow`. */
export function parseVersionRow(row: unknown): VersionRow | null {
  if (!isCells(row)) return null;
  const { id, object_id: objectId, version, generation, enabled, created_at: createdAt, tags, tag } = row;
  if (!isCount(id) || !isCount(objectId) || !isCount(version)) return null;
  if (!isCount(generation) || !isCount(createdAt)) return null;
  if (enabled !== 0 && enabled !== 1) return null;
  if (typeof tags !== "string" || !(tag instanceof Uint8Array)) return null;
  return { id, objectId, version, generation, enabled: enabled === 1, createdAt, tags, tag };
}

/** Tags in their one stored form. */
export function formatTags(tags: Record<string, string>): string {
  return JSON.stringify(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isTag(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === "string");
}

/** The tags of a row whose MAC was checked, as a new object. */
export function parseTags(text: string): Record<string, string> {
  const entries: unknown = JSON.parse(text);
  return Array.isArray(entries) ? Object.fromEntries(entries.filter(isTag)) : {};
}
