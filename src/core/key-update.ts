import { canonicalJson } from "./canonical-json.ts";
import type { JsonValue } from "./canonical-json.ts";
import type { Expiry } from "./duration.ts";
import { KeyctlError } from "./errors.ts";
import { assertOwner, kindFields } from "./key-spec.ts";
import type { KindSpec } from "./key-spec.ts";
import type { KeyRecord, VersionRecord } from "./model.ts";
import type { KeyWithVersions } from "./transition.ts";

/** What a person wants to be different; what is absent stays as it is, null and an empty list clear. */
export interface KeyUpdate {
  fields: KindSpec;
  graceMs?: number | null | undefined;
  rollbackWindowMs?: number | null | undefined;
  rotateEveryMs?: number | null | undefined;
  expiry?: Expiry | "never" | undefined;
  owner?: string | undefined;
  description?: string | null | undefined;
  complianceTags?: string[] | undefined;
  tags?: {
    /** All former ones go first. */
    clear: boolean;
    remove: readonly string[];
    set: Readonly<Record<string, string>>;
  };
}

/** What `KeyUpdate` can change, as the log calls it. */
const fields = [
  "owner",
  "tags",
  "complianceTags",
  "description",
  "graceMs",
  "rollbackWindowMs",
  "lifetimeMs",
  "rotateEveryMs",
  "tier",
  "scopes",
  "preferredModel",
  "purpose",
  "authorizedServices",
  "accessPolicy",
  "expiresAt",
] as const satisfies (keyof KeyRecord)[];

type Field = (typeof fields)[number];

/** Free text of a person: the log holds commitments to it only. */
function isText(field: Field): field is "description" | "purpose" {
  return field === "description" || field === "purpose";
}

/** What decides over who may do what with the key. */
const guarding: ReadonlySet<Field> = new Set(["owner", "tier", "scopes", "authorizedServices", "expiresAt"]);

/** An update, planned. */
export interface PlannedUpdate {
  /** With its fields as they will be. */
  key: KeyRecord;
  /** As they will stand. */
  versions: VersionRecord[];
  /** What differs, by name; empty when nothing does. */
  fields: Field[];
  /** The differing fields and their values, free text left out. */
  before: Record<string, JsonValue>;
  after: Record<string, JsonValue>;
  /** Free text that differs, after and before, empty where there was none. */
  texts: Record<string, string>;
  /** Whether it decides over who may do what with the key. */
  isGuarding: boolean;
}

/**
 * What an update changes. `usage` for a field that the kind does not have and for values that `create` refuses too, `refused`
 * for a date where no version is active that could end then.
 */
export function planUpdate(target: KeyWithVersions, update: KeyUpdate, now: number): PlannedUpdate {
  const ending = update.expiry === undefined ? null : planEnding(target, update.expiry, now);
  const key = updated(target.key, update, ending);
  const versions = target.versions.map((version) =>
    version.version === ending?.version ? { ...version, expiresAt: ending.expiresAt } : version,
  );
  const former = target.versions.find(({ version }) => version === ending?.version)?.expiresAt ?? null;
  const before = { ...target.key, expiresAt: former };
  const after = { ...key, expiresAt: ending?.expiresAt ?? null };
  const differing = fields.filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]));
  const told = differing.filter((field) => !isText(field));
  return {
    key,
    versions,
    fields: differing,
    before: Object.fromEntries(told.map((field) => [field, before[field]])),
    after: Object.fromEntries(told.map((field) => [field, after[field]])),
    texts: Object.fromEntries(
      differing.filter(isText).flatMap((field) => [
        [field, after[field] ?? ""],
        [`${field}-before`, before[field] ?? ""],
      ]),
    ),
    isGuarding: differing.some((field) => guarding.has(field)),
  };
}

function updated(key: KeyRecord, update: KeyUpdate, ending: Ending | null): KeyRecord {
  const { owner = key.owner, description = key.description, complianceTags = key.complianceTags } = update;
  const { graceMs = key.graceMs, rollbackWindowMs = key.rollbackWindowMs } = update;
  const { rotateEveryMs = key.rotateEveryMs } = update;
  assertOwner(owner);
  const given = Object.entries(update.fields).filter(([, value]) => value !== undefined);
  const tags = update.tags ?? { clear: false, remove: [], set: {} };
  const kept = Object.entries(tags.clear ? {} : key.tags).filter(([name]) => !tags.remove.includes(name));
  return {
    ...key,
    ...kindFields(key.kind, { ...key, ...Object.fromEntries(given) }),
    graceMs,
    rollbackWindowMs,
    rotateEveryMs,
    lifetimeMs: ending === null ? key.lifetimeMs : ending.lifetimeMs,
    owner,
    description,
    complianceTags: [...new Set(complianceTags)],
    tags: { ...Object.fromEntries(kept), ...tags.set },
  };
}

/** When a version ends, and how long its successors live. */
interface Ending {
  /** Null where no version is there whose end could change. */
  version: number | null;
  expiresAt: number | null;
  lifetimeMs: number | null;
}

/**
 * A duration counts from now, and is the lifetime of each successor too; a date is the active version's only. A version that
 * has expired stays so.
 */
function planEnding(target: KeyWithVersions, expiry: Expiry | "never", now: number): Ending {
  const { key, versions } = target;
  const current =
    versions.find(({ state }) => state === "active") ??
    versions.findLast(({ state, formerState }) => state === "inactive" && formerState === "active");
  const isOver = current?.expiresAt != null && current.expiresAt <= now;
  const version = current === undefined || isOver ? null : current.version;
  if (expiry === "never") return { version, expiresAt: null, lifetimeMs: null };
  if ("lifetimeMs" in expiry)
    return { version, expiresAt: now + expiry.lifetimeMs, lifetimeMs: expiry.lifetimeMs };
  if (expiry.at <= now)
    throw new KeyctlError("usage", "--expires lies in the past", {
      hint: "keyctl revoke ends a key at once",
    });
  if (version !== null) return { version, expiresAt: expiry.at, lifetimeMs: key.lifetimeMs };
  throw new KeyctlError("refused", `${key.name} has no version that could end at that moment`, {
    hint: `keyctl update ${key.env}/${key.name} --expires 90d is for its next versions`,
  });
}
