/** The records of the domain, as every room sees them. Times are milliseconds since the epoch, UTC. */

export const keyKinds = ["issued", "provider", "secret", "encryption"] as const;
export type KeyKind = (typeof keyKinds)[number];

export const versionStates = [
  "pending",
  "active",
  "rotated",
  "inactive",
  "expired",
  "revoked",
  "compromised",
  "destroyed",
] as const;
export type VersionState = (typeof versionStates)[number];

/** A key's state is that of its active version, else of its newest; `deleted` wins over all. */
export type KeyState = VersionState | "deleted";
export const keyStates = [...versionStates, "deleted"] as const;

export const secretTypes = [
  "api-key",
  "db-credential",
  "jwt-secret",
  "encryption-key",
  "third-party",
  "certificate",
] as const;
export type SecretType = (typeof secretTypes)[number];

export const encryptionTypes = [
  "PHI_DATA",
  "PII_DATA",
  "FINANCIAL",
  "CLINICAL",
  "AUDIT_LOG",
  "BACKUP",
  "COMMUNICATION",
] as const;
export type EncryptionType = (typeof encryptionTypes)[number];

export const revokeReasons = [
  "key-compromise",
  "security-incident",
  "superseded",
  "cessation",
  "privilege-withdrawn",
  "unspecified",
] as const;
export type RevokeReason = (typeof revokeReasons)[number];

export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export const roles = ["owner", "operator", "user", "auditor"] as const;
export type Role = (typeof roles)[number];

/** Durations that govern a key; null means "the default of its kind" (`core/policy.ts`). */
export interface KeyPolicy {
  graceMs: number | null;
  rollbackWindowMs: number | null;
  /** Each successor expires this long after its activation. */
  lifetimeMs: number | null;
  rotateEveryMs: number | null;
}

/** What only some kinds have; a field that the kind does not have is null (or empty). */
export interface KindFields {
  /** issued */
  prefix: string | null;
  /** issued */
  tier: string | null;
  /** issued */
  scopes: string[];
  /** provider */
  provider: string | null;
  /** provider */
  preferredModel: string | null;
  /** secret: a `SecretType`; encryption: an `EncryptionType` */
  type: string | null;
  /** encryption: the data cipher, `AES-256-GCM` by default */
  algorithm: string | null;
  /** encryption */
  purpose: string | null;
  /** encryption, provider, secret: which services may open or wrap; empty means any */
  authorizedServices: string[];
  /** encryption: the name of an access policy; enforced by a later release, stored and shown by this one */
  accessPolicy: string | null;
}

export interface KeyRecord extends KeyPolicy, KindFields {
  /** UUIDv7, lower case */
  id: string;
  tenantId: string;
  name: string;
  env: string;
  kind: KeyKind;
  /** `app`, `company` or `user:ID` */
  owner: string;
  /** The version that `point` chose; null while there is none in state active. */
  activeVersion: number | null;
  /** The highest number ever given out; numbers are never reused. */
  lastVersion: number;
  /** Raised by every change; compare-and-set is on it. */
  revision: number;
  /** Of the active version, else of the newest. Kept on the record so that lists are indexed. */
  state: KeyState;
  /** Expiry of the version that gives the state. */
  expiresAt: number | null;
  createdAt: number;
  createdBy: string;
  updatedAt: number;
  rotatedAt: number | null;
  rotatedBy: string | null;
  lastUsedAt: number | null;
  /** Until when a rollback to the former version is allowed. */
  rollbackUntil: number | null;
  deletedAt: number | null;
  recoverableUntil: number | null;
  /** Its values are gone for good; the record stays, because the log speaks of it, and its name is free again. */
  purgedAt: number | null;
  anomalyAt: number | null;
  tags: Record<string, string>;
  complianceTags: string[];
  description: string | null;
  correlationId: string;
}

export interface VersionRecord {
  keyId: string;
  version: number;
  state: VersionState;
  /** What `resume` and an undone revoke go back to: active or rotated. Null when neither suspended nor revoked. */
  formerState: VersionState | null;
  /** issued: 14 characters, public, unique in the store */
  publicId: string | null;
  parentVersion: number | null;
  createdAt: number;
  activatedAt: number | null;
  expiresAt: number | null;
  graceUntil: number | null;
  rollbackUntil: number | null;
  rotatedAt: number | null;
  revokedAt: number | null;
  revokedReason: RevokeReason | "abandoned" | null;
  /** When the enforcing place refused it: the store's commit, or the vault's answer. */
  deniedAt: number | null;
  lastUsedAt: number | null;
  /** When a person last saw the value (`reveal`). */
  seenAt: number | null;
  /** issued: 32 bytes, `HMAC-SHA-256(Kv, …)` */
  digest: Uint8Array | null;
  /** issued: whose Kv the digest was made with */
  pepperVersion: number | null;
  /** provider: `KCE1` bytes */
  envelope: Uint8Array | null;
  /** secret, encryption: the vault's versioned reference (a URL) */
  vaultReference: string | null;
  /** 32 bytes over the row (`core/row-mac.ts`); null while pending and after a revoke */
  rowMac: Uint8Array | null;
  rowMacPepperVersion: number | null;
}

export interface WrappedKey {
  keyId: string;
  version: number;
  /** Versioned KEK reference (a URL); unwrap names the version. */
  kekReference: string;
  /** Key-wrap algorithm as the vault calls it: `RSA-OAEP-256`. */
  algorithm: string;
  wrapped: Uint8Array;
}

export interface Tenant {
  id: string;
  name: string;
  createdAt: number;
  /** Its keys are denied and its name stays taken; the log is kept. */
  deletedAt: number | null;
}

export interface Actor {
  /** UUIDv7; the audit log knows actors only by it. */
  id: string;
  name: string;
  /** SQLite: the operating-system user; Postgres: the database login. */
  login: string;
  createdAt: number;
}

/** A role of an actor in a tenant; an actor has at most one in each. */
export interface Membership {
  actorId: string;
  tenantId: string;
  role: Role;
  createdAt: number;
}

/** A transition of one version, as the audit log tells it; `from` is null for a version that did not exist. */
export interface Transition {
  version: number;
  from: VersionState | null;
  to: VersionState;
}
