import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { entriesOf } from "./two-tenants.ts";

let home: Home;
let issued: string;

const inAcme = ["--tenant", "acme"];
const end = ["tenant", "delete", "acme", "--confirm", "acme"];
const away = (name: string): [string, string] => [join(home.path, name), join(home.path, `${name}.away`)];

beforeAll(async () => {
  home = await makeHome();
  await home.ok(["tenant", "create", "acme"]);
  issued = (await home.ok(["create", "api", ...inAcme])).trim();
  await home.ok(["rotate", "api", "--yes", ...inAcme]);
  await home.ok(["create", "test-api", "--env", "test", ...inAcme]);
  await home.ok(["create", "gone", ...inAcme]);
  await home.ok(["revoke", "gone", "--reason", "superseded", "--yes", ...inAcme]);
  const given = async (argv: string[], stdin: string): Promise<unknown> =>
    await home.ok([...argv, "--from-file", "-", ...inAcme], { stdin });
  await given(["create", "db", "--kind", "secret", "--type", "db-credential"], "a value that is long enough");
  await given(
    ["create", "openai", "--kind", "provider", "--provider", "openai"],
    ["sk", "proj", "no", "key"].join("-"),
  );
});
afterAll(() => home.remove());

describe("a tenant that is deleted while the vault is away", () => {
  it("is shown with every live key of every environment before", async () => {
    const plan = JSON.parse(await home.ok(["tenant", "delete", "acme", "--dry-run", "-o", "json"]));
    expect(plan.keys.map(({ name }: { name: string }) => name).toSorted()).toEqual([
      "api",
      "db",
      "openai",
      "test-api",
    ]);
  });

  it("has its keys denied at once, the vault's part queued (8), and says which provider still accepts one", async () => {
    const size = entriesOf(home, "acme").length;
    renameSync(...away("vault.db"));
    const ran = await home.run(end);
    expect(ran.code, ran.err).toBe(8);
    expect(ran.out).toBe("tenant acme is deleted; keys denied: 4\n");
    expect(ran.err).toContain("vault 0/1");
    expect(ran.err).toContain("prod/openai: openai accepts it until it is deleted there");
    const entries = entriesOf(home, "acme", size);
    expect(entries.filter(({ operation }) => operation === "key.revoke")).toHaveLength(4);
    expect(entries.at(-1)).toMatchObject({
      operation: "tenant.delete",
      sensitivity: "CRITICAL",
      after: { keys: 4 },
    });
    expect(entriesOf(home, "system").at(-1)).toMatchObject({ operation: "tenant.delete" });
  });

  it("is there for nobody any more, and cannot be deleted again", async () => {
    for (const argv of [["list", ...inAcme], ["show", "acme/prod/api"], ["create", "acme/prod/late"], end])
      expect((await home.run(argv)).code, argv.join(" ")).toBe(3);
    expect((await home.run(["tenant", "create", "Acme"])).code).toBe(6);
  });

  it("has the vault's part done by the maintenance of who was its owner", async () => {
    const [path, elsewhere] = away("vault.db");
    renameSync(elsewhere, path);
    home.now += 60_000;
    const { queue } = JSON.parse(await home.ok(["reconcile", "--fix", "-o", "json"]));
    expect(queue).toMatchObject({ done: 1, due: 0 });
    expect(entriesOf(home, "acme").at(-1)).toMatchObject({ operation: "vault.disable" });
  });

  it("leaves keys that no tenant accepts, and a log that agrees with them", async () => {
    expect((await home.run(["verify"], { stdin: issued })).code).toBe(13);
    await home.ok(["audit-verify", "--state", ...inAcme]);
  });
});

describe("a key that is created while its tenant is deleted", () => {
  it("is either denied with the others or never made", async () => {
    for (let i = 0; i < 5; i++) {
      const tenant = `race-${i}`;
      await home.ok(["tenant", "create", tenant]);
      const [made, deleted] = await Promise.all([
        home.run(["create", "late", "--tenant", tenant]),
        home.run(["tenant", "delete", tenant, "--confirm", tenant]),
      ]);
      expect(deleted.code, deleted.err).toBe(0);
      expect([0, 3, 6], made.err).toContain(made.code);
      if (made.out !== "") expect((await home.run(["verify"], { stdin: made.out })).code).toBe(13);
      await home.ok(["audit-verify", "--state", "--tenant", tenant]);
      const { operations } = JSON.parse(await home.ok(["reconcile", "-o", "json"]));
      expect(operations).toEqual([]);
    }
    const session = await home.session();
    const races = (await session.store.tenants()).filter(({ name }) => name.startsWith("race-"));
    for (const { id } of races) {
      const ids = await session.store.selectKeyIds({ tenantId: id });
      const states = (await session.store.versionsOfKeys(ids)).map(({ state }) => state);
      expect(states.filter((state) => state !== "revoked")).toEqual([]);
    }
    await session.close();
  });
});
