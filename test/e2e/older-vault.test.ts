import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const create = (name: string): string[] => [
  "create",
  name,
  "--kind",
  "secret",
  "--type",
  "third-party",
  "--generate",
];

/** The vault as it was before `db` was rotated and `late` was made. */
async function putOlderVaultBack(): Promise<number> {
  await home.ok(create("db"));
  const vault = join(home.path, "vault.db");
  copyFileSync(vault, `${vault}.old`);
  await home.ok(["rotate", "db", "--generate", "--yes"]);
  await home.ok(create("late"));
  copyFileSync(`${vault}.old`, vault);
  const { code, err } = await home.run(create("more"));
  expect(code).toBe(11);
  const [, generation] = /--accept-vault ([0-9]+)/.exec(err) ?? [];
  return Number(generation);
}

describe("an older copy of the vault", () => {
  it("is refused, naming the command that goes on with it", async () => {
    expect(await putOlderVaultBack()).toBeGreaterThan(0);
  });

  it("is accepted only by its generation, typed, and then what it lacks is revoked and the rest goes on", async () => {
    const generation = await putOlderVaultBack();
    const accept = ["reconcile", "--fix", "--accept-vault", String(generation)];
    expect((await home.run([...accept, "--yes"])).code).toBe(2);
    expect((await home.run([...accept.slice(0, 3), "1", "--confirm", "1"])).code).toBe(11);
    const report = JSON.parse(await home.ok([...accept, "--confirm", String(generation), "-o", "json"]));
    expect(report.lost).toEqual([
      { key: "prod/db", version: 2 },
      { key: "prod/late", version: 1 },
    ]);
    await home.ok(["rollback", "db", "--yes"]);
    await home.ok(["rotate", "late", "--replace", "--generate", "--yes"]);
    const shown = JSON.parse(await home.ok(["show", "late", "-o", "json"]));
    expect(shown.versions.map(({ state }: { state: string }) => state)).toEqual(["revoked", "active"]);
    await home.ok(["reconcile", "--fix"]);
    expect(JSON.parse(await home.ok(["reconcile", "-o", "json"])).drift).toEqual([]);
    const verdict = JSON.parse(await home.ok(["audit-verify", "--state", "-o", "json"]));
    expect(verdict).toMatchObject({ integrity: "ok", differences: [] });
  });

  it("is not accepted when it is not older at all", async () => {
    expect((await home.run(["reconcile", "--fix", "--accept-vault", "999", "--confirm", "999"])).code).toBe(
      6,
    );
    expect((await home.run(["reconcile", "--accept-vault", "999", "--confirm", "999"])).code).toBe(2);
  });
});
