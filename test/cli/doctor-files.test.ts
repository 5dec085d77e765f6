import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctor } from "../../src/app/doctor.ts";
import { checkDisk } from "../../src/app/check-disk.ts";
import { checkFoldersAbove } from "../../src/app/check-files.ts";
import { fileInspector } from "../../src/files/inspector.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { depsOf, diagnose, lineOf, linesOf, snapshot } from "./doctor-world.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
  await home.ok(["create", "payments"]);
});
afterEach(() => home.remove());

const inHome = (name: string): string => join(home.path, name);

const cases: [string, string, number, string, string, RegExp, RegExp][] = [
  [
    "unlock.key",
    "file.unlock-key",
    0o640,
    "fail",
    "its group may read",
    /can be read by its group/,
    /^chmod 600 /,
  ],
  [
    "unlock.key",
    "file.unlock-key",
    0o604,
    "fail",
    "everybody may read",
    /can be read by everybody/,
    /^chmod 600 /,
  ],
  ["store.db", "file.store", 0o644, "warn", "everybody may read", /can be read by everybody/, /^chmod 600 /],
  [
    "store.db",
    "file.store",
    0o660,
    "fail",
    "its group may write",
    /can be changed by its group/,
    /^chmod 600 /,
  ],
  [
    "vault.db",
    "file.vault",
    0o666,
    "fail",
    "everybody may write",
    /can be changed by everybody/,
    /^chmod 600 /,
  ],
  ["checkpoints", "folder.checkpoints", 0o755, "warn", "everybody may read", /can be read by/, /^chmod 700 /],
  [
    "checkpoints",
    "folder.checkpoints",
    0o777,
    "fail",
    "everybody may write",
    /can be changed by/,
    /^chmod 700 /,
  ],
  [".", "folder.data", 0o755, "warn", "everybody may read", /can be read by everybody/, /^chmod 700 /],
  [".", "folder.data", 0o770, "fail", "its group may write", /can be changed by its group/, /^chmod 700 /],
  [
    "config.json",
    "file.config",
    0o664,
    "warn",
    "its group may write",
    /can be changed by its group/,
    /^chmod u\+r,go-w /,
  ],
  [
    "config.json",
    "file.config",
    0o666,
    "fail",
    "everybody may write",
    /can be changed by everybody/,
    /^chmod u\+r,go-w /,
  ],
  ["store.db-wal", "file.store-wal", 0o644, "warn", "everybody may read", /can be read by/, /^chmod 600 /],
  [
    "vault.db-shm",
    "file.vault-shm",
    0o666,
    "fail",
    "everybody may write",
    /can be changed by/,
    /^chmod 600 /,
  ],
];

describe("permissions", () => {
  it.each([
    ["store.db", "file.store", 0o400],
    ["vault.db", "file.vault", 0o400],
    ["unlock.key", "file.unlock-key", 0o000],
    ["checkpoints", "folder.checkpoints", 0o500],
  ])("of %s (%s) %o failed: its owner cannot work with it", async (name, id, mode) => {
    chmodSync(inHome(name), mode);
    const { checks } = JSON.parse((await home.run(["doctor", "-o", "json"])).out);
    const line = checks.find((check: { id: string }) => check.id === id);
    expect(line).toMatchObject({
      status: "fail",
      message: expect.stringContaining("does not allow its owner"),
    });
    expect(line.cure).toMatch(/^chmod [67]00 /);
    chmodSync(inHome(name), 0o700);
  });

  it.each(cases)("of %s (%s) %o: %s, because %s", async (name, id, mode, status, _why, message, cure) => {
    const made = ["config.json", "store.db-wal", "vault.db-shm"];
    if (made.includes(name)) writeFileSync(inHome(name), name === "config.json" ? "{}" : "");
    chmodSync(inHome(name), mode);
    const line = lineOf(await diagnose(home), id);
    expect(line).toMatchObject({
      status,
      message: expect.stringMatching(message),
      cure: expect.stringMatching(cure),
    });
    chmodSync(inHome(name), 0o700);
  });

  it("that are as keyctl makes them, or a config.json that others may read, are in order", async () => {
    writeFileSync(inHome("config.json"), "{}");
    chmodSync(inHome("config.json"), 0o644);
    const found = await diagnose(home);
    const files = found.checks.filter(({ id }) => /^(?:file|folder)/.test(id));
    expect(files.length).toBeGreaterThanOrEqual(7);
    expect(files.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("of each remembered checkpoint are looked at", async () => {
    const [name = ""] = readdirSync(inHome("checkpoints"));
    chmodSync(join(inHome("checkpoints"), name), 0o646);
    expect(lineOf(await diagnose(home), "file.checkpoint")).toMatchObject({
      status: "fail",
      message: expect.stringContaining(name),
    });
  });

  it("of a passphrase's file are looked at", async () => {
    writeFileSync(inHome("pass phrase.txt"), "correct horse battery\n", { mode: 0o644 });
    const found = await diagnose(home, [], { env: { KEYCTL_PASSPHRASE_FILE: "pass phrase.txt" } });
    // A path with a blank can be copied into a shell.
    expect(lineOf(found, "file.passphrase")).toMatchObject({
      status: "fail",
      cure: `chmod 600 '${inHome("pass phrase.txt")}'`,
    });
  });

  it("of the folders above decide too, unless the folder is sticky", async () => {
    const above = mkdtempSync(join(tmpdir(), "keyctl-above-"));
    const own = join(above, "home");
    mkdirSync(own, { mode: 0o700 });
    const look = async (mode: number) => {
      chmodSync(above, mode);
      return linesOf(
        await diagnose({ ...home, path: own }, [], { env: { KEYCTL_HOME: own } }),
        "folders-above",
      );
    };
    expect(await look(0o777)).toMatchObject([{ status: "fail", cure: `chmod go-w ${above}` }]);
    expect(await look(0o770)).toMatchObject([{ status: "warn", cure: `chmod go-w ${above}` }]);
    expect(await look(0o1777)).toMatchObject([{ status: "ok" }]);
    expect(await look(0o755)).toMatchObject([{ status: "ok" }]);
    rmSync(above, { recursive: true });
  });
});

describe("ownership", () => {
  it("by another user than the one who runs keyctl failed in one line, with a cure that locks nobody out", async () => {
    const stranger = (process.getuid?.() ?? 0) + 4711;
    const before = snapshot(home.path);
    const checks = await doctor(depsOf(home, { uid: stranger }));
    expect(snapshot(home.path)).toEqual(before);
    const uid = process.getuid?.() ?? 0;
    expect(checks.filter(({ message }) => message.includes(`belong to user ${uid}`))).toEqual([
      expect.objectContaining({
        id: "files.owner",
        status: "fail",
        cure: `run keyctl as user ${uid}, or with files of your own: KEYCTL_HOME=FOLDER keyctl init`,
      }),
    ]);
    expect(checks.filter(({ id }) => id.startsWith("file.") || id.startsWith("folder."))).toEqual([]);
    expect(JSON.stringify(checks)).not.toMatch(/chown|yours/);
    expect(checks.find(({ id }) => id === "vault.unlock")?.status).toBe("fail");
  });

  it("of a folder above by a third user failed, because that user can put something else in its place", async () => {
    const inspector = fileInspector(process.platform);
    const files = {
      ...inspector,
      facts: async (path: string) => {
        const facts = await inspector.facts(path);
        return facts === null || path !== home.path ? facts : { ...facts, uid: 4711 };
      },
    };
    const uid = process.getuid?.() ?? 0;
    expect(await checkFoldersAbove({ files, uid }, [inHome("checkpoints")])).toMatchObject([
      { status: "fail", message: expect.stringContaining(`${home.path} belongs to user 4711`) },
    ]);
  });

  it("given away by root failed", async () => {
    // Only root can give a file away; for everybody else the test above stands in.
    if (process.getuid?.() !== 0) return;
    chownSync(inHome("unlock.key"), 4711, 4711);
    expect(lineOf(await diagnose(home), "files.owner")).toMatchObject({
      status: "fail",
      message: expect.stringContaining(`${inHome("unlock.key")} belongs to user 4711, and this is user 0; `),
    });
    expect(lineOf(await diagnose(home), "vault.unlock").message).toMatch(/belongs to user 4711/);
  });

  it("is not looked at on a system without user ids", async () => {
    const checks = await doctor(depsOf(home, { uid: null }));
    expect(checks.find(({ id }) => id === "file.store")?.message).toBe(inHome("store.db"));
    expect(checks.filter(({ id }) => id === "folders-above")).toEqual([]);
  });
});

describe("what a path is", () => {
  it("is told when it is a link, also one that leads nowhere, or the wrong thing", async () => {
    renameSync(inHome("store.db"), inHome("real.db"));
    symlinkSync(inHome("real.db"), inHome("store.db"));
    expect(lineOf(await diagnose(home), "file.store")).toMatchObject({
      status: "warn",
      message: `${inHome("store.db")} is a link`,
    });
    rmSync(inHome("unlock.key"));
    symlinkSync(inHome("nowhere"), inHome("unlock.key"));
    expect(lineOf(await diagnose(home), "file.unlock-key")).toMatchObject({
      status: "fail",
      message: `${inHome("unlock.key")} is a link that leads nowhere`,
    });
    mkdirSync(inHome("config.json"), { mode: 0o700 });
    const found = await diagnose(home);
    expect(lineOf(found, "file.config")).toMatchObject({
      status: "fail",
      cure: expect.stringMatching(/^move it away/),
    });
    expect(lineOf(found, "config.user").status).toBe("fail");
  });
});

describe("a disk", () => {
  const remote = { remote: "nfs", freeBytes: 1e12 };

  it("on another machine, or almost full, is to be looked at", async () => {
    const on = async (volume: { remote: string | null; freeBytes: number }) =>
      await checkDisk(
        { ...fileInspector("linux"), volume: async () => await Promise.resolve(volume) },
        { what: "store", path: inHome("store.db") },
      );
    expect(await on(remote)).toMatchObject([
      { status: "warn", message: expect.stringContaining("is on nfs") },
    ]);
    expect(await on({ remote: null, freeBytes: 5_000_000 })).toMatchObject([
      { status: "warn", message: expect.stringMatching(/^only 4 MiB free/) },
    ]);
    expect(await on({ ...remote, freeBytes: 0 })).toHaveLength(2);
    expect(await on({ remote: null, freeBytes: 1e12 })).toMatchObject([{ status: "ok" }]);
  });

  it("is asked of the system itself", async () => {
    const { remote: type, freeBytes } = await fileInspector(process.platform).volume(home.path);
    expect(type === null || typeof type === "string").toBe(true);
    expect(freeBytes).toBeGreaterThan(0);
  });
});
