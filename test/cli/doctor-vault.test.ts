import { copyFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore, diagnose, lineOf, linesOf } from "./doctor-world.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const inHome = (name: string): string => join(home.path, name);

function halve(name: string): void {
  truncateSync(inHome(name), Math.floor(statSync(inHome(name)).size / 2));
}

describe("a vault", () => {
  it("that is missing failed because the store has keys in it", async () => {
    rmSync(inHome("vault.db"));
    expect(lineOf(await diagnose(home), "vault")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("is missing, and the store has keys in it"),
    });
  });

  it.each([
    ["cut in half", () => halve("vault.db")],
    ["a text", () => writeFileSync(inHome("vault.db"), "not a database\n".repeat(500))],
    ["empty", () => writeFileSync(inHome("vault.db"), "")],
  ])("that is %s failed, and the log is said not to be verified", async (_what, damage) => {
    damage();
    const found = await diagnose(home);
    const failures = found.checks.filter(({ status }) => status === "fail");
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toMatch(/the vault .* is damaged/);
    expect(lineOf(found, "audit.system")).toMatchObject({ status: "warn", cure: "mend the vault first" });
  });

  it("whose unlock key is gone, open to others, or another's, does not open", async () => {
    const key = inHome("unlock.key");
    const other = await makeHome({ init: false });
    await other.ok(["init"]);
    copyFileSync(join(other.path, "unlock.key"), key);
    expect(lineOf(await diagnose(home), "vault.unlock").message).toMatch(/is not that of the vault/);
    writeFileSync(key, "not a key");
    expect(lineOf(await diagnose(home), "vault.unlock").message).toMatch(/is not an unlock key/);
    rmSync(key);
    expect(lineOf(await diagnose(home), "vault.unlock")).toMatchObject({
      status: "fail",
      message: `the unlock key ${key} is missing`,
    });
    other.remove();
  });

  it("that is an older copy than the store has seen failed", async () => {
    copyFileSync(inHome("vault.db"), inHome("vault.old"));
    await home.ok(["create", "db", "--kind", "secret", "--type", "third-party", "--generate"]);
    copyFileSync(inHome("vault.old"), inHome("vault.db"));
    expect(lineOf(await diagnose(home), "vault.generation")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/is an older copy: it is at generation \d+, and was at \d+$/),
      cure: expect.stringContaining("--accept-vault"),
    });
  });

  it("that does not hold what the store names failed", async () => {
    alterStore(home, "update vault_references set reference = replace(reference, 'kek', 'pepper')");
    expect(lineOf(await diagnose(home), "vault.roots")).toMatchObject({ status: "fail" });
    expect(lineOf(await diagnose(home), "vault.roots").message).toContain(
      "points outside the profile's vault",
    );
  });

  describe("with a passphrase", () => {
    let sealed: Home;
    const given = (passphrase: string) => ({
      env: { KEYCTL_PASSPHRASE_FILE: "pass.txt" },
      files: { "pass.txt": `${passphrase}\n` },
    });
    beforeEach(async () => {
      sealed = await makeHome({ init: false });
      await sealed.ok(["init", "--vault-key", "passphrase"], given("correct horse battery"));
    });
    afterEach(() => sealed.remove());

    it("is not tried without one, opens with the right one, and not with a wrong one", async () => {
      const without = await diagnose(sealed);
      expect(without.ok).toBe(true);
      expect(lineOf(without, "vault.unlock")).toMatchObject({
        status: "warn",
        message: expect.stringMatching(/not tried$/),
      });
      expect(linesOf(without, "vault.unlock-key-place")).toEqual([]);
      const right = await diagnose(sealed, [], given("correct horse battery"));
      expect(right.checks.filter(({ status }) => status !== "ok")).toEqual([]);
      const wrong = await diagnose(sealed, [], given("wrong horse battery"));
      expect(lineOf(wrong, "vault.unlock")).toMatchObject({ status: "fail" });
      expect(JSON.stringify(wrong)).not.toContain("wrong horse");
    });

    it("asks for it on a terminal, where Ctrl-C ends it all", async () => {
      expect(
        lineOf(await diagnose(sealed, [], { answers: ["correct horse battery"] }), "vault.unlock").status,
      ).toBe("ok");
      const stopped = await sealed.run(["doctor"], { answers: [null] });
      expect([stopped.code, stopped.out]).toEqual([130, ""]);
    });
  });
});

describe("an audit log", () => {
  it("with a changed entry failed", async () => {
    await home.ok(["create", "payments"]);
    alterStore(
      home,
      "drop trigger audit_entries_refuses_update",
      "update audit_entries set bytes = cast(replace(cast(bytes as text), 'tester', 'nobody') || ' ' as blob) where seq = 0",
    );
    const found = await diagnose(home);
    for (const id of ["audit.tenant", "audit.system"]) {
      expect(lineOf(found, id)).toMatchObject({
        status: "fail",
        cure: expect.stringContaining("keyctl audit-verify --state"),
      });
    }
    expect(lineOf(found, "audit.tenant").message).toMatch(/^entry 0 /);
  });

  it("that is shorter than this client has seen it failed", async () => {
    copyFileSync(inHome("store.db"), inHome("store.old"));
    await home.ok(["create", "payments"]);
    copyFileSync(inHome("store.old"), inHome("store.db"));
    expect(lineOf(await diagnose(home), "audit.tenant")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("an older copy of the database may have been put back"),
    });
  });
});

describe("the keys' rows", () => {
  const revive = "update key_versions set state = 'active' where state = 'revoked'";

  it("are looked at when the vault opens, and how many is said", async () => {
    await home.ok(["create", "payments"]);
    await home.ok(["rotate", "payments", "--yes"]);
    expect(lineOf(await diagnose(home), "rows")).toMatchObject({
      status: "ok",
      message: "as keyctl wrote them by row MACs and the log (versions: 2)",
    });
  });

  it("that were changed behind keyctl failed, by their MACs and by the log", async () => {
    await home.ok(["create", "payments"]);
    await home.ok(["create", "billing"]);
    await home.ok(["revoke", "payments", "--reason", "superseded", "--yes"]);
    alterStore(home, revive, "update key_versions set expires_at = 99999999999999 where state = 'active'");
    const found = lineOf(await diagnose(home), "rows");
    expect(found).toMatchObject({ status: "fail", cure: expect.stringContaining("keyctl revoke NAME") });
    expect(found.message).toMatch(/prod\/billing version 1 has a row that keyctl did not write/);
    expect(found.message).toMatch(/prod\/payments version 1/);
  });

  it("that only the log knows failed", async () => {
    await home.ok(["create", "payments"]);
    await home.ok(["revoke", "payments", "--reason", "superseded", "--yes"]);
    alterStore(home, "update key_versions set state = 'compromised' where state = 'revoked'");
    expect(lineOf(await diagnose(home), "rows").status).toBe("fail");
  });

  it("are not looked at without the vault", async () => {
    rmSync(inHome("unlock.key"));
    expect(linesOf(await diagnose(home), "rows")).toEqual([]);
  });
});
