import { canonicalJson } from "../core/canonical-json.ts";
import type { JsonValue } from "../core/canonical-json.ts";
import { KeyctlError } from "../core/errors.ts";
import { hmacSha256 } from "../core/hmac.ts";
import { keyKinds, versionStates } from "../core/model.ts";
import type { KeyKind, Transition } from "../core/model.ts";

export const sensitivities = ["LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;
export type Sensitivity = (typeof sensitivities)[number];

export const auditOutcomes = ["success", "denied", "failure", "partial"] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** Which key an entry is about, as it was called then. */
export interface AuditKey {
  id: string;
  name: string;
  env: string;
  kind: KeyKind;
}

/** An audit entry but for its sequence number, which the store gives when it appends. */
export interface AuditDraft {
  /** The tenant's id, or `system`. */
  log: string;
  /** Milliseconds since the epoch, UTC. */
  ts: number;
  /** UUIDv7 of the entry. */
  id: string;
  /** What was done: `key.create`, `key.rotate` … */
  operation: string;
  phase: "intent" | "outcome";
  outcome: AuditOutcome;
  sensitivity: Sensitivity;
  /** The actor's opaque id; never a name or a login. */
  actor: string;
  /** How the actor was known. */
  auth: string;
  /** The log's own tenant; null in the log `system`. */
  tenant: string | null;
  key: AuditKey | null;
  /** Every state that was changed in the same transaction. */
  transitions: readonly Transition[];
  before: JsonValue;
  /** `{"deleted": boolean}` in it says that the key was deleted or restored (`state-replay.ts`). */
  after: JsonValue;
  /** A revoke's reason code. Free text goes into `personal`. */
  reason: string | null;
  correlationId: string;
  durationMs: number;
  /** Name and version of the program. */
  tool: string;
  /** Field → hex of `commitPersonal`. */
  personal: Readonly<Record<string, string>>;
  /** 16 random bytes, hex: two like events never give the same leaf. */
  blind: string;
}

export interface AuditEntry extends AuditDraft {
  v: 1;
  /** Place in the log from 0, which is the leaf's index in the tree. */
  seq: number;
}

/** The exact bytes before and after the decimal sequence number. */
export interface EntryParts {
  head: Uint8Array;
  tail: Uint8Array;
}

/** An entry's bytes are at most this many, so that a length fits in 16 bits. */
export const entryBytesMax = 65_535;

/** The log of what belongs to no tenant. */
export const systemLog = "system";

const seqDigitsMax = 16;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
const operationName = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*$/u;
const logName = /^[0-9A-Za-z._-]{1,64}$/u;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of an entry around its number, in RFC 8785 order, so that whoever appends needs no JSON. Throws `refused`
 * when the entry would be longer than `entryBytesMax`, `failure` when a field is not what `parseEntry` takes back.
 */
export function formatEntryParts(draft: AuditDraft): EntryParts {
  const entry: Record<string, unknown> = { ...draft, v: 1, seq: 0 };
  const wrong = wrongField(entry);
  if (wrong !== null) throw new KeyctlError("failure", `an audit entry cannot be written: ${wrong}`);
  const fields = Object.entries(entry);
  const before = canonical(Object.fromEntries(fields.filter(([name]) => name < "seq")));
  const after = canonical(Object.fromEntries(fields.filter(([name]) => name > "seq")));
  const head = utf8.encode(`${before.slice(0, -1)},"seq":`);
  const tail = utf8.encode(`,${after.slice(1)}`);
  const longest = head.length + seqDigitsMax + tail.length;
  if (longest > entryBytesMax) {
    throw new KeyctlError(
      "refused",
      `the audit entry would take ${longest} bytes, and ${entryBytesMax} is the most`,
      {
        hint: "use fewer or shorter tags, scopes and descriptions in one change",
      },
    );
  }
  return { head, tail };
}

/** The entry as it is stored, hashed and exported. */
export function entryBytes(parts: EntryParts, seq: number): Uint8Array {
  const number = utf8.encode(String(seq));
  const bytes = new Uint8Array(parts.head.length + number.length + parts.tail.length);
  bytes.set(parts.head, 0);
  bytes.set(number, parts.head.length);
  bytes.set(parts.tail, parts.head.length + number.length);
  return bytes;
}

/**
 * Reads an entry's exact bytes. Throws `integrity` for everything that `formatEntryParts` would not have written: other
 * order, other spelling of the same value, unknown version or field, doubled names, bad UTF-8, too long.
 */
export function parseEntry(bytes: Uint8Array): AuditEntry {
  if (bytes.length > entryBytesMax) throw notAnEntry(`is longer than ${entryBytesMax} bytes`);
  const text = decode(bytes);
  const value = parseJson(text);
  if (!isObject(value)) throw notAnEntry("is not a JSON object");
  if (value["v"] !== 1) throw notAnEntry("is of a version that this keyctl does not know");
  if (!isEntry(value)) throw notAnEntry(`cannot be read: ${wrongField(value) ?? "unknown field"}`);
  if (!isCanonical(value, text)) throw notAnEntry("is not in canonical form");
  return value;
}

/**
 * `HMAC-SHA-256(salt32, "keyctl/v1/pii\0" ‖ field ‖ 00 ‖ value)`, 32 bytes. The salt is kept beside the log: once it is
 * erased, the commitment says nothing any more and the log still verifies.
 */
export function commitPersonal(salt: Uint8Array, field: string, value: string): Uint8Array {
  if (salt.length !== 32 || field.includes("\0")) {
    throw new KeyctlError("failure", "a commitment needs a salt of 32 bytes and a field without NUL");
  }
  return hmacSha256(salt, utf8.encode(`keyctl/v1/pii\0${field}\0${value}`));
}

function decode(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw notAnEntry("is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAnEntry("is not JSON");
  }
}

/** The canonical form cannot be made of some values (lone surrogates, nesting too deep): those are refused too. */
function isCanonical(value: unknown, text: string): boolean {
  try {
    return canonical(value) === text;
  } catch {
    return false;
  }
}

/** `canonicalJson` looks at every value itself and refuses what is not JSON. */
function canonical(value: unknown): string {
  return canonicalJson(value as JsonValue);
}

function notAnEntry(what: string): KeyctlError {
  return new KeyctlError("integrity", `an audit entry ${what}`);
}

/** Whose log it is: each tenant has the log of its id, and `system` belongs to none. */
export function tenantOf(log: string): string | null {
  return log === systemLog ? null : log;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value.length > 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isAnything: Check = () => true;
const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value);
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const keyChecks: Record<keyof AuditKey, Check> = {
  id: isText,
  name: isText,
  env: isText,
  kind: oneOf(...keyKinds),
};

const transitionChecks: Record<keyof Transition, Check> = {
  version: (value) => isCount(value) && value !== 0,
  from: oneOf(null, ...versionStates),
  to: oneOf(...versionStates),
};

const entryChecks: Record<keyof AuditEntry, Check> = {
  v: oneOf(1),
  log: matches(logName),
  seq: isCount,
  ts: isCount,
  id: matches(uuid),
  operation: matches(operationName),
  phase: oneOf("intent", "outcome"),
  outcome: oneOf(...auditOutcomes),
  sensitivity: oneOf(...sensitivities),
  actor: isText,
  auth: isText,
  tenant: orNull(isText),
  key: orNull((value) => wrongIn(value, keyChecks) === null),
  transitions: (value) =>
    Array.isArray(value) && value.every((item) => wrongIn(item, transitionChecks) === null),
  before: isAnything,
  after: isAnything,
  reason: orNull(isText),
  correlationId: isText,
  durationMs: isCount,
  tool: isText,
  personal: (value) => isObject(value) && Object.values(value).every(matches(/^[0-9a-f]{64}$/u)),
  blind: matches(/^[0-9a-f]{32}$/u),
};

function isEntry(value: object): value is AuditEntry {
  return wrongField(value) === null;
}

function wrongField(value: unknown): string | null {
  const wrong = wrongIn(value, entryChecks);
  if (wrong !== null || !isObject(value)) return wrong;
  return value["tenant"] === tenantOf(String(value["log"])) ? null : "tenant is not the log's";
}

/** What is wrong, naming only fields that we know: names from outside are not repeated. */
function wrongIn(value: unknown, checks: Readonly<Record<string, Check>>): string | null {
  if (!isObject(value)) return "not an object";
  for (const [name, check] of Object.entries(checks)) {
    if (!Object.hasOwn(value, name)) return `${name} is missing`;
    if (!check(value[name])) return `${name} has a value that it cannot have`;
  }
  return Object.keys(value).length === Object.keys(checks).length ? null : "a field is not known";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
