import { KeyctlError } from "../core/errors.ts";
import { isEmptyFilter } from "./filter.ts";
import type { AuditFilter } from "./filter.ts";
import { hashLength } from "./merkle.ts";

/** Files of an export bundle, in the order in which they are written; `SHA256SUMS` lists all the others and comes last. */
export const bundleFiles = {
  /** One exported entry per line, its exact bytes, ascending by `seq`. */
  entries: "entries.jsonl",
  /** 32 bytes per entry of the whole log up to the checkpoint, also of entries that a filter left out. */
  leaves: "leaves.bin",
  /** Only with personal data: what the commitments in the entries were made of. */
  personal: "personal.jsonl",
  checkpoint: "checkpoint.txt",
  publicKey: "public-key.pem",
  manifest: "manifest.json",
  guide: "VERIFY.md",
  script: "verify.py",
  sums: "SHA256SUMS",
} as const;
export type BundleFile = (typeof bundleFiles)[keyof typeof bundleFiles];
export type SummedFile = Exclude<BundleFile, "SHA256SUMS">;

const optionalFiles: readonly SummedFile[] = [bundleFiles.personal];
const requiredFiles: readonly SummedFile[] = Object.values(bundleFiles).filter(
  (name): name is SummedFile =>
    name !== bundleFiles.sums && !optionalFiles.some((optional) => optional === name),
);

/** What a bundle says of itself. Nothing in it is believed: the checkpoint is what is signed. */
export interface BundleManifest {
  /** `keyctl/<store uuid>/<log>` */
  origin: string;
  log: string;
  /** Entries that the checkpoint signs. */
  size: number;
  root: Uint8Array;
  /** Entries in `entries.jsonl`; with an empty filter, all of them. */
  entries: number;
  filter: AuditFilter;
  /** ms UTC */
  createdAt: number;
  /** Name and version of the program. */
  tool: string;
  /** SHA-256 of the signing key's SPKI DER, hex. */
  fingerprint: string;
  hasPersonalData: boolean;
}

/** A commitment opened: `seq`, field, salt (32 bytes) and value. */
export interface PersonalLine {
  seq: number;
  field: string;
  salt: Uint8Array;
  value: string;
}

const format = "keyctl-audit-bundle/1";

/** The text of `manifest.json`. */
export function formatManifest(manifest: BundleManifest): string {
  const { filter } = manifest;
  const content = {
    format,
    origin: manifest.origin,
    log: manifest.log,
    size: manifest.size,
    root: Buffer.from(manifest.root).toString("base64"),
    entries: manifest.entries,
    filter: { ...filter, ...isoTimes(filter) },
    createdAt: new Date(manifest.createdAt).toISOString(),
    tool: manifest.tool,
    fingerprint: manifest.fingerprint,
    hasPersonalData: manifest.hasPersonalData,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Reads `manifest.json`; throws `integrity` for another format or a field that is missing or of a wrong type. */
export function parseManifest(text: string): BundleManifest {
  const value = parseObject(text, "manifest.json");
  if (value["format"] !== format)
    throw notABundle("manifest.json is of a format that this keyctl does not know");
  const manifest = {
    origin: value["origin"],
    log: value["log"],
    size: value["size"],
    root: typeof value["root"] === "string" ? Buffer.from(value["root"], "base64") : null,
    entries: value["entries"],
    filter: parseFilter(value["filter"]),
    createdAt: typeof value["createdAt"] === "string" ? Date.parse(value["createdAt"]) : Number.NaN,
    tool: value["tool"],
    fingerprint: value["fingerprint"],
    hasPersonalData: value["hasPersonalData"],
  };
  if (!isManifest(manifest)) throw notABundle("manifest.json has a field that is missing or wrong");
  return manifest;
}

/** A line of `personal.jsonl`, with its newline. */
export function formatPersonalLine({ seq, field, salt, value }: PersonalLine): string {
  return `${JSON.stringify({ seq, field, salt: Buffer.from(salt).toString("hex"), value })}\n`;
}

/** Reads a line of `personal.jsonl` without its newline; throws `integrity` for anything else. */
export function parsePersonalLine(text: string): PersonalLine {
  const line = parseObject(text, bundleFiles.personal);
  const { seq, field, salt, value } = line as Partial<Record<keyof PersonalLine, unknown>>;
  const isWhole =
    isCount(seq) && isText(field) && isText(value) && isText(salt) && /^[0-9a-f]{64}$/u.test(salt);
  if (!isWhole || field.includes("\0")) throw notABundle("a line of personal.jsonl cannot be read");
  return { seq, field, salt: Buffer.from(salt, "hex"), value };
}

/** A line of `SHA256SUMS`, as `sha256sum --check` reads it. */
export function formatSum(name: SummedFile, sha256: Uint8Array): string {
  return `${Buffer.from(sha256).toString("hex")}  ${name}\n`;
}

/** Reads `SHA256SUMS`: hex digest by file. Throws `integrity` when a file of the bundle is missing, named twice, or not ours. */
export function parseSums(text: string): Map<SummedFile, string> {
  const sums = new Map<SummedFile, string>();
  if (!text.endsWith("\n")) throw notABundle("SHA256SUMS is cut off");
  for (const line of text.slice(0, -1).split("\n")) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([A-Za-z0-9.-]{1,32})$/u.exec(line) ?? [];
    const file = [...requiredFiles, ...optionalFiles].find((known) => known === name);
    if (sum === undefined || file === undefined || sums.has(file)) {
      throw notABundle("SHA256SUMS has a line that does not belong there");
    }
    sums.set(file, sum);
  }
  const missing = requiredFiles.find((name) => !sums.has(name));
  if (missing !== undefined) throw notABundle(`SHA256SUMS does not list ${missing}`);
  return sums;
}

/** The error for a bundle that is not what it should be. */
export function notABundle(why: string): KeyctlError {
  return new KeyctlError("integrity", why);
}

function isoTimes({ since, until }: AuditFilter): { since?: string; until?: string } {
  return {
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  };
}

function parseFilter(value: unknown): AuditFilter | null {
  if (!isObject(value)) return null;
  const filter: AuditFilter = {};
  for (const [name, content] of Object.entries(value)) {
    if (!isText(content)) return null;
    if (name === "actor" || name === "key" || name === "operation") filter[name] = content;
    else if ((name === "since" || name === "until") && !Number.isNaN(Date.parse(content)))
      filter[name] = Date.parse(content);
    else return null;
  }
  return filter;
}

function isManifest(
  value: Record<keyof BundleManifest, unknown>,
): value is Record<string, unknown> & BundleManifest {
  return (
    [value.origin, value.log, value.tool, value.fingerprint].every(isText) &&
    [value.size, value.entries].every(isCount) &&
    value.root instanceof Uint8Array &&
    value.root.length === hashLength &&
    value.filter !== null &&
    Number.isFinite(value.createdAt) &&
    typeof value.hasPersonalData === "boolean"
  );
}

function parseObject(text: string, file: string): Record<string, unknown> {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    throw notABundle(`${file} is not JSON`);
  }
  if (!isObject(value)) throw notABundle(`${file} is not a JSON object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** True when the bundle shows only some of the entries. */
export function isFiltered(manifest: BundleManifest): boolean {
  return !isEmptyFilter(manifest.filter);
}
