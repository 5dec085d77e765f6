import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore, diagnose, lineOf, snapshot } from "./doctor-world.ts";

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
    expect(lineOf(found, "tenant").message).toBe("default, of which tester is owner");
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
    expect(table).toMatch(/^ok +tenant +default, of which tester is owner$/m);
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

  it("in which the caller is nobody failed, and so did a tenant that is not there or not the caller's, in the same words", async () => {
    const tenantLine = async (name: string) => lineOf(await diagnose(home, ["--tenant", name]), "tenant");
    const unknown = await tenantLine("nobody");
    expect(unknown).toMatchObject({ status: "fail", message: "no tenant nobody in this store" });
    alterStore(home, "delete from memberships");
    const foreign = await tenantLine("default");
    expect(foreign).toEqual({ ...unknown, message: "no tenant default in this store" });
    alterStore(home, "update actors set login = 'another'");
    const found = await diagnose(home);
    expect(lineOf(found, "actor").cure).toBe("an owner runs keyctl actor add NAME --login tester");
    // Whoever is no actor learns nothing of tenants.
    expect(found.checks.filter(({ id }) => id === "tenant" || id === "audit.tenant")).toEqual([]);
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

describe("the documentation", () => {
  it("names every id that a line has", async () => {
    const page = readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
    const documented = new Set([...page.matchAll(/`([a-z][a-z.-]*)`/g)].map(([, id]) => id));
    writeFileSync(inHome("store.db-wal"), "", { mode: 0o600 });
    const { checks } = await diagnose(home);
    const names = checks.map(({ id }) => id.replace(/^setting\..*/, "setting").replace(/-(?:wal|shm)$/, ""));
    expect(names.filter((id) => id !== "setting" && !documented.has(id))).toEqual([]);
    expect(names.length).toBeGreaterThan(25);
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
