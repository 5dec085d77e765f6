import type { Migration, SchemaWords } from "../migration.ts";

/** What a team needs: purged keys give their names back, tenants end, and who saw which value is known. */
export const teamAndUse: Migration = {
  version: 2,
  statements: (words) => [...keys(words), ...tenants(words), ...refusals, ...attention, ...use(words)],
};

const keys = ({ integer }: SchemaWords): string[] => [
  `alter table keys add column purged_at ${integer}`,
  "drop index keys_by_name",
  "create unique index keys_by_name on keys (tenant_id, env, name_folded) where purged_at is null",
  `alter table key_versions add column seen_at ${integer}`,
];

const tenants = ({ integer }: SchemaWords): string[] => [
  `alter table tenants add column deleted_at ${integer}`,
  "create index memberships_of_tenant on memberships (tenant_id, role, actor_id)",
];

/** Attempts that came to nothing are few, and looked for often. */
const refusals = [
  "create index audit_entries_not_done on audit_entries (log, ts, seq) where outcome <> 'success'",
];

/**
 * What the security view looks for, each in an index of its own: none of it may walk a million keys. The number is that of
 * the policy, 90 days: a query that uses another does not find the index.
 */
const attention = [
  // With the last column a count needs no row.
  "create index keys_in_state on keys (tenant_id, state, kind, name_folded, id, purged_at) where purged_at is null",
  `create index keys_by_rotation on keys
  (tenant_id, (coalesce(rotated_at, created_at) + coalesce(rotate_every_ms, 7776000000))) where state = 'active'`,
  "create index keys_never_used on keys (tenant_id, created_at) where state = 'active' and last_used_at is null",
  `create index keys_by_last_use on keys (tenant_id, last_used_at)
  where state = 'active' and last_used_at is not null`,
  "create index keys_by_anomaly on keys (tenant_id, anomaly_at) where state = 'active' and anomaly_at is not null",
  `create index key_versions_by_grace on key_versions (grace_until)
  where state = 'rotated' and grace_until is not null`,
  "create index key_versions_seen on key_versions (seen_at) where state = 'active' and seen_at is not null",
  "create index outbox_open_of_tenant on outbox (tenant_id, attempts, not_before) where done_at is null",
];

/** What a back end does with keys: validations, by the log entry that counts them, and data keys, so that a rewrap can count. */
const use = ({ integer, table, orderedTable }: SchemaWords): string[] => [
  `create table usage_events (
  log text not null,
  seq ${integer} not null,
  place ${integer} not null,
  key_id text not null,
  version ${integer} not null,
  at ${integer} not null,
  request_id text,
  primary key (log, seq, place)
)${orderedTable}`,
  `create table data_keys (
  id text primary key not null,
  tenant_id text not null references tenants (id),
  key_id text not null,
  version ${integer} not null,
  created_at ${integer} not null,
  foreign key (key_id, version) references key_versions (key_id, version)
)${table}`,
  "create index data_keys_of_version on data_keys (key_id, version)",
];
