import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkEnvironment } from "../../src/app/check-environment.ts";
import { listSettings } from "../../src/config/list-settings.ts";
import { loadSettings } from "../../src/config/settings.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { diagnose, lineOf, linesOf } from "./doctor-world.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const inHome = (name: string): string => join(home.path, name);
const failures = ({ checks }: Awaited<ReturnType<typeof diagnose>>) =>
  checks.filter(({ status }) => status === "fail");

describe("every setting", () => {
  it("is told with its value and with what decided", async () => {
    const profiles = { work: { tenant: "default", env: "dev" } };
    writeFileSync(inHome("config.json"), JSON.stringify({ profiles }), { mode: 0o600 });
    mkdirSync(inHome("project"));
    writeFileSync(
      inHome("project/keyctl.json"),
      JSON.stringify({ profile: "work", leakScan: { paths: ["src"] } }),
    );
    const found = await diagnose(home, ["--auth", "azure-cli"], {
      cwd: inHome("project"),
      env: { KEYCTL_STORE: `sqlite:${inHome("store.db")}` },
    });
    const message = (name: string): string => lineOf(found, `setting.${name}`).message;
    expect(message("profile")).toBe(`work (${inHome("project/keyctl.json")} says so)`);
    expect(message("store")).toBe(`sqlite:${inHome("store.db")} (KEYCTL_STORE is set)`);
    expect(message("vault")).toBe(`embedded:${inHome("vault.db")} (default)`);
    expect(message("auth")).toBe("azure-cli (--auth says so)");
    expect(message("env")).toBe(`dev (profile work in ${inHome("config.json")} says so)`);
    expect(message("leakScanPaths")).toContain(inHome("project/src"));
    expect(lineOf(found, "places").message).toBe(`all in ${home.path} (KEYCTL_HOME is set)`);
  });

  it("is listed without being named here", async () => {
    const flags = { profile: null, store: null, vault: null, auth: null, tenant: null, env: null };
    const settings = await loadSettings({ flags, env: {}, cwd: home.path, homeDirectory: home.path });
    const more = { ...settings, later: { value: "on", source: { kind: "flag", name: "--later" } as const } };
    const names = listSettings(more).map(({ name }) => name);
    expect(names).toEqual(Object.keys(more).filter((name) => name !== "places"));
    expect(listSettings(more).at(-1)).toEqual({ name: "later", value: "on", source: "--later says so" });
  });
});

describe("a configuration that is not understood", () => {
  const broken: [string, string, string, string, RegExp][] = [
    [
      "a config.json that is no JSON",
      "config.json",
      "{ not json",
      "config.user",
      /config\.json is not JSON$/,
    ],
    ["an unknown field", "config.json", '{"profil": "x"}', "config.user", /has an unknown field profil$/],
    [
      "a project that chooses a store",
      "keyctl.json",
      '{"store": "sqlite:x"}',
      "config.project",
      /sets store, which/,
    ],
    ["a project's unknown field", "keyctl.json", '{"tenat": "x"}', "config.project", /unknown field tenat$/],
  ];

  it.each(broken)(
    "%s is one line that failed, and files are still looked at",
    async (_what, name, text, id, says) => {
      writeFileSync(inHome(name), text, { mode: 0o600 });
      const found = await diagnose(home);
      expect(failures(found)).toHaveLength(1);
      expect(lineOf(found, id)).toMatchObject({ status: "fail", message: expect.stringMatching(says) });
      expect(lineOf(found, "file.unlock-key").status).toBe("ok");
      expect(linesOf(found, "store")).toEqual([]);
    },
  );

  it("both files at once are two lines, each with its own", async () => {
    writeFileSync(inHome("config.json"), "[]", { mode: 0o600 });
    writeFileSync(inHome("keyctl.json"), '{"hooks": {}}');
    expect(failures(await diagnose(home)).map(({ id }) => id)).toEqual(["config.user", "config.project"]);
  });

  it.each([
    ["a profile that nobody made", ["--profile", "wrk"], {}, /no profile wrk/],
    [
      "a store of a kind that is not here",
      ["--store", "mysql://me:hunter2@db/x"],
      {},
      /the store is not given as/,
    ],
    ["a tenant that is no name", [], { KEYCTL_TENANT: "../up" }, /the tenant/],
    ["a way to log in that is none", ["--auth", "nonsense"], {}, /auth is not one that keyctl knows/],
  ])("%s is a line of the settings", async (_what, argv, env, says) => {
    const found = await diagnose(home, argv, { env });
    expect(failures(found)).toEqual([
      expect.objectContaining({ id: "settings", message: expect.stringMatching(says) }),
    ]);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });
});

describe("the environment", () => {
  it("with a variable that nobody reads is to be looked at, with the name that was probably meant", () => {
    const lines = checkEnvironment({
      KEYCTL_STROE: "sqlite:x",
      KEYCTL_NOTHING_LIKE_IT: "1",
      KEYCTL_TENANT: "acme",
    });
    expect(lines).toMatchObject([
      { status: "warn", message: expect.stringContaining("KEYCTL_NOTHING_LIKE_IT") },
      {
        status: "warn",
        message: expect.stringContaining("KEYCTL_STROE"),
        cure: "did you mean KEYCTL_STORE?",
      },
    ]);
    // A value may be a secret that somebody put into the wrong variable.
    expect(JSON.stringify(lines)).not.toContain("sqlite:x");
  });

  it("with a folder that is not absolute is to be looked at", () => {
    expect(checkEnvironment({ XDG_DATA_HOME: "data" })).toMatchObject([{ status: "warn" }]);
    expect(checkEnvironment({ XDG_DATA_HOME: "data", KEYCTL_HOME: "/home" })).toMatchObject([
      { status: "ok" },
    ]);
    expect(checkEnvironment({ KEYCTL_HOME: "here" })).toMatchObject([{ status: "warn" }]);
  });

  it("is in order with every variable that the documentation names, and when an unknown one is empty", () => {
    const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const [, table = ""] = page.split("## Environment");
    const named = [...table.matchAll(/KEYCTL(_[A-Z_]+)/g)].map(([name]) => name);
    const [first = ""] = table.split("\n").filter((line) => line.includes("`KEYCTL_PROFILE`"));
    const short = [...first.matchAll(/`(_[A-Z]+)`/g)].map(([, end]) => `KEYCTL${end}`);
    expect(short.length).toBeGreaterThan(3);
    const env = Object.fromEntries([...named, ...short].map((name) => [name, "/x"]));
    expect(checkEnvironment({ ...env, KEYCTL_OTHER: "" })).toMatchObject([{ status: "ok" }]);
  });
});
