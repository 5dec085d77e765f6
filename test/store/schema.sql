CREATE TABLE actors (
  id text primary key not null,
  name text not null,
  login text not null unique,
  created_at integer not null
) strict;

CREATE TRIGGER audit_checkpoints_refuses_delete before delete on audit_checkpoints
begin
  select raise(abort, 'audit_checkpoints is append-only');
end;

CREATE TRIGGER audit_checkpoints_refuses_update before update on audit_checkpoints
begin
  select raise(abort, 'audit_checkpoints is append-only');
end;

CREATE TABLE audit_checkpoints (
  log text not null,
  size integer not null,
  created_at integer not null,
  note text not null,
  primary key (log, size, created_at)
) strict;

CREATE TRIGGER audit_entries_refuses_delete before delete on audit_entries
begin
  select raise(abort, 'audit_entries is append-only');
end;

CREATE TRIGGER audit_entries_refuses_update before update on audit_entries
begin
  select raise(abort, 'audit_entries is append-only');
end;

CREATE TABLE audit_entries (
  log text not null references audit_heads (log),
  seq integer not null check (seq >= 0),
  bytes blob not null,
  leaf blob not null check (length(leaf) = 32),
  ts integer not null,
  operation text not null,
  outcome text not null,
  sensitivity text not null,
  actor_id text not null,
  key_id text,
  operation_id text,
  primary key (log, seq)
) strict;

CREATE INDEX audit_entries_by_actor on audit_entries (log, actor_id, seq);

CREATE INDEX audit_entries_by_operation on audit_entries (log, operation, seq);

CREATE INDEX audit_entries_by_time on audit_entries (log, ts, seq);

CREATE INDEX audit_entries_not_done on audit_entries (log, ts, seq) where outcome <> 'success';

CREATE INDEX audit_entries_of_key on audit_entries (log, key_id, seq) where key_id is not null;

CREATE INDEX audit_entries_of_operation on audit_entries (log, operation_id, seq) where operation_id is not null;

CREATE TABLE audit_heads (
  log text primary key not null,
  size integer not null,
  frontier blob not null
) strict;

CREATE TABLE audit_personal_data (
  log text not null,
  seq integer not null,
  field text not null,
  salt blob not null,
  value text not null,
  primary key (log, seq, field),
  foreign key (log, seq) references audit_entries (log, seq)
) strict;

CREATE TABLE data_keys (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  key_id text not null,
  version integer not null,
  created_at integer not null,
  foreign key (key_id, version) references key_versions (key_id, version)
) strict;

CREATE INDEX data_keys_of_version on data_keys (key_id, version);

CREATE TABLE idempotency_keys (
  tenant_id text not null references tenants (id),
  actor_id text not null references actors (id),
  verb text not null,
  key text not null,
  request_hash blob not null,
  operation_id text not null,
  key_ids text not null,
  version integer,
  created_at integer not null,
  primary key (tenant_id, actor_id, verb, key)
) strict;

CREATE INDEX idempotency_keys_by_age on idempotency_keys (created_at);

CREATE TABLE key_versions (
  key_id text not null references keys (id),
  version integer not null,
  state text not null,
  former_state text,
  public_id text unique,
  parent_version integer,
  created_at integer not null,
  activated_at integer,
  expires_at integer,
  grace_until integer,
  rollback_until integer,
  rotated_at integer,
  revoked_at integer,
  revoked_reason text,
  denied_at integer,
  last_used_at integer,
  digest blob,
  pepper_version integer,
  envelope blob,
  vault_reference text,
  row_mac blob,
  row_mac_pepper_version integer, seen_at integer,
  primary key (key_id, version)
) strict;

CREATE INDEX key_versions_by_expiry on key_versions (expires_at)
  where state in ('active', 'rotated', 'inactive') and expires_at is not null;

CREATE INDEX key_versions_by_grace on key_versions (grace_until)
  where state = 'rotated' and grace_until is not null;

CREATE INDEX key_versions_seen on key_versions (seen_at) where state = 'active' and seen_at is not null;

CREATE TABLE keys (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  env text not null,
  name text not null,
  name_folded text not null,
  kind text not null,
  owner text not null,
  active_version integer,
  last_version integer not null,
  revision integer not null,
  state text not null,
  expires_at integer,
  created_at integer not null,
  created_by text not null references actors (id),
  updated_at integer not null,
  rotated_at integer,
  rotated_by text references actors (id),
  last_used_at integer,
  rollback_until integer,
  deleted_at integer,
  recoverable_until integer,
  anomaly_at integer,
  tags text not null,
  compliance_tags text not null,
  description text,
  correlation_id text not null,
  grace_ms integer,
  rollback_window_ms integer,
  lifetime_ms integer,
  rotate_every_ms integer,
  prefix text,
  tier text,
  scopes text not null,
  provider text,
  preferred_model text,
  type text,
  algorithm text,
  purpose text,
  authorized_services text not null,
  access_policy text
, purged_at integer) strict;

CREATE INDEX keys_by_anomaly on keys (tenant_id, anomaly_at) where state = 'active' and anomaly_at is not null;

CREATE INDEX keys_by_expiry on keys (tenant_id, expires_at)
  where state in ('active', 'rotated', 'inactive') and expires_at is not null;

CREATE INDEX keys_by_kind on keys (tenant_id, env, kind, name_folded, id) where kind is not null;

CREATE INDEX keys_by_last_use on keys (tenant_id, last_used_at)
  where state = 'active' and last_used_at is not null;

CREATE UNIQUE INDEX keys_by_name on keys (tenant_id, env, name_folded) where purged_at is null;

CREATE INDEX keys_by_owner on keys (tenant_id, env, owner, name_folded, id) where owner is not null;

CREATE INDEX keys_by_provider on keys (tenant_id, env, provider, name_folded, id) where provider is not null;

CREATE INDEX keys_by_rotation on keys
  (tenant_id, (coalesce(rotated_at, created_at) + coalesce(rotate_every_ms, 7776000000))) where state = 'active';

CREATE INDEX keys_by_state on keys (tenant_id, env, state, name_folded, id) where state is not null;

CREATE INDEX keys_by_type on keys (tenant_id, env, type, name_folded, id) where type is not null;

CREATE INDEX keys_in_state on keys (tenant_id, state, kind, name_folded, id, purged_at) where purged_at is null;

CREATE INDEX keys_never_used on keys (tenant_id, created_at) where state = 'active' and last_used_at is null;

CREATE INDEX keys_of_owner on keys (owner, id);

CREATE INDEX keys_of_provider on keys (provider, id) where provider is not null;

CREATE INDEX keys_of_tenant on keys (tenant_id, name_folded, id);

CREATE TABLE leak_tags (
  key_id text not null,
  version integer not null,
  pepper_version integer not null,
  tenant_id text not null references tenants (id),
  tag blob not null,
  byte_length integer not null,
  rolling_hash integer not null,
  primary key (key_id, version, pepper_version),
  foreign key (key_id, version) references key_versions (key_id, version)
) strict;

CREATE INDEX leak_tags_by_tag on leak_tags (tag);

CREATE INDEX leak_tags_of_tenant on leak_tags (tenant_id, key_id, version, pepper_version);

CREATE TABLE memberships (
  actor_id text not null references actors (id),
  tenant_id text not null references tenants (id),
  role text not null,
  created_at integer not null,
  primary key (actor_id, tenant_id)
) strict;

CREATE INDEX memberships_of_tenant on memberships (tenant_id, role, actor_id);

CREATE TABLE meta (
  singleton integer primary key check (singleton = 1),
  uuid text not null,
  created_at integer not null,
  schema_version integer not null,
  vault_generation integer,
  maintained_at integer
) strict;

CREATE TABLE operations (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  key_id text not null references keys (id),
  kind text not null,
  version integer not null,
  step text not null,
  status text not null,
  expected_revision integer not null,
  expected_active integer,
  actor_id text not null references actors (id),
  correlation_id text not null,
  owner_boot text not null,
  owner_pid integer not null,
  owner_started_at text not null,
  created_at integer not null,
  updated_at integer not null,
  input text not null
) strict;

CREATE INDEX operations_of_key on operations (key_id, created_at);

CREATE UNIQUE INDEX operations_open on operations (key_id) where status = 'open';

CREATE TABLE outbox (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  key_id text not null references keys (id),
  version integer not null,
  task text not null,
  reference text not null,
  operation_id text not null,
  not_before integer not null,
  attempts integer not null,
  created_at integer not null,
  done_at integer
) strict;

CREATE INDEX outbox_of_operation on outbox (operation_id, created_at, id);

CREATE INDEX outbox_open on outbox (created_at, id) where done_at is null;

CREATE INDEX outbox_open_of_key on outbox (key_id, created_at, id) where done_at is null;

CREATE INDEX outbox_open_of_tenant on outbox (tenant_id, attempts, not_before) where done_at is null;

CREATE TABLE revocations (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  key_id text not null references keys (id),
  operation_id text not null,
  version integer,
  reason text not null,
  severity text,
  revoked_at integer not null,
  undo_until integer,
  undone_at integer,
  upstream text,
  upstream_url text
) strict;

CREATE INDEX revocations_of_key on revocations (key_id, revoked_at, id);

CREATE INDEX revocations_of_operation on revocations (operation_id, key_id);

CREATE INDEX revocations_upstream_open on revocations (tenant_id, revoked_at, id)
  where upstream = 'open' and undone_at is null;

CREATE TABLE tenants (
  id text primary key not null,
  name text not null,
  name_folded text not null unique,
  created_at integer not null
, deleted_at integer) strict;

CREATE TABLE usage_events (
  log text not null,
  seq integer not null,
  place integer not null,
  key_id text not null,
  version integer not null,
  at integer not null,
  request_id text,
  primary key (log, seq, place)
) strict, without rowid;

CREATE TABLE vault_references (
  reference text primary key not null,
  role text,
  role_version integer,
  key_id text,
  version integer,
  created_at integer not null,
  last_accessed_at integer,
  unique (role, role_version),
  foreign key (key_id, version) references key_versions (key_id, version),
  check ((role is null) = (role_version is null) and (key_id is null) = (version is null)),
  check ((role is null) <> (key_id is null))
) strict;

CREATE INDEX vault_references_of_version on vault_references (key_id, version) where key_id is not null;

CREATE TABLE wrapped_keys (
  key_id text not null,
  version integer not null,
  kek_reference text not null,
  algorithm text not null,
  wrapped blob not null,
  primary key (key_id, version, kek_reference),
  foreign key (key_id, version) references key_versions (key_id, version)
) strict;
