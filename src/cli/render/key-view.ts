import type { TenantOf } from "../../app/tenant-names.ts";
import { formatDuration } from "../../core/duration.ts";
import { stateAt } from "../../core/transition.ts";
import type { KeyRecord, KeyState, VersionRecord } from "../../core/model.ts";
import { rotationTimes } from "../../core/key-health.ts";
import { isoTime } from "../../core/iso-time.ts";
import { relativeTime } from "./times.ts";
import type { Column, Json, Tone, View } from "./view.ts";

const tones: Partial<Record<KeyState, Tone>> = {
  active: "good",
  pending: "warn",
  rotated: "warn",
  inactive: "warn",
  expired: "bad",
  revoked: "bad",
  compromised: "bad",
  deleted: "dim",
};

/** The colour of a state. */
export function toneOf(state: KeyState): Tone | null {
  return tones[state] ?? null;
}

/** What another command takes as NAME. */
export function keyPath(key: Pick<KeyRecord, "env" | "name">): string {
  return `${key.env}/${key.name}`;
}

type JsonObject = { readonly [field: string]: Json };

/** A key as the contract has it; fields that its kind does not have are left out. */
export function keyJson(key: KeyRecord, tenantOf: TenantOf, now: number): JsonObject {
  return {
    id: key.id,
    name: key.name,
    kind: key.kind,
    tenant: tenantOf(key),
    env: key.env,
    owner: key.owner,
    state: stateAt(key.state, key.expiresAt, now),
    activeVersion: key.activeVersion,
    revision: key.revision,
    createdAt: isoTime(key.createdAt),
    createdBy: key.createdBy,
    updatedAt: isoTime(key.updatedAt),
    expiresAt: isoTime(key.expiresAt),
    rotatedAt: isoTime(key.rotatedAt),
    rotatedBy: key.rotatedBy,
    lifetimeMs: key.lifetimeMs,
    graceMs: key.graceMs,
    rollbackWindowMs: key.rollbackWindowMs,
    rotateEveryMs: key.rotateEveryMs,
    rotationRequiredAt: isoTime(rotationTimes(key).requiredAt),
    lastUsedAt: isoTime(key.lastUsedAt),
    rollbackUntil: isoTime(key.rollbackUntil),
    recoverableUntil: isoTime(key.recoverableUntil),
    anomalyAt: isoTime(key.anomalyAt),
    tags: key.tags,
    complianceTags: key.complianceTags,
    description: key.description,
    correlationId: key.correlationId,
    ...kindJson(key),
  };
}

function kindJson(key: KeyRecord): JsonObject {
  const {
    prefix,
    tier,
    scopes,
    provider,
    preferredModel,
    type,
    algorithm,
    purpose,
    authorizedServices,
    accessPolicy,
  } = key;
  const guarded = { authorizedServices, accessPolicy };
  switch (key.kind) {
    case "issued":
      return { prefix, tier, scopes };
    case "provider":
      return { provider, preferredModel, ...guarded };
    case "secret":
      return { type, ...guarded };
    case "encryption":
      return { type, algorithm, purpose, ...guarded };
  }
}

/** What kind of secret it is, in a word: the provider, the type or the prefix. */
function flavour(key: KeyRecord): string {
  return key.provider ?? key.type ?? key.prefix ?? "-";
}

/** `now` is for CSV, where a state is the one that holds at this moment too. */
const keyColumns = (now: number): readonly Column<KeyRecord>[] => [
  { title: "NAME", field: "name", text: keyPath, csv: (key) => key.name },
  { title: "KIND", field: "kind", text: (key) => key.kind },
  { title: "TYPE", field: "type", text: flavour, narrow: "drop" },
  {
    title: "STATE",
    field: "state",
    text: (key, at) => stateAt(key.state, key.expiresAt, at),
    csv: (key) => stateAt(key.state, key.expiresAt, now),
    tone: (key) => toneOf(key.state),
  },
  {
    title: "VERSION",
    field: "activeVersion",
    text: (key) => String(key.activeVersion ?? "-"),
    csv: (key) => String(key.activeVersion ?? ""),
    align: "right",
  },
  { title: "OWNER", field: "owner", text: (key) => key.owner, narrow: "cut" },
  {
    title: "EXPIRES",
    field: "expiresAt",
    text: (key, at) => relativeTime(key.expiresAt, at),
    csv: (key) => isoTime(key.expiresAt) ?? "",
    narrow: "drop",
  },
  {
    title: "UPDATED",
    field: "updatedAt",
    text: (key, at) => relativeTime(key.updatedAt, at),
    csv: (key) => isoTime(key.updatedAt),
    narrow: "drop",
  },
  { title: "ID", field: "id", text: (key) => key.id, wide: true },
  { title: "ENV", field: "env", text: (key) => key.env, wide: true },
  { title: "REVISION", field: "revision", text: (key) => String(key.revision), wide: true, align: "right" },
  {
    title: "CREATED",
    field: "createdAt",
    text: (key, at) => relativeTime(key.createdAt, at),
    csv: (key) => isoTime(key.createdAt),
    wide: true,
  },
  {
    title: "LAST USED",
    field: "lastUsedAt",
    text: (key, at) => relativeTime(key.lastUsedAt, at),
    csv: (key) => isoTime(key.lastUsedAt) ?? "",
    wide: true,
  },
  { title: "TAGS", field: "tags", text: (key) => pairs(key.tags), wide: true },
];

/** What `show` adds for people; a field that the key does not have is left out by the command. */
export function detailColumns(nameOf: (actorId: string) => string): readonly Column<KeyRecord>[] {
  const column = (
    title: string,
    field: string,
    text: (key: KeyRecord, now: number) => string,
  ): Column<KeyRecord> => ({
    title,
    field,
    text,
  });
  return [
    column("SCOPES", "scopes", (key) => key.scopes.join(",")),
    column("TIER", "tier", (key) => key.tier ?? ""),
    column("PREFERRED MODEL", "preferredModel", (key) => key.preferredModel ?? ""),
    column("ALGORITHM", "algorithm", (key) => key.algorithm ?? ""),
    column("PURPOSE", "purpose", (key) => key.purpose ?? ""),
    column("COMPLIANCE", "complianceTags", (key) => key.complianceTags.join(",")),
    column("AUTHORIZED", "authorizedServices", (key) => key.authorizedServices.join(",")),
    column("ACCESS POLICY", "accessPolicy", (key) => key.accessPolicy ?? ""),
    column("DESCRIPTION", "description", (key) => key.description ?? ""),
    column("CREATED BY", "createdBy", (key) => nameOf(key.createdBy)),
    column("ROTATED", "rotatedAt", (key, now) =>
      key.rotatedAt === null ? "" : relativeTime(key.rotatedAt, now),
    ),
    column("ROTATED BY", "rotatedBy", (key) => (key.rotatedBy === null ? "" : nameOf(key.rotatedBy))),
    column("ROLLBACK UNTIL", "rollbackUntil", (key, now) =>
      key.rollbackUntil === null ? "" : relativeTime(key.rollbackUntil, now),
    ),
    column("LIFETIME", "lifetimeMs", (key) => interval(key.lifetimeMs)),
    column("GRACE", "graceMs", (key) => interval(key.graceMs)),
    column("ROLLBACK WINDOW", "rollbackWindowMs", (key) => interval(key.rollbackWindowMs)),
    column("ROTATE EVERY", "rotateEveryMs", (key) => interval(key.rotateEveryMs)),
    column("ROTATION DUE", "rotationRequiredAt", (key, now) =>
      key.activeVersion === null ? "" : relativeTime(rotationTimes(key).requiredAt, now),
    ),
    column("CORRELATION", "correlationId", (key) => key.correlationId),
  ];
}

/** Empty where the key has none of its own: the default holds then. */
function interval(ms: number | null): string {
  return ms === null ? "" : formatDuration(ms);
}

function pairs(tags: Record<string, string>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

/** How keys are shown; `tenant` and `now` as of this call. */
export function keyView(tenantOf: TenantOf, now: number): View<KeyRecord> {
  return { columns: keyColumns(now), toJson: (key) => keyJson(key, tenantOf, now), name: keyPath };
}

/** A version as `show` has it; the vault's reference only where it was asked for. */
export function versionJson(version: VersionRecord, wide: boolean): JsonObject {
  return {
    version: version.version,
    publicId: version.publicId,
    state: version.state,
    createdAt: isoTime(version.createdAt),
    activatedAt: isoTime(version.activatedAt),
    expiresAt: isoTime(version.expiresAt),
    graceUntil: isoTime(version.graceUntil),
    rollbackUntil: isoTime(version.rollbackUntil),
    rotatedAt: isoTime(version.rotatedAt),
    revokedAt: isoTime(version.revokedAt),
    revokedReason: version.revokedReason,
    deniedAt: isoTime(version.deniedAt),
    lastUsedAt: isoTime(version.lastUsedAt),
    parentVersion: version.parentVersion,
    ...(wide ? { vaultReference: version.vaultReference } : {}),
  };
}

export const versionColumns: readonly Column<VersionRecord>[] = [
  { title: "VERSION", field: "version", text: (version) => String(version.version), align: "right" },
  {
    title: "STATE",
    field: "state",
    text: (version) => version.state,
    tone: (version) => toneOf(version.state),
  },
  { title: "PUBLIC ID", field: "publicId", text: (version) => version.publicId ?? "-" },
  {
    title: "CREATED",
    field: "createdAt",
    text: (version, now) => relativeTime(version.createdAt, now),
    narrow: "drop",
  },
  { title: "ACCEPTED UNTIL", field: "graceUntil", text: acceptedUntil },
  {
    title: "ROLLBACK UNTIL",
    field: "rollbackUntil",
    text: (version, now) => (version.state === "rotated" ? relativeTime(version.rollbackUntil, now) : "-"),
  },
  {
    title: "VAULT REFERENCE",
    field: "vaultReference",
    text: (version) => version.vaultReference ?? "-",
    wide: true,
  },
];

function acceptedUntil(version: VersionRecord, now: number): string {
  if (version.state === "active")
    return version.expiresAt === null ? "no end" : relativeTime(version.expiresAt, now);
  return version.state === "rotated" ? relativeTime(version.graceUntil, now) : "-";
}
