import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addProfile, listProfiles, planProfile, useProfile } from "../../src/config/profiles.ts";
import type { PlannedProfile, ProfileRequest } from "../../src/config/profiles.ts";
import { loadSettings } from "../../src/config/settings.ts";
import type { SettingsRequest } from "../../src/config/settings.ts";
import { exclusively } from "../../src/files/exclusively.ts";
import { privateFiles } from "../../src/files/private-files.ts";

let home = "";
let config = "";
const noFlags = { profile: null, store: null, vault: null, auth: null, tenant: null, env: null };
const writer = { files: privateFiles, exclusively };

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "keyctl-profiles-"));
  config = join(home, "config.json");
});

afterEach(async () => await rm(home, { recursive: true, force: true }));

function request(
  flags: Partial<SettingsRequest["flags"]> = {},
  env: Record<string, string> = {},
): SettingsRequest {
  return {
    flags: { ...noFlags, ...flags },
    env: { KEYCTL_HOME: home, ...env },
    cwd: home,
    homeDirectory: "/home/me",
  };
}

const asked = (name: string, ...rest: Parameters<typeof request>): ProfileRequest => ({
  ...request(...rest),
  name,
  naming: null,
});
const add = async (name: string, ...rest: Parameters<typeof request>): Promise<PlannedProfile> =>
  await addProfile(asked(name, ...rest), writer);
const written = async (): Promise<unknown> => JSON.parse(await readFile(config, "utf8"));

describe("a profile that is added", () => {
  it("stands in the file with what the call says, by flag or environment, and a place of its own for the rest", async () => {
    expect(await add("lab", { env: "dev" }, { KEYCTL_TENANT: "acme" })).toMatchObject({
      isNew: true,
      path: config,
    });
    await add("given", { store: "sqlite:a.db", vault: "embedded:~/v.db", auth: "azure-cli" });
    expect(await written()).toEqual({
      profiles: {
        lab: {
          store: "sqlite:profiles/lab/store.db",
          vault: "embedded:profiles/lab/vault.db",
          tenant: "acme",
          env: "dev",
        },
        given: { store: `sqlite:${join(home, "a.db")}`, vault: "embedded:/home/me/v.db", auth: "azure-cli" },
      },
    });
    const found = await loadSettings(request({ profile: "lab" }));
    expect([found.store.value.path, found.env.value]).toEqual([join(home, "profiles/lab/store.db"), "dev"]);
  });

  it("is the user's alone, and nobody else's file takes its place", async () => {
    await writeFile(config, "{}", { mode: 0o644 });
    await add("lab");
    expect((await stat(config)).mode & 0o777).toBe(0o600);
    expect((await readdir(home)).toSorted()).toEqual(["config.json", "config.json.lock"]);
  });

  it("leaves everything else in the file as it was", async () => {
    const before = { profile: "a", profiles: { a: { env: "x", naming: "warn" }, z: {} } };
    await writeFile(config, `\ufeff${JSON.stringify(before)}`);
    await add("m", { store: "sqlite:/s", vault: "embedded:/v" });
    const m = { store: "sqlite:/s", vault: "embedded:/v" };
    expect(await written()).toEqual({ ...before, profiles: { ...before.profiles, m } });
    await writeFile(config, '{"profiles":{"a":{"future":1}}}');
    await expect(add("b")).rejects.toMatchObject({ code: "usage" });
    expect(await readFile(config, "utf8")).toBe('{"profiles":{"a":{"future":1}}}');
  });

  it("is written through a link, which stays one", async () => {
    await mkdir(join(home, "dotfiles"));
    await writeFile(join(home, "dotfiles", "mine.json"), '{"profile":"default"}');
    await symlink(join(home, "dotfiles", "mine.json"), config);
    await add("lab");
    expect(JSON.parse(await readFile(join(home, "dotfiles", "mine.json"), "utf8"))).toMatchObject({
      profile: "default",
      profiles: { lab: {} },
    });
  });

  it("is the same when the flags say the same, however they spell it, and a conflict when they do not", async () => {
    await add("lab", { store: "sqlite:a.db", env: "dev" });
    const before = await readFile(config, "utf8");
    for (const flags of [{}, { store: `sqlite:${home}/x/../a.db` }, { env: "dev" }])
      expect(await add("lab", flags)).toMatchObject({ isNew: false });
    // What the environment says holds for the call, as for every verb.
    expect(await add("lab", {}, { KEYCTL_ENV: "qa" })).toMatchObject({ isNew: false });
    for (const [flags, message] of [
      [{ store: "sqlite:b.db" }, "another store"],
      [{ tenant: "acme" }, "another tenant"],
      [{ env: "qa", vault: "embedded:/v" }, "another vault, another env"],
    ] as const) {
      const refusal = { code: "conflict", retryable: false, message: expect.stringContaining(message) };
      await expect(add("lab", flags)).rejects.toMatchObject(refusal);
      await expect(planProfile(asked("lab", flags))).rejects.toMatchObject(refusal);
    }
    expect(await readFile(config, "utf8")).toBe(before);
  });

  it("needs no permission to write when it is there already", async () => {
    await add("lab");
    const only = { ...writer, exclusively: async () => await Promise.reject(new Error("was locked")) };
    expect(await addProfile(asked("lab"), only)).toMatchObject({ isNew: false });
    expect(await addProfile(asked("default"), only)).toMatchObject({ isNew: false });
    await add("default", { env: "qa" });
    expect(await written()).toMatchObject({ profiles: { default: { env: "qa" } } });
  });

  it("of any names and values, one after the other, comes back as it was given", async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
    const wanted = fc.dictionary(name, fc.record({ tenant: name, env: name }), {
      maxKeys: 6,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(wanted, async (profiles) => {
        await rm(config, { force: true });
        for (const [each, flags] of Object.entries(profiles)) await add(each, flags);
        const listed = await listProfiles(request());
        for (const [each, flags] of Object.entries(profiles))
          expect(listed.find((found) => found.name === each)).toMatchObject(flags);
        expect(listed).toHaveLength(new Set([...Object.keys(profiles), "default"]).size);
      }),
      { numRuns: 30 },
    );
  });

  it("that cannot be written is told with the path", async () => {
    await writeFile(join(home, "file"), "");
    const elsewhere = { KEYCTL_HOME: join(home, "file", "home") };
    await expect(add("lab", {}, elsewhere)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("file/home"),
    });
    for (const name of ["__proto__", "../x", "", "a b"])
      await expect(add(name)).rejects.toMatchObject({ code: "usage" });
  });
});

describe("choosing a profile", () => {
  it("writes its name once, and refuses one that is not there", async () => {
    await add("lab");
    const use = async (name: string, dryRun = false): Promise<boolean> =>
      await useProfile({ ...request(), name, dryRun }, writer);
    expect(await use("lab", true)).toBe(true);
    expect(await written()).not.toHaveProperty("profile");
    expect([await use("lab"), await use("lab")]).toEqual([true, false]);
    expect(await written()).toMatchObject({ profile: "lab", profiles: { lab: {} } });
    await expect(use("lba")).rejects.toMatchObject({ code: "not-found", hint: "did you mean lab?" });
    expect(await use("default")).toBe(true);
    expect((await listProfiles(request())).map(({ name, isCurrent }) => [name, isCurrent])).toEqual([
      ["default", true],
      ["lab", false],
    ]);
  });
});

describe("the lock on a file", () => {
  it("lets one in at a time, and is free again after a failure", async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resume) => setTimeout(resume, 5));
      inside--;
    };
    await expect(exclusively(config, async () => await Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
    await Promise.all(Array.from({ length: 8 }, async () => await exclusively(config, work)));
    expect([inside, most]).toEqual([0, 1]);
    expect((await stat(`${config}.lock`)).size).toBe(0);
  });

  it("in a folder that cannot be written is told", async () => {
    await mkdir(join(home, "locked"));
    await mkdir(join(home, "locked", "config.json.lock"));
    const held = exclusively(join(home, "locked", "config.json"), async () => await Promise.resolve());
    await expect(held).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("cannot be changed"),
    });
  });
});

/** What a cloned repository, or a shared folder above it, may bring. */
describe("a hostile keyctl.json", () => {
  const settings = async (): Promise<unknown> => await loadSettings(request());
  const file = (): string => join(home, "keyctl.json");

  it.each([
    ...["store", "vault", "auth", "hooks", "profiles", "recovery", "naming"].map((field) => [
      `{"${field}":"x"}`,
      field,
    ]),
    ['{"__proto__":{"store":"sqlite:/theirs"}}', "__proto__"],
    ['{"constructor":{}}', "constructor"],
    ['{"env":"prod","env":{"a":1}}', "env is not a text"],
    ['{"env":"a/../b"}', "environment"],
    ['{"profile":"../../etc/passwd"}', "profile"],
    ['{"tenant":"a\\u0000b"}', "tenant"],
    ['{"leakScan":{"paths":["/etc"]}}', "leakScan.paths"],
    ['{"leakScan":{"paths":["a","..\\\\b"]}}', "leakScan.paths"],
    ['{"leakScan":{"__proto__":[]}}', "__proto__"],
    ["\u0000{}", "is not JSON"],
    ['"x"', "is not a JSON object"],
    ["null", "is not a JSON object"],
    ["", "is not JSON"],
    [`{"env":${"[".repeat(400_000)}`, "is not JSON"],
    [`{"env":${"[".repeat(400_000)}${"]".repeat(400_000)}}`, "env is not a text"],
    [`{"env":"${"x".repeat(1 << 20)}"}`, "too large"],
  ])("is refused by name (%#)", async (text, named) => {
    await writeFile(file(), text);
    await expect(settings()).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(named),
    });
    expect(({} as Record<string, unknown>)["store"]).toBeUndefined();
  });

  it("in another encoding is refused, and so is a byte that is no text", async () => {
    for (const bytes of [Buffer.from("\ufeff{}", "utf16le"), Buffer.from([0x7b, 0xff, 0x7d])]) {
      await writeFile(file(), bytes);
      await expect(settings()).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining("is not UTF-8"),
      });
    }
    await writeFile(file(), "\ufeff{}");
    await settings();
  });

  it("that is no file is refused at once: a pipe, a device, a folder, a circle of links", async () => {
    const unreadable = { code: "unavailable", message: expect.stringContaining("cannot be read") };
    execFileSync("mkfifo", [file()]);
    await expect(settings()).rejects.toMatchObject(unreadable);
    await rm(file());
    for (const target of ["/dev/zero", home, file()]) {
      await symlink(target, file());
      await expect(settings()).rejects.toMatchObject(unreadable);
      await rm(file());
    }
    await symlink(join(home, "nowhere"), file());
    await settings();
  });

  it("whatever its content is read, or refused with a code: never a crash", async () => {
    const any = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }),
      fc
        .dictionary(fc.constantFrom("profile", "env", "tenant", "leakScan", "x"), fc.jsonValue())
        .map((each) => Buffer.from(JSON.stringify(each))),
    );
    await fc.assert(
      fc.asyncProperty(any, async (bytes) => {
        await writeFile(file(), bytes);
        const code = await settings().then(
          () => "ok",
          (error: unknown) => (error instanceof Error && "code" in error ? error.code : String(error)),
        );
        expect(["ok", "usage", "not-found"]).toContain(code);
      }),
      { numRuns: 300 },
    );
  });
});
