import { revokeReasons, versionStates } from "../core/model.ts";
import type { VersionRecord } from "../core/model.ts";
import { optionalBytes, parseOptionalWord, parseWord } from "./column-values.ts";
import type { VersionRow } from "./schema.ts";

const denialReasons = [...revokeReasons, "abandoned"] as const;

/** Where each field of a version stands. */
export const versionColumns = {
  keyId: "key_id",
  version: "version",
  state: "state",
  formerState: "former_state",
  publicId: "public_id",
  parentVersion: "parent_version",
  createdAt: "created_at",
  activatedAt: "activated_at",
  expiresAt: "expires_at",
  graceUntil: "grace_until",
  rollbackUntil: "rollback_until",
  rotatedAt: "rotated_at",
  revokedAt: "revoked_at",
  revokedReason: "revoked_reason",
  deniedAt: "denied_at",
  lastUsedAt: "last_used_at",
  seenAt: "seen_at",
  digest: "digest",
  pepperVersion: "pepper_version",
  envelope: "envelope",
  vaultReference: "vault_reference",
  rowMac: "row_mac",
  rowMacPepperVersion: "row_mac_pepper_version",
} as const satisfies Record<keyof VersionRecord, keyof VersionRow>;

/** A version as its row holds it. */
export function versionRow(version: VersionRecord): VersionRow {
  return {
    key_id: version.keyId,
    version: version.version,
    state: version.state,
    former_state: version.formerState,
    public_id: version.publicId,
    parent_version: version.parentVersion,
    created_at: version.createdAt,
    activated_at: version.activatedAt,
    expires_at: version.expiresAt,
    grace_until: version.graceUntil,
    rollback_until: version.rollbackUntil,
    rotated_at: version.rotatedAt,
    revoked_at: version.revokedAt,
    revoked_reason: version.revokedReason,
    denied_at: version.deniedAt,
    last_used_at: version.lastUsedAt,
    seen_at: version.seenAt,
    digest: version.digest,
    pepper_version: version.pepperVersion,
    envelope: version.envelope,
    vault_reference: version.vaultReference,
    row_mac: version.rowMac,
    row_mac_pepper_version: version.rowMacPepperVersion,
  };
}

/** The version that a row holds; `integrity` when a value in it is none that keyctl writes. */
export function versionRecord(row: VersionRow): VersionRecord {
  return {
    keyId: row.key_id,
    version: row.version,
    state: parseWord("state", row.state, versionStates),
    formerState: parseOptionalWord("former_state", row.former_state, versionStates),
    publicId: row.public_id,
    parentVersion: row.parent_version,
    createdAt: row.created_at,
    activatedAt: row.activated_at,
    expiresAt: row.expires_at,
    graceUntil: row.grace_until,
    rollbackUntil: row.rollback_until,
    rotatedAt: row.rotated_at,
    revokedAt: row.revoked_at,
    revokedReason: parseOptionalWord("revoked_reason", row.revoked_reason, denialReasons),
    deniedAt: row.denied_at,
    lastUsedAt: row.last_used_at,
    seenAt: row.seen_at,
    digest: optionalBytes(row.digest),
    pepperVersion: row.pepper_version,
    envelope: optionalBytes(row.envelope),
    vaultReference: row.vault_reference,
    rowMac: optionalBytes(row.row_mac),
    rowMacPepperVersion: row.row_mac_pepper_version,
  };
}
