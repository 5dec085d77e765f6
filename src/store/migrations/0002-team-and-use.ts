import type { Migration, SchemaWords } from "../migration.ts";

/** What a team needs: purged keys give their names back, tenants end, and who saw which value is known. */
export const teamAndUse: Migration = {
  version: 2,
  statements: (words) => [...keys(words), ...tenants(words), ...refusals],
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
