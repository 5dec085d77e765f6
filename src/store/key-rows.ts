import { keyKinds, keyStates } from "../core/model.ts";
import type { KeyRecord } from "../core/model.ts";
import { foldName, parseTextList, parseTextMap, parseWord } from "./column-values.ts";
import type { KeyRow } from "./schema.ts";

/** A key as its row holds it. */
export function keyRow(key: KeyRecord): KeyRow {
  return {
    id: key.id,
    tenant_id: key.tenantId,
    env: key.env,
    name: key.name,
    name_folded: foldName(key.name),
    kind: key.kind,
    owner: key.owner,
    active_version: key.activeVersion,
    last_version: key.lastVersion,
    revision: key.revision,
    state: key.state,
    expires_at: key.expiresAt,
    created_at: key.createdAt,
    created_by: key.createdBy,
    updated_at: key.updatedAt,
    rotated_at: key.rotatedAt,
    rotated_by: key.rotatedBy,
    last_used_at: key.lastUsedAt,
    rollback_until: key.rollbackUntil,
    deleted_at: key.deletedAt,
    recoverable_until: key.recoverableUntil,
    purged_at: key.purgedAt,
    anomaly_at: key.anomalyAt,
    tags: JSON.stringify(key.tags),
    compliance_tags: JSON.stringify(key.complianceTags),
    description: key.description,
    correlation_id: key.correlationId,
    grace_ms: key.graceMs,
    rollback_window_ms: key.rollbackWindowMs,
    lifetime_ms: key.lifetimeMs,
    rotate_every_ms: key.rotateEveryMs,
    ...kindColumns(key),
  };
}

function kindColumns(key: KeyRecord) {
  return {
    prefix: key.prefix,
    tier: key.tier,
    scopes: JSON.stringify(key.scopes),
    provider: key.provider,
    preferred_model: key.preferredModel,
    type: key.type,
    algorithm: key.algorithm,
    purpose: key.purpose,
    authorized_services: JSON.stringify(key.authorizedServices),
    access_policy: key.accessPolicy,
  };
}

/** The key that a row holds; `integrity` when a value in it is none that keyctl writes. */
export function keyRecord(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    env: row.env,
    kind: parseWord("kind", row.kind, keyKinds),
    owner: row.owner,
    activeVersion: row.active_version,
    lastVersion: row.last_version,
    revision: row.revision,
    state: parseWord("state", row.state, keyStates),
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    rotatedAt: row.rotated_at,
    rotatedBy: row.rotated_by,
    lastUsedAt: row.last_used_at,
    rollbackUntil: row.rollback_until,
    deletedAt: row.deleted_at,
    recoverableUntil: row.recoverable_until,
    purgedAt: row.purged_at,
    anomalyAt: row.anomaly_at,
    tags: parseTextMap("tags", row.tags),
    complianceTags: parseTextList("compliance_tags", row.compliance_tags),
    description: row.description,
    correlationId: row.correlation_id,
    graceMs: row.grace_ms,
    rollbackWindowMs: row.rollback_window_ms,
    lifetimeMs: row.lifetime_ms,
    rotateEveryMs: row.rotate_every_ms,
    ...kindFields(row),
  };
}

function kindFields(row: KeyRow) {
  return {
    prefix: row.prefix,
    tier: row.tier,
    scopes: parseTextList("scopes", row.scopes),
    provider: row.provider,
    preferredModel: row.preferred_model,
    type: row.type,
    algorithm: row.algorithm,
    purpose: row.purpose,
    authorizedServices: parseTextList("authorized_services", row.authorized_services),
    accessPolicy: row.access_policy,
  };
}
