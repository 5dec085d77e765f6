import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import { rowMacFields } from "../../src/core/row-mac.ts";
import type { RowMacFields } from "../../src/core/row-mac.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore, readStore } from "./altered-store.ts";
import { copyOf, givenFiles, makeFourKeys, source } from "./four-keys.ts";
import type { FourKeys } from "./four-keys.ts";
import { isReadable, keyNamed, withSession } from "./invariants.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let prepared: FourKeys;
/** The secret of `other`, an issued key with one version. */
let otherSecret: string;
beforeAll(async () => {
  prepared = await makeFourKeys();
  otherSecret = (await prepared.home.ok(["create", "other", "--scopes", "read"])).trim();
});
afterAll(() => prepared.home.remove());

async function onCopy(work: (home: Home) => Promise<void>): Promise<void> {
  const home = await copyOf(prepared.home);
  try {
    await work(home);
  } finally {
    home.remove();
  }
}

/** One change behind keyctl's back to every version of a key. */
interface Change {
  /** Which field of the row MAC covers it. */
  field: keyof RowMacFields;
  column: string;
  kinds: readonly KeyKind[];
  /** `:id` is the key's id. */
  sql: string;
  /** Whether the key is still found by its name, so that commands can be tried on it. */
  isFound: boolean;
}

function ofKey(column: string, value: string, kinds: readonly KeyKind[]): Omit<Change, "field"> {
  return { column, kinds, sql: `update keys set ${column} = ${value} where id = :id`, isFound: true };
}

function ofVersions(column: string, value: string, kinds: readonly KeyKind[]): Omit<Change, "field"> {
  const sql = `update key_versions set ${column} = ${value} where key_id = :id`;
  return { column, kinds, sql, isFound: true };
}

/** The two versions exchange what they hold. */
function swapped(column: string, kinds: readonly KeyKind[]): Omit<Change, "field"> {
  const sql = `create temp table held as select version, ${column} as value from key_versions where key_id = :id;
    update key_versions set ${column} = version where key_id = :id and typeof(${column}) = 'text';
    update key_versions set ${column} = (select value from held where held.version = 3 - key_versions.version)
    where key_id = :id`;
  return { column, kinds, sql, isFound: true };
}

const farAway = Date.UTC(2036, 1, 1);

const changes: readonly Change[] = [
  { field: "kind", ...ofKey("kind", "'encryption'", ["issued", "provider", "secret"]) },
  { field: "prefix", ...ofKey("prefix", "'kc_test'", ["issued"]) },
  { field: "scopes", ...ofKey("scopes", `'["admin"]'`, ["issued"]) },
  { field: "tier", ...ofKey("tier", "'enterprise'", ["issued"]) },
  { field: "owner", ...ofKey("owner", "'user:mallory'", keyKinds) },
  { field: "authorizedServices", ...ofKey("authorized_services", `'["mallory"]'`, keyKinds) },
  { field: "publicId", ...ofVersions("public_id", "'0000000000000' || version", ["issued"]) },
  { field: "value", ...swapped("digest", ["issued"]) },
  { field: "value", ...swapped("envelope", ["provider"]) },
  { field: "value", ...swapped("vault_reference", ["secret", "encryption"]) },
  { field: "expiresAt", ...ofVersions("expires_at", String(farAway), keyKinds) },
  { field: "graceUntil", ...ofVersions("grace_until", String(farAway), keyKinds) },
  {
    field: "tenantId",
    column: "tenant_id",
    kinds: keyKinds,
    sql: `insert into tenants values ('01890000-0000-7000-8000-000000000001', 'mallory', 'mallory', 0, null);
      update keys set tenant_id = '01890000-0000-7000-8000-000000000001' where id = :id`,
    isFound: false,
  },
  {
    field: "version",
    column: "version",
    kinds: keyKinds,
    sql: `update wrapped_keys set version = version + 6 where key_id = :id;
      update key_versions set version = version + 6 where key_id = :id`,
    isFound: false,
  },
  {
    field: "keyId",
    column: "key_id",
    kinds: ["issued"],
    sql: `update key_versions set key_id = (select id from keys where name = 'other'), version = version + 6
      where key_id = :id`,
    isFound: false,
  },
];

/** The key's rows are read as a back end would; what is not genuine gives nothing. */
async function expectNothingIsGiven(home: Home, kind: KeyKind, id: string): Promise<void> {
  if (kind === "issued") {
    for (const stdin of prepared.issued) {
      expect([11, 13]).toContain((await home.run(["verify"], { stdin })).code);
    }
    return;
  }
  const revealed = await home.run(["reveal", "--id", id, "--stdout"]);
  expect([3, 5, 7, 11]).toContain(revealed.code);
  expect(revealed.out).toBe("");
  await withSession(home, async (session) => {
    const key = await session.store.keyById(id);
    if (key === null) throw new Error("the key is gone");
    for (const version of await session.store.versions(id)) {
      expect(await isReadable(session, key, version)).toBe(false);
    }
  });
}

/** `audit-verify --state` finds it, and says of which key. */
async function expectNamed(home: Home, name: string): Promise<void> {
  const verdict = await home.run(["audit-verify", "--state", "-o", "json"]);
  expect(verdict.code).toBe(11);
  expect(JSON.parse(verdict.out)).toMatchObject({
    integrity: "ok",
    differences: expect.arrayContaining([expect.stringContaining(`prod/${name}`)]),
  });
}

async function idOf(home: Home, name: string): Promise<string> {
  return await withSession(home, async (session) => (await keyNamed(session, name)).id);
}

describe("a row changed behind our back never verifies, opens or comes back", () => {
  for (const { field, column, kinds, sql, isFound } of changes) {
    it(`when ${column} was changed (${kinds.join(", ")})`, async () => {
      for (const kind of kinds) {
        await onCopy(async (home) => {
          const id = await idOf(home, kind);
          if (field === "graceUntil") home.now += 25 * hourMs;
          alterStore(home, sql, { id });
          await expectNothingIsGiven(home, kind, id);
          await expectNamed(home, isFound || column !== "key_id" ? kind : "other");
          if (!isFound) return;
          for (const argv of [
            ["rollback", kind, "--yes"],
            ["rotate", kind, "--yes", ...(column === "kind" ? [] : source(kind))],
          ]) {
            const refused = await home.run(argv, { files: givenFiles });
            expect({ argv, code: refused.code, err: refused.err }).toEqual({
              argv,
              code: 11,
              err: refused.err,
            });
          }
          await expectNothingIsGiven(home, kind, id);
        });
      }
    });

    if (!isFound) continue;
    it(`after a revoke, when ${column} was changed before the undo`, async () => {
      for (const kind of kinds) {
        await onCopy(async (home) => {
          const id = await idOf(home, kind);
          await home.run(["revoke", kind, "--reason", "superseded", "--yes"]);
          alterStore(home, sql, { id });
          const refused = await home.run(["revoke", kind, "--undo", "--yes"]);
          expect({ kind, code: refused.code, err: refused.err }).toEqual({
            kind,
            code: 11,
            err: refused.err,
          });
          await expectNothingIsGiven(home, kind, id);
        });
      }
    });
  }

  it("by any field that the row MAC covers", async () => {
    await withSession(prepared.home, async (session) => {
      const key = await keyNamed(session, "issued");
      const [version] = await session.store.versions(key.id);
      if (version === undefined) throw new Error("no version");
      // No row has a not-before yet; there is no column to change.
      const covered = Object.keys(rowMacFields(key, version)).filter((field) => field !== "notBefore");
      expect(new Set(changes.map(({ field }) => field))).toEqual(new Set(covered));
    });
  });
});

/** Why `verify` does not accept the key, once its digest has matched. */
async function reasonOf(home: Home, secret: string): Promise<unknown> {
  const verified = await home.run(["verify", "-o", "json"], { stdin: secret });
  expect(verified.code).toBe(13);
  return JSON.parse(verified.out)["reason"];
}

describe("an issued key's row", () => {
  it("that was given another key's id and digest does not lend its scopes to that key's secret", async () => {
    await onCopy(async (home) => {
      const id = await idOf(home, "issued");
      const [taken] = readStore(
        home,
        "select public_id, digest from key_versions where key_id = (select id from keys where name = 'other')",
      );
      alterStore(
        home,
        "update key_versions set public_id = 'x' where key_id = (select id from keys where name = 'other')",
      );
      const { public_id: publicId, digest } = taken ?? {};
      alterStore(
        home,
        "update key_versions set public_id = :publicId, digest = :digest where key_id = :id and version = 2",
        { id, publicId, digest },
      );
      expect(await reasonOf(home, otherSecret)).toBe("integrity");
      await expectNamed(home, "issued");
    });
  });

  it("that lost its MAC, carries another row's, or one of a pepper that does not exist is not accepted", async () => {
    const alterations = [
      "row_mac = null",
      "row_mac = zeroblob(32)",
      "row_mac = (select v.row_mac from key_versions v where v.key_id = :id and v.version = 1)",
      "row_mac_pepper_version = 2",
      "pepper_version = 2",
    ];
    for (const alteration of alterations) {
      await onCopy(async (home) => {
        const id = await idOf(home, "issued");
        alterStore(home, `update key_versions set ${alteration} where key_id = :id and version = 2`, { id });
        const verified = await home.run(["verify", "-o", "json"], { stdin: prepared.issued[1] ?? "" });
        expect({ alteration, code: verified.code }).toEqual({
          alteration,
          code: alteration.includes("pepper") ? 11 : 13,
        });
      });
    }
  });

  it("that was rotated and whose grace is over is not accepted when its state is set back to active", async () => {
    await onCopy(async (home) => {
      const id = await idOf(home, "issued");
      home.now += 25 * hourMs;
      alterStore(
        home,
        `update key_versions set state = case version when 1 then 'active' else 'rotated' end where key_id = :id;
         update keys set active_version = 1 where id = :id`,
        { id },
      );
      expect((await home.run(["verify"], { stdin: prepared.issued[0] ?? "" })).code).toBe(13);
      await expectNamed(home, "issued");
    });
  });
});

describe("a revoked row that was set back to active", () => {
  const back = `update key_versions set state = 'active', revoked_at = null, revoked_reason = null, denied_at = null
    where key_id = :id and version = 2;
    update keys set state = 'active', active_version = 2 where id = :id`;

  it("is not accepted, because the revoke took its MAC", async () => {
    for (const kind of keyKinds) {
      await onCopy(async (home) => {
        const id = await idOf(home, kind);
        await home.run(["revoke", kind, "--reason", "superseded", "--yes"]);
        alterStore(home, back, { id });
        await expectNothingIsGiven(home, kind, id);
        await expectNamed(home, kind);
      });
    }
  });

  it("is found by audit-verify --state also when its old MAC was put back with it", async () => {
    for (const kind of keyKinds) {
      await onCopy(async (home) => {
        const id = await idOf(home, kind);
        const [old] = readStore(
          home,
          "select row_mac as mac from key_versions where key_id = :id and version = 2",
          { id },
        );
        await home.run(["revoke", kind, "--reason", "superseded", "--yes"]);
        alterStore(home, back, { id });
        alterStore(
          home,
          "update key_versions set row_mac = :mac, row_mac_pepper_version = 1 where key_id = :id and version = 2",
          { id, mac: old?.["mac"] },
        );
        await expectNamed(home, kind);
      });
    }
  });
});

describe("a vault reference that was changed", () => {
  it("to another vault is not followed", async () => {
    for (const kind of ["secret", "encryption"] as const) {
      await onCopy(async (home) => {
        const id = await idOf(home, kind);
        const elsewhere = "'embedded://00000000-0000-4000-8000-000000000000/' || substr(vault_reference, 49)";
        alterStore(home, `update key_versions set vault_reference = ${elsewhere} where key_id = :id`, { id });
        await expectNothingIsGiven(home, kind, id);
        await expectNamed(home, kind);
        expect((await home.run(["rollback", kind, "--yes"])).code).toBe(11);
      });
    }
  });
});
