import { cpSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { makeHome } from "../fakes/home.ts";
import type { Home, Ran } from "../fakes/home.ts";
import type { FakeIoOptions } from "../fakes/io.ts";

/** One store with two tenants. `acme` is what is to be kept from everybody in `beta`; a key named `shared` is in both. */
export interface TwoTenants {
  home: Home;
  /** The secret of acme's issued key `zebra-api`. */
  secret: string;
  /** Ids of `zebra-api`: the key's own, and the public one inside the secret. */
  keyId: string;
  publicId: string;
}

/** Who works in beta, by role; nobody of them has a role in acme. */
export const betaLogins = { owner: "bea", operator: "ben", user: "bud", auditor: "bob" } as const;
/** The owner of acme. */
export const acmeLogin = "zoltan";

export const betaSecret = "the value of a secret of beta";
const acmeSecret = "the value of a secret of acme";

/** Runs as somebody, in a tenant. */
export async function runAs(
  home: Home,
  login: string,
  argv: readonly string[],
  more: FakeIoOptions = {},
): Promise<Ran> {
  return await home.run(argv, { login, ...more });
}

/** Makes the store; its maker has no role in either tenant afterwards. */
export async function makeTwoTenants(): Promise<TwoTenants> {
  const home = await makeHome();
  for (const [tenant, login, name] of [
    ["acme", acmeLogin, "Zoltan Zebra"],
    ["beta", betaLogins.owner, "Bea"],
  ] as const) {
    await home.ok(["tenant", "create", tenant]);
    await home.ok(["actor", "add", name, "--login", login, "--role", "owner", "--tenant", tenant]);
    await home.ok(["actor", "revoke", "tester", "--yes", "--tenant", tenant]);
  }
  for (const role of ["operator", "user", "auditor"] as const) {
    const argv = ["actor", "add", betaLogins[role], "--role", role, "--tenant", "beta"];
    await home.ok(argv, { login: betaLogins.owner });
  }
  const made = await fillAcme(home);
  await fillBeta(home);
  return { home, ...made };
}

async function fillAcme(home: Home): Promise<Omit<TwoTenants, "home">> {
  const ok = async (argv: string[], stdin = ""): Promise<string> =>
    await home.ok([...argv, "--tenant", "acme"], { login: acmeLogin, stdin });
  const made = JSON.parse(await ok(["create", "zebra-api", "--scopes", "zebra-scope", "-o", "json"]));
  await ok(["create", "shared"]);
  await ok(["create", "zebra-own", "--owner", "user:zoltan", "--tag", "zebra=stripes"]);
  const secret = ["--kind", "secret", "--type", "db-credential", "--from-file", "-"];
  await ok(["create", "zebra-db", ...secret], acmeSecret);
  const provider = ["--kind", "provider", "--provider", "openai", "--from-file", "-"];
  await ok(["create", "zebra-openai", ...provider], ["sk", "proj", "zebra", "value"].join("-"));
  await ok(["create", "zebra-phi", "--kind", "encryption", "--type", "PHI_DATA"]);
  await ok(["create", "zebra-paused"]);
  await ok(["suspend", "zebra-paused", "--reason", "zebra crossing"]);
  await ok(["create", "zebra-thrown-away"]);
  await ok(["delete", "zebra-thrown-away", "--yes"]);
  await ok(["create", "zebra-gone"]);
  await ok(["revoke", "zebra-gone", "--reason", "superseded", "--yes"]);
  await ok(["create", "zebra-elsewhere", "--env", "zebra-env"]);
  const [, publicId = ""] = String(made.secret).split(".");
  return { secret: made.secret, keyId: made.id, publicId };
}

async function fillBeta(home: Home): Promise<void> {
  const ok = async (argv: string[], stdin = ""): Promise<string> =>
    await home.ok([...argv, "--tenant", "beta"], { login: betaLogins.owner, stdin });
  await ok(["create", "shared"]);
  await ok(["create", "hive"]);
  await ok(["rotate", "hive", "--yes"]);
  await ok(["create", "buds", "--owner", "user:bud"]);
  await ok(["create", "comb", "--kind", "secret", "--type", "db-credential", "--from-file", "-"], betaSecret);
}

/** The same store once more, for what must not be seen by the first. */
export async function copyOf({ home, ...rest }: TwoTenants): Promise<TwoTenants> {
  const copy = await makeHome({ init: false });
  cpSync(home.path, copy.path, { recursive: true });
  copy.now = home.now;
  return { home: copy, ...rest };
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf<T>({ home }: TwoTenants, read: (all: (sql: string) => Row[]) => T): T {
  const database = new Database(join(home.path, "store.db"), { readonly: true });
  try {
    return read((sql) => database.prepare(sql).all() as Row[]);
  } finally {
    database.close();
  }
}

const ofAcme = "(select id from tenants where name = 'acme')";

/** Every name, id and text by which something of acme could be recognised, and its values. */
export function acmeNeedles(world: TwoTenants): string[] {
  return rowsOf(world, (all) => {
    const keys = all(`select id, name, correlation_id, description from keys where tenant_id = ${ofAcme}`);
    const versions = all(
      `select public_id from key_versions where key_id in (select id from keys where tenant_id = ${ofAcme})`,
    );
    const actors = all(`select id, name, login from actors where login = '${acmeLogin}'`);
    const entries = all(`select cast(bytes as text) text from audit_entries where log = ${ofAcme}`);
    const entryIds = entries.map(({ text }) => String(JSON.parse(String(text)).id));
    const found = [keys, versions, actors, all(`select id, name from tenants where name = 'acme'`)]
      .flat()
      .flatMap((row) => Object.values(row))
      .filter((value) => typeof value === "string" && value !== "shared")
      .map(String);
    return [...new Set([...found, ...entryIds, acmeSecret, world.secret, "zebra", "Zebra", "stripes"])];
  });
}

/** All that the store holds of acme: its rows and the size of its log. */
export function acmeRows(world: TwoTenants): string {
  return rowsOf(world, (all) =>
    JSON.stringify([
      all(`select * from tenants where name = 'acme'`),
      all(`select * from memberships where tenant_id = ${ofAcme}`),
      all(`select * from keys where tenant_id = ${ofAcme} order by id`),
      all(
        `select key_id, version, state, last_used_at, seen_at from key_versions
         where key_id in (select id from keys where tenant_id = ${ofAcme}) order by key_id, version`,
      ),
      all(`select log, size from audit_heads where log = ${ofAcme}`),
    ]),
  );
}

/** In acme: an operation whose process died, a task that waits for the vault, and a version past its expiry. */
export function leaveHalfDone({ home }: TwoTenants): void {
  const database = new Database(join(home.path, "store.db"));
  const key = `(select id from keys where name = 'zebra-api')`;
  database.exec(`
    insert into operations select 'op-1', tenant_id, id, 'rotate', 2, 'record', 'open', revision, 1, created_by,
      'c-1', 'no boot', 1, 'never', 1, 1, '{}' from keys where id = ${key};
    insert into outbox select 'task-1', tenant_id, id, 1, 'disable-secret', 'nowhere', 'op-1', 1, 3, 1, null
      from keys where id = ${key};
    update key_versions set expires_at = 1 where key_id = ${key};
    update keys set expires_at = 1 where id = ${key};`);
  database.close();
}

export interface Entry {
  operation: string;
  outcome: string;
  sensitivity: string;
  actor: string;
  auth: string;
  key: { name: string } | null;
  after: { [field: string]: unknown } | null;
  personal: { [field: string]: string };
}

/** The entries of a tenant's log, or of `system`, from a number on. */
export function entriesOf(home: Home, tenant: string, from = 0): Entry[] {
  const log = tenant === "system" ? "'system'" : `(select id from tenants where name = '${tenant}')`;
  const sql = `select cast(bytes as text) text from audit_entries where log = ${log} and seq >= ${from} order by seq`;
  return rowsOf({ home, secret: "", keyId: "", publicId: "" }, (all) =>
    all(sql).map(({ text }) => JSON.parse(String(text))),
  );
}
