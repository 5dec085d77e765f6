import { createHash } from "node:crypto";
import type {
  AuditAppend,
  AuditTree,
  IdempotentRequest,
  LeakTag,
  Operation,
  OutboxItem,
  ProcessIdentity,
  Revocation,
} from "../../src/app/ports.ts";
import type { Actor, KeyRecord, Tenant, VersionRecord } from "../../src/core/model.ts";

/** A UUID-shaped id that sorts by its number. */
export function idOf(kind: number, number: number): string {
  return `01900000-${String(kind).padStart(4, "0")}-7000-8000-${String(number).padStart(12, "0")}`;
}

export const tenant: Tenant = { id: idOf(1, 1), name: "Default", createdAt: 1_000, deletedAt: null };
export const otherTenant: Tenant = { id: idOf(1, 2), name: "other", createdAt: 1_001, deletedAt: null };
export const actor: Actor = { id: idOf(2, 1), name: "Ada", login: "ada", createdAt: 1_000 };
export const someProcess: ProcessIdentity = { boot: "boot-1", pid: 100, startedAt: "t1" };
export const otherProcess: ProcessIdentity = { boot: "boot-1", pid: 200, startedAt: "t2" };

export function keyRecord(number: number, set: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: idOf(3, number),
    tenantId: tenant.id,
    name: `Key-${number}`,
    env: "prod",
    kind: "issued",
    owner: "app",
    activeVersion: null,
    lastVersion: 1,
    revision: 1,
    state: "active",
    expiresAt: null,
    createdAt: 2_000,
    createdBy: actor.id,
    updatedAt: 2_000,
    rotatedAt: null,
    rotatedBy: null,
    lastUsedAt: null,
    rollbackUntil: null,
    deletedAt: null,
    recoverableUntil: null,
    purgedAt: null,
    anomalyAt: null,
    tags: {},
    complianceTags: [],
    description: null,
    correlationId: "c-1",
    graceMs: null,
    rollbackWindowMs: null,
    lifetimeMs: null,
    rotateEveryMs: null,
    prefix: null,
    tier: null,
    scopes: [],
    provider: null,
    preferredModel: null,
    type: null,
    algorithm: null,
    purpose: null,
    authorizedServices: [],
    accessPolicy: null,
    ...set,
  };
}

/** A key with every field set to something that can be told from every other. */
export function fullKeyRecord(number: number): KeyRecord {
  return keyRecord(number, {
    activeVersion: 3,
    lastVersion: 4,
    revision: 5,
    expiresAt: 6,
    updatedAt: 7,
    rotatedAt: 8,
    rotatedBy: actor.id,
    lastUsedAt: 9,
    rollbackUntil: 10,
    deletedAt: 11,
    recoverableUntil: 12,
    purgedAt: 32,
    anomalyAt: 13,
    tags: { team: "blue", 'odd "name"': "odd\\value \u00e9", "1": "one", "a.b": "$[0]" },
    complianceTags: ["hipaa", "soc2"],
    description: 'it\'s for "tests"',
    correlationId: "c-9",
    graceMs: 14,
    rollbackWindowMs: 15,
    lifetimeMs: 16,
    rotateEveryMs: 17,
    prefix: "kc_live",
    tier: "basic",
    scopes: ["read", "write"],
    provider: "openai",
    preferredModel: "m-1",
    type: "PHI_DATA",
    algorithm: "AES-256-GCM",
    purpose: "charts",
    authorizedServices: ["billing"],
    accessPolicy: "strict",
  });
}

export function versionRecord(
  keyId: string,
  version: number,
  set: Partial<VersionRecord> = {},
): VersionRecord {
  return {
    keyId,
    version,
    state: "active",
    formerState: null,
    publicId: null,
    parentVersion: null,
    createdAt: 3_000,
    activatedAt: null,
    expiresAt: null,
    graceUntil: null,
    rollbackUntil: null,
    rotatedAt: null,
    revokedAt: null,
    revokedReason: null,
    deniedAt: null,
    lastUsedAt: null,
    seenAt: null,
    digest: null,
    pepperVersion: null,
    envelope: null,
    vaultReference: null,
    rowMac: null,
    rowMacPepperVersion: null,
    ...set,
  };
}

/** A version with every field set to something that can be told from every other. */
export function fullVersionRecord(keyId: string, version: number): VersionRecord {
  return versionRecord(keyId, version, {
    state: "inactive",
    formerState: "rotated",
    publicId: `public-${keyId.slice(-3)}-${version}`,
    parentVersion: 21,
    activatedAt: 22,
    expiresAt: 23,
    graceUntil: 24,
    rollbackUntil: 25,
    rotatedAt: 26,
    revokedAt: 27,
    revokedReason: "superseded",
    deniedAt: 28,
    lastUsedAt: 29,
    seenAt: 33,
    digest: bytes(32, 1),
    pepperVersion: 30,
    envelope: bytes(90, 2),
    vaultReference: `vault://secrets/${keyId}/${version}`,
    rowMac: bytes(32, 3),
    rowMacPepperVersion: 31,
  });
}

/** Bytes that no other seed gives. */
export function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, place) => (place * 7 + seed * 31) % 256);
}

export function operation(number: number, set: Partial<Operation> = {}): Operation {
  return {
    id: idOf(4, number),
    tenantId: tenant.id,
    keyId: idOf(3, 1),
    kind: "rotate",
    version: 2,
    step: "record",
    status: "open",
    expectedRevision: 1,
    expectedActive: 1,
    actorId: actor.id,
    correlationId: "c-1",
    owner: someProcess,
    createdAt: 4_000 + number,
    updatedAt: 4_000 + number,
    input: { graceMs: 5, force: true, note: null, place: "x" },
    ...set,
  };
}

export function leakTag(keyId: string, version: number, set: Partial<LeakTag> = {}): LeakTag {
  return {
    tag: bytes(32, version),
    tenantId: tenant.id,
    keyId,
    version,
    pepperVersion: 1,
    byteLength: 55,
    rollingHash: 4_294_967_295,
    ...set,
  };
}

export function outboxItem(number: number, set: Partial<OutboxItem> = {}): OutboxItem {
  return {
    id: idOf(5, number),
    tenantId: tenant.id,
    keyId: idOf(3, 1),
    version: 1,
    task: "disable-secret",
    reference: "vault://secrets/a/1",
    operationId: idOf(4, 1),
    notBefore: 5_000,
    attempts: 0,
    createdAt: 5_000 + number,
    doneAt: null,
    ...set,
  };
}

export function revocation(number: number, set: Partial<Revocation> = {}): Revocation {
  return {
    id: idOf(6, number),
    tenantId: tenant.id,
    keyId: idOf(3, 1),
    operationId: idOf(4, 1),
    version: null,
    reason: "key-compromise",
    severity: "critical",
    revokedAt: 6_000 + number,
    undoUntil: 7_000,
    undoneAt: null,
    upstream: null,
    upstreamUrl: null,
    ...set,
  };
}

export function idempotentRequest(set: Partial<IdempotentRequest> = {}): IdempotentRequest {
  return {
    tenantId: tenant.id,
    actorId: actor.id,
    verb: "create",
    key: "request-1",
    requestHash: bytes(32, 9),
    operationId: idOf(4, 1),
    keyIds: [idOf(3, 1), idOf(3, 2)],
    version: 1,
    createdAt: 8_000,
    ...set,
  };
}

/** An entry whose bytes are `{"n":<number>,"seq":<seq>}`. */
export function auditAppend(number: number, set: Partial<AuditAppend> = {}): AuditAppend {
  return {
    head: Buffer.from(`{"n":${number},"seq":`),
    tail: Buffer.from("}"),
    ts: 9_000 + number,
    operation: "key.rotate",
    outcome: "success",
    sensitivity: "HIGH",
    actorId: actor.id,
    keyId: null,
    operationId: null,
    personal: [],
    ...set,
  };
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A hash chain in place of the Merkle tree: the store must not care which it is given. */
export const chainTree: AuditTree = {
  leafHash: (entry) => sha256(Uint8Array.of(0), entry),
  append: (frontier, leaf) => sha256(frontier, leaf),
};
