import { planRevokeKeys, revokeKeys } from "../../src/app/revoke-keys.ts";
import type { RevokeInput } from "../../src/app/plan-revoke.ts";
import { copyRow, idOfRow } from "./fill-keys.ts";
import { makeBenchHome } from "./home.ts";
import type { BenchHome } from "./home.ts";
import { elapsedMs, median } from "./measure.ts";
import { newIssuedKey, plainOptions } from "./new-key.ts";
import { formatNumber } from "./report.ts";
import type { Bench } from "./report.ts";

const rounds = 3;

/** Revokes by a filter half of all keys, in one transaction with an audit entry and a record for each. */
export async function bulkRevoke(bench: Bench): Promise<void> {
  const count = bench.sized(10_000, 200);
  const planMs: number[] = [];
  const revokeMs: number[] = [];
  const bareMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const home = await makeBenchHome();
    try {
      await fill(home, count * 2);
      bareMs.push(await bareRevoke(home));
      const session = await home.session();
      planMs.push(await elapsedMs(async () => await planRevokeKeys(session, request)));
      revokeMs.push(
        await elapsedMs(async () => {
          const { denied } = await revokeKeys(session, request);
          if (denied.done !== count) throw new Error(`${denied.done} keys were revoked, not ${count}`);
        }),
      );
      await session.close();
    } finally {
      home.remove();
    }
  }
  const seconds = (values: readonly number[]): number => median(values) / 1_000;
  const what = `${formatNumber(count)} keys of ${formatNumber(count * 2)}`;
  bench.figure({ what: `revoke --all --where-tag, ${what}: the plan`, value: seconds(planMs), unit: "s" });
  bench.figure({
    what: `revoke --all --where-tag, ${what}: done`,
    value: seconds(revokeMs),
    unit: "s",
    peer: { what: "the bare statements", value: seconds(bareMs) },
    goal: "< 2 s",
  });
}

const request: RevokeInput = {
  target: { where: { tags: { team: "leaving" } } },
  reason: "cessation",
  severity: null,
  unwrapToo: false,
  planHash: null,
  options: plainOptions,
};

async function fill(home: BenchHome, count: number): Promise<void> {
  const session = await home.session();
  const { key } = await newIssuedKey(session, "model");
  await session.close();
  const database = home.database();
  const name = "printf('key-%07d', n)";
  const tags = `iif(n % 2 = 0, '{"team":"leaving"}', '{"team":"core"}')`;
  copyRow(
    database,
    { table: "keys", where: `id = '${key.id}'` },
    { count, columns: { id: idOfRow, name, name_folded: name, tags } },
  );
  copyRow(
    database,
    { table: "key_versions", where: `key_id = '${key.id}'` },
    { count, columns: { key_id: idOfRow, public_id: "printf('%014d', n)" } },
  );
  database.close();
}

/**
 * What the database alone must do: versions and keys changed, a record and an entry written for each. Rolled back at the
 * end instead of committed, so that the revoke finds the same rows.
 */
async function bareRevoke(home: BenchHome): Promise<number> {
  const database = home.database();
  database.exec("begin immediate");
  const ms = await elapsedMs(() => {
    database.exec(`
      create temp table meant as select id from keys where json_extract(tags, '$.team') = 'leaving';
      update key_versions set state = 'revoked', former_state = 'active', row_mac = null
        where key_id in (select id from meant);
      update keys set state = 'revoked', active_version = null, revision = revision + 1
        where id in (select id from meant);
      insert into revocations (id, tenant_id, key_id, operation_id, reason, revoked_at)
        select id, (select id from tenants), id, 'bare', 'cessation', 0 from meant;
      insert into audit_entries
        (log, seq, bytes, leaf, ts, operation, outcome, sensitivity, actor_id, key_id, operation_id)
        select 'bare', rowid, randomblob(800), randomblob(32), 0, 'key.revoke', 'success', 'HIGH', 'bare', id, 'bare'
        from meant;`);
  });
  database.exec("rollback");
  database.close();
  return ms;
}
