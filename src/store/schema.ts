/**
 * The tables as queries see them; the migrations make them. Times are integer milliseconds since the epoch, booleans do
 * not occur, JSON is text, bytes are bytes.
 */

export interface TenantRow {
  id: string;
  name: string;
  name_folded: string;
  created_at: number;
  deleted_at: number | null;
}

export interface ActorRow {
  id: string;
  name: string;
  login: string;
  created_at: number;
}

export interface MembershipRow {
  actor_id: string;
  tenant_id: string;
  role: string;
  created_at: number;
}

export interface KeyRow {
  id: string;
  tenant_id: string;
  env: string;
  name: string;
  name_folded: string;
  kind: string;
  owner: string;
  active_version: number | null;
  last_version: number;
  revision: number;
  state: string;
  expires_at: number | null;
  created_at: number;
  created_by: string;
  updated_at: number;
  rotated_at: number | null;
  rotated_by: string | null;
  last_used_at: number | null;
  rollback_until: number | null;
  deleted_at: number | null;
  recoverable_until: number | null;
  purged_at: number | null;
  anomaly_at: number | null;
  tags: string;
  compliance_tags: string;
  description: string | null;
  correlation_id: string;
  grace_ms: number | null;
  rollback_window_ms: number | null;
  lifetime_ms: number | null;
  rotate_every_ms: number | null;
  prefix: string | null;
  tier: string | null;
  scopes: string;
  provider: string | null;
  preferred_model: string | null;
  type: string | null;
  algorithm: string | null;
  purpose: string | null;
  authorized_services: string;
  access_policy: string | null;
}

export interface VersionRow {
  key_id: string;
  version: number;
  state: string;
  former_state: string | null;
  public_id: string | null;
  parent_version: number | null;
  created_at: number;
  activated_at: number | null;
  expires_at: number | null;
  grace_until: number | null;
  rollback_until: number | null;
  rotated_at: number | null;
  revoked_at: number | null;
  revoked_reason: string | null;
  denied_at: number | null;
  last_used_at: number | null;
  seen_at: number | null;
  digest: Uint8Array | null;
  pepper_version: number | null;
  envelope: Uint8Array | null;
  vault_reference: string | null;
  row_mac: Uint8Array | null;
  row_mac_pepper_version: number | null;
}

export interface WrappedKeyRow {
  key_id: string;
  version: number;
  kek_reference: string;
  algorithm: string;
  wrapped: Uint8Array;
}

/** What lies in the vault: a root (role and its version), or the value of a key's version. */
export interface VaultReferenceRow {
  reference: string;
  role: string | null;
  role_version: number | null;
  key_id: string | null;
  version: number | null;
  created_at: number;
  last_accessed_at: number | null;
}

export interface LeakTagRow {
  key_id: string;
  version: number;
  pepper_version: number;
  tenant_id: string;
  tag: Uint8Array;
  byte_length: number;
  rolling_hash: number;
}

export interface OperationRow {
  id: string;
  tenant_id: string;
  key_id: string;
  kind: string;
  version: number;
  step: string;
  status: string;
  expected_revision: number;
  expected_active: number | null;
  actor_id: string;
  correlation_id: string;
  owner_boot: string;
  owner_pid: number;
  owner_started_at: string;
  created_at: number;
  updated_at: number;
  input: string;
}

export interface IdempotencyKeyRow {
  tenant_id: string;
  actor_id: string;
  verb: string;
  key: string;
  request_hash: Uint8Array;
  operation_id: string;
  key_ids: string;
  version: number | null;
  created_at: number;
}

export interface OutboxRow {
  id: string;
  tenant_id: string;
  key_id: string;
  version: number;
  task: string;
  reference: string;
  operation_id: string;
  not_before: number;
  attempts: number;
  created_at: number;
  done_at: number | null;
}

export interface RevocationRow {
  id: string;
  tenant_id: string;
  key_id: string;
  operation_id: string;
  version: number | null;
  reason: string;
  severity: string | null;
  revoked_at: number;
  undo_until: number | null;
  undone_at: number | null;
  upstream: string | null;
  upstream_url: string | null;
}

export interface AuditHeadRow {
  log: string;
  size: number;
  frontier: Uint8Array;
}

export interface AuditEntryRow {
  log: string;
  seq: number;
  bytes: Uint8Array;
  leaf: Uint8Array;
  ts: number;
  operation: string;
  outcome: string;
  sensitivity: string;
  actor_id: string;
  key_id: string | null;
  operation_id: string | null;
}

export interface AuditPersonalRow {
  log: string;
  seq: number;
  field: string;
  salt: Uint8Array;
  value: string;
}

export interface AuditCheckpointRow {
  log: string;
  size: number;
  note: string;
  created_at: number;
}

export interface MetaRow {
  /** Always 1: the table has one row. */
  singleton: number;
  uuid: string;
  created_at: number;
  schema_version: number;
  vault_generation: number | null;
  maintained_at: number | null;
}

/** Row `place` of the batch that entry `seq` of `log` counts. */
export interface UsageEventRow {
  log: string;
  seq: number;
  place: number;
  key_id: string;
  version: number;
  at: number;
  request_id: string | null;
}

export interface DataKeyRow {
  id: string;
  tenant_id: string;
  key_id: string;
  version: number;
  created_at: number;
}

/** Table name → row; what Kysely checks queries against. */
export interface Tables {
  tenants: TenantRow;
  actors: ActorRow;
  memberships: MembershipRow;
  keys: KeyRow;
  key_versions: VersionRow;
  wrapped_keys: WrappedKeyRow;
  vault_references: VaultReferenceRow;
  leak_tags: LeakTagRow;
  operations: OperationRow;
  idempotency_keys: IdempotencyKeyRow;
  outbox: OutboxRow;
  revocations: RevocationRow;
  audit_heads: AuditHeadRow;
  audit_entries: AuditEntryRow;
  audit_personal_data: AuditPersonalRow;
  audit_checkpoints: AuditCheckpointRow;
  usage_events: UsageEventRow;
  data_keys: DataKeyRow;
  meta: MetaRow;
}
