import { copyFileSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore, diagnose, lineOf, linesOf, snapshot } from "./doctor-world.ts";

const dayMs = 24 * 60 * 60 * 1000;

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const inHome = (name: string): string => join(home.path, name);

function halve(name: string): void {
  truncateSync(inHome(name), Math.floor(statSync(inHome(name)).size / 2));
}

describe("a healthy home", () => {
  it("has no line that failed, and one to look at: KEYCTL_HOME puts the unlock key beside its vault", async () => {
    await home.ok(["create", "payments"]);
    const found = await diagnose(home);
    expect(found.code).toBe(0);
    const attention = found.checks.filter(({ status }) => status !== "ok");
    expect(attention.map(({ id }) => id)).toEqual(["vault.unlock-key-place"]);
    expect(lineOf(found, "actor").message).toBe("tester is owner of tenant default");
    expect(lineOf(found, "audit.tenant").message).toMatch(/^unchanged, \d+ entries, 1 checkpoint; reaches/);
  });

  it("has none to look at where the unlock key lies in another folder than its vault", async () => {
    const plain = await makeHome({ init: false });
    const env = { KEYCTL_HOME: "" };
    await plain.ok(["init"], { env });
    const found = await diagnose(plain, [], { env });
    expect(found.checks.filter(({ status }) => status !== "ok")).toEqual([]);
    plain.remove();
  });

  it("is told as a table that ends with a count, wrapped on a narrow terminal", async () => {
    const table = await home.ok(["doctor"]);
    expect(table).toMatch(/^STATUS +WHAT +FOUND\n/);
    expect(table).toMatch(/^ok +actor +tester is owner of tenant default$/m);
    expect(table).toMatch(/^ +→ back the two up in different places/m);
    expect(table).toMatch(/\n\d+ ok, 1 to look at, 0 failed\n$/);
    expect(table).not.toContain("terminals");
    expect(await home.ok(["doctor", "-o", "wide"])).toMatch(/^ok +terminals +stdin no terminal/m);
    const narrow = await home.ok(["doctor"], { terminal: { stdout: true }, env: { NO_COLOR: "1" } });
    for (const line of narrow.split("\n")) {
      // A path is never cut: it is copied.
      if (!line.includes(home.path)) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  it("is looked at as it is while another process has it open, and not touched", async () => {
    const database = new Database(inHome("store.db"));
    database.exec("update actors set name = 'Somebody'");
    expect(statSync(inHome("store.db-wal")).size).toBeGreaterThan(0);
    expect((await diagnose(home)).ok).toBe(true);
    database.exec("update actors set login = 'somebody'");
    expect(lineOf(await diagnose(home), "actor")).toMatchObject({
      status: "fail",
      message: "tester is not an actor of this store",
    });
    database.close();
  });

  it("is looked at with the log that a killed process left, which stays as it is", async () => {
    const database = new Database(inHome("store.db"));
    database.exec("update actors set login = 'somebody'");
    const copy = await makeHome({ init: false });
    for (const name of ["store.db", "store.db-wal", "store.db-shm", "vault.db", "unlock.key"])
      copyFileSync(inHome(name), join(copy.path, name));
    database.close();
    expect(lineOf(await diagnose(copy), "actor").status).toBe("fail");
    copy.remove();
  });
});

describe("where nothing was set up", () => {
  it("says so, and that keyctl init does it, and makes nothing", async () => {
    const empty = await makeHome({ init: false });
    const found = await diagnose(empty);
    expect(found.code).toBe(0);
    for (const id of ["store", "vault"]) {
      expect(lineOf(found, id)).toMatchObject({ status: "warn", cure: "keyctl init" });
    }
    rmSync(empty.path, { recursive: true });
    expect((await empty.run(["doctor"])).code).toBe(0);
    mkdirSync(empty.path);
    empty.remove();
  });
});

describe("a store", () => {
  const storeOf = async (...argv: string[]) => lineOf(await diagnose(home, argv), "store");

  it("that vanished, or was chosen and is not there, failed", async () => {
    rmSync(inHome("store.db"));
    expect(await storeOf()).toMatchObject({
      status: "fail",
      message: `no store at sqlite:${inHome("store.db")}`,
    });
    const elsewhere = await storeOf("--store", `sqlite:${inHome("no/such/folder/store.db")}`);
    expect(elsewhere).toMatchObject({ status: "fail", cure: expect.stringContaining("keyctl init") });
  });

  it.each([
    ["cut in half", () => halve("store.db"), /is damaged/],
    ["a text", () => writeFileSync(inHome("store.db"), "not a database\n".repeat(500)), /is damaged/],
    ["empty", () => writeFileSync(inHome("store.db"), ""), /is empty/],
    ["a vault", () => copyFileSync(inHome("vault.db"), inHome("store.db")), /is damaged/],
  ])("that is %s failed, and everything else is still looked at", async (_what, damage, message) => {
    damage();
    const found = await diagnose(home);
    const failures = found.checks.filter(({ status }) => status === "fail");
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ message: expect.stringMatching(message) });
    expect(failures[0]?.cure).toMatch(/restore it from a backup/);
    expect(lineOf(found, "vault.unlock").status).toBe("ok");
  });

  it("that is a folder failed", async () => {
    rmSync(inHome("store.db"));
    mkdirSync(inHome("store.db"));
    expect(await storeOf()).toMatchObject({ status: "fail", message: `${inHome("store.db")} is not a file` });
  });

  it("of a newer keyctl failed, and one of an older is brought up to date by the next command", async () => {
    alterStore(home, "update meta set schema_version = 99");
    expect(lineOf(await diagnose(home), "store.schema")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/^99, of a newer keyctl: this one knows \d+$/),
      cure: "upgrade keyctl",
    });
    alterStore(home, "update meta set schema_version = 1");
    const older = await diagnose(home);
    expect(lineOf(older, "store.schema").status).toBe("warn");
    expect(older.ok).toBe(true);
  });

  it("in which the caller is nobody, has no role, or whose tenant is unknown, failed", async () => {
    expect(lineOf(await diagnose(home, ["--tenant", "nobody"]), "tenant").message).toBe(
      "there is no tenant nobody",
    );
    alterStore(home, "delete from memberships");
    expect(lineOf(await diagnose(home), "actor")).toMatchObject({
      message: "tester has no role in tenant default",
      cure: expect.stringContaining("keyctl actor grant tester"),
    });
    alterStore(home, "update actors set login = 'another'");
    expect(lineOf(await diagnose(home), "actor").cure).toContain("keyctl actor add tester");
  });

  it("without maintenance for days is to be looked at", async () => {
    home.now += 3 * dayMs;
    expect(lineOf(await diagnose(home), "maintenance")).toMatchObject({
      status: "warn",
      cure: expect.stringContaining("keyctl reconcile --fix"),
    });
    await home.ok(["reconcile", "--fix"]);
    expect(lineOf(await diagnose(home), "maintenance").message).toBe("ran just now");
    home.now += dayMs;
    expect(lineOf(await diagnose(home), "maintenance").message).toBe("last ran 1d ago");
  });
});

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

describe("the clock", () => {
  it.each([
    ["a minute behind the log", -60_000, "warn"],
    ["a day behind the log", -dayMs, "fail"],
    ["in 1970", -Date.UTC(2026, 10, 21), "fail"],
    ["in another century", 100 * 365 * dayMs, "fail"],
    ["as it was", 0, "ok"],
  ])("%s is %s", async (_what, later, status) => {
    home.now += later;
    expect(lineOf(await diagnose(home), "clock").status).toBe(status);
  });
});

describe("the answer", () => {
  it("ends quietly when nobody reads it, and says so when it cannot be written", async () => {
    const before = snapshot(home.path);
    const closed = await home.run(["doctor"], { stdoutFails: { after: 0, how: "closed" } });
    expect([closed.code, closed.err]).toEqual([0, ""]);
    const full = await home.run(["doctor"], { stdoutFails: { after: 0, how: "full" } });
    expect([full.code, full.err]).toEqual([10, expect.stringContaining("there is no space left")]);
    expect(snapshot(home.path)).toEqual(before);
  });
});
