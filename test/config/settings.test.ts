import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPlaces } from "../../src/config/places.ts";
import { parseProjectFile } from "../../src/config/project-file.ts";
import { describeSource } from "../../src/config/setting.ts";
import { explainProfile, loadSettings } from "../../src/config/settings.ts";
import type { ResolvedSettings, SettingsRequest } from "../../src/config/settings.ts";
import { parseStoreUrl, parseVaultUrl } from "../../src/config/urls.ts";

let home = "";
let project = "";
const noFlags = { profile: null, store: null, vault: null, auth: null, tenant: null, env: null };

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "keyctl-config-"));
  project = join(home, "work", "repo", "src");
  await mkdir(project, { recursive: true });
});

afterEach(async () => await rm(home, { recursive: true, force: true }));

async function settings(
  part: { flags?: Partial<SettingsRequest["flags"]>; env?: Record<string, string> } = {},
): Promise<ResolvedSettings> {
  const flags = { ...noFlags, ...part.flags };
  return await loadSettings({
    flags,
    env: { KEYCTL_HOME: home, ...part.env },
    cwd: project,
    homeDirectory: "/home/me",
  });
}

const userFile = async (content: unknown): Promise<void> =>
  await writeFile(join(home, "config.json"), typeof content === "string" ? content : JSON.stringify(content));
const projectFile = async (content: unknown, folder = join(home, "work", "repo")): Promise<void> =>
  await writeFile(join(folder, "keyctl.json"), JSON.stringify(content));

describe("the settings", () => {
  it("need nothing: the embedded default", async () => {
    const found = await settings();
    expect(found.store.value.url).toBe(`sqlite:${join(home, "store.db")}`);
    expect(found.vault.value.url).toBe(`embedded:${join(home, "vault.db")}`);
    expect([found.profile.value, found.tenant.value, found.env.value, found.auth.value]).toEqual([
      "default",
      "default",
      "prod",
      null,
    ]);
    expect(found.leakScanPaths.value).toEqual([]);
    expect(explainProfile(found)).toBe("profile default was chosen because nothing else was said");
  });

  it("come from flags, then the environment, then the user's file, then the project's, then defaults; each knows its source", async () => {
    const sources: string[] = [];
    const look = async (part: Parameters<typeof settings>[0]): Promise<string> => {
      const { env } = await settings(part);
      sources.push(describeSource(env.source));
      return env.value;
    };
    const values = [await look({})];
    await projectFile({ env: "from-project" });
    values.push(await look({}));
    await userFile({ profile: "work", profiles: { work: { env: "from-user" } } });
    values.push(await look({}));
    values.push(await look({ env: { KEYCTL_ENV: "from-environment" } }));
    values.push(await look({ env: { KEYCTL_ENV: "from-environment" }, flags: { env: "from-flag" } }));
    expect(values).toEqual(["prod", "from-project", "from-user", "from-environment", "from-flag"]);
    expect(sources).toEqual([
      "nothing else was said",
      `${join(home, "work", "repo", "keyctl.json")} says so`,
      `profile work in ${join(home, "config.json")} says so`,
      "KEYCTL_ENV is set",
      "--env says so",
    ]);
  });

  it("take the profile from the same places, in the same order", async () => {
    await userFile({
      profiles: { a: { tenant: "ta" }, b: { tenant: "tb" }, c: {}, default: { tenant: "td" } },
    });
    expect((await settings()).tenant.value).toBe("td");
    await projectFile({ profile: "a" });
    const byProject = await settings();
    expect(byProject.tenant.value).toBe("ta");
    expect(explainProfile(byProject)).toBe(
      `profile a was chosen because ${join(home, "work", "repo", "keyctl.json")} says so`,
    );
    expect((await settings({ env: { KEYCTL_PROFILE: "b" } })).tenant.value).toBe("tb");
    expect((await settings({ env: { KEYCTL_PROFILE: "b" }, flags: { profile: "c" } })).tenant.value).toBe(
      "default",
    );
    await userFile({ profile: "b", profiles: { b: { tenant: "tb" } } });
    const byUser = await settings();
    expect([byUser.tenant.value, explainProfile(byUser)]).toEqual([
      "tb",
      `profile b was chosen because ${join(home, "config.json")} says so`,
    ]);
  });

  it("treat an empty variable as unset", async () => {
    expect((await settings({ env: { KEYCTL_ENV: "", KEYCTL_PROFILE: "" } })).env.value).toBe("prod");
  });

  it("refuse an unknown profile with the near one, and say why it was chosen", async () => {
    await userFile({ profiles: { work: {} } });
    await expect(settings({ flags: { profile: "wrok" } })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("because --profile says so"),
      hint: "did you mean work?",
    });
    await expect(settings({ flags: { profile: "elsewhere" } })).rejects.toMatchObject({
      hint: "keyctl init --profile elsewhere makes it",
    });
    await expect(settings({ flags: { profile: "../x" } })).rejects.toMatchObject({ code: "usage" });
  });

  it("refuse unknown fields with the nearest known name, and values that are none", async () => {
    for (const [content, message, hint] of [
      [{ profiels: {} }, "unknown field profiels", "did you mean profiles?"],
      [{ profiles: { a: { sotre: "x" } } }, "profile a, has an unknown field sotre", "did you mean store?"],
      [{ hooks: {} }, "unknown field hooks", "known are profile, profiles"],
      [{ profiles: [] }, "profiles is not an object", undefined],
      [{ profiles: { a: 1 } }, "profile a is not an object", undefined],
      [{ profiles: { a: { env: 1 } } }, "env is not a text", undefined],
      [{ profile: " " }, "profile is not a text", undefined],
      ["{", "is not JSON", expect.any(String)],
      ["[]", "is not a JSON object", expect.any(String)],
    ] as const) {
      await userFile(content);
      await expect(settings()).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining(message),
        ...(hint === undefined ? {} : { hint }),
      });
    }
    await userFile({ profiles: { "a/b": {} } });
    await expect(settings()).rejects.toMatchObject({ code: "usage" });
    await rm(join(home, "config.json"));
    await expect(settings({ flags: { auth: "magic" } })).rejects.toMatchObject({ code: "usage" });
    await expect(settings({ flags: { env: "a b" } })).rejects.toMatchObject({ code: "usage" });
    await expect(settings({ env: { KEYCTL_TENANT: "\u0430" } })).rejects.toMatchObject({ code: "usage" });
    expect((await settings({ flags: { auth: "azure-cli" } })).auth.value).toBe("azure-cli");
  });

  it("tell a file that cannot be read from one that is not there", async () => {
    await mkdir(join(home, "config.json"));
    await expect(settings()).rejects.toMatchObject({ code: "unavailable" });
    await rm(join(home, "config.json"), { recursive: true });
    await userFile(`"${"x".repeat(1 << 20)}"`);
    await expect(settings()).rejects.toMatchObject({ message: expect.stringContaining("too large") });
    await userFile("\ufeff{}");
    expect((await settings()).env.value).toBe("prod");
  });

  it("read a relative path from where it is written", async () => {
    await userFile({ profiles: { default: { store: "sqlite:data/s.db" } } });
    expect((await settings()).store.value.path).toBe(join(home, "data/s.db"));
    expect((await settings({ flags: { store: "sqlite:s.db" } })).store.value.path).toBe(
      join(project, "s.db"),
    );
    expect((await settings({ env: { KEYCTL_VAULT: "embedded:~/v.db" } })).vault.value.path).toBe(
      "/home/me/v.db",
    );
  });
});

describe("a project's file", () => {
  it("never chooses a store, a vault, a login or a hook", async () => {
    for (const field of ["store", "vault", "auth", "hooks", "profiles", "recovery", "naming"]) {
      await projectFile({ [field]: "x" });
      await expect(settings()).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining("a cloned repository"),
      });
    }
    await projectFile({ tenent: "x" });
    await expect(settings()).rejects.toMatchObject({ hint: "did you mean tenant?" });
  });

  it("is the nearest one upwards, and names scan paths below itself", async () => {
    await projectFile({ env: "outer" });
    await projectFile({ leakScan: { paths: ["lib", "a/b"] } }, project);
    const found = await settings();
    expect([found.env.value, found.leakScanPaths.value]).toEqual([
      "prod",
      [join(project, "lib"), join(project, "a/b")],
    ]);
    for (const paths of [["/etc"], ["../x"], ["a/../../b"], [1], [""], "lib"]) {
      expect(() => parseProjectFile(JSON.stringify({ leakScan: { paths } }), "/r/keyctl.json")).toThrow(
        "leakScan.paths",
      );
    }
    expect(() => parseProjectFile('{"leakScan":{"path":[]}}', "/r/keyctl.json")).toThrow(
      "unknown field path",
    );
    expect(parseProjectFile('{"leakScan":{}}', "/r/keyctl.json").leakScanPaths).toEqual([]);
  });
});

describe("keyctl's own files", () => {
  const at = (env: Record<string, string>): ReturnType<typeof findPlaces> =>
    findPlaces({ env, cwd: "/cwd", homeDirectory: "/home/me" });

  it("all live in KEYCTL_HOME when it is set", () => {
    expect(at({ KEYCTL_HOME: "k" })).toEqual({
      data: "/cwd/k",
      configFile: "/cwd/k/config.json",
      unlockKey: "/cwd/k/unlock.key",
      checkpoints: "/cwd/k/checkpoints",
      source: "KEYCTL_HOME",
    });
  });

  it("else in the XDG folders, of which relative ones do not count", () => {
    expect(at({ XDG_DATA_HOME: "/d", XDG_CONFIG_HOME: "relative", XDG_STATE_HOME: "" })).toEqual({
      data: "/d/keyctl",
      configFile: "/home/me/.config/keyctl/config.json",
      unlockKey: "/home/me/.config/keyctl/unlock.key",
      checkpoints: "/home/me/.local/state/keyctl/checkpoints",
      source: "XDG",
    });
    expect(at({}).data).toBe("/home/me/.local/share/keyctl");
  });
});

describe("the URL of a store or vault", () => {
  const context = { folder: "/f", homeDirectory: "/h" };

  it("is a scheme and a path", () => {
    expect(parseStoreUrl("sqlite:/a/../b.db", context).path).toBe("/b.db");
    expect(parseStoreUrl("SQLite:~/b.db", context).url).toBe("sqlite:/h/b.db");
    expect(parseVaultUrl("embedded:v", context)).toEqual({
      kind: "embedded",
      path: "/f/v",
      url: "embedded:/f/v",
    });
  });

  it("of a place that this build does not have yet is told as such", () => {
    expect(() => parseStoreUrl("postgres://u:pw@h/db", context)).toThrow(
      "this build has no postgres store yet",
    );
    expect(() => parseVaultUrl("azurekms://x.vault.azure.net", context)).toThrow(
      "this build has no azurekms vault yet",
    );
  });

  it("is never repeated in an error, because it may hold a password", () => {
    const password = ["hun", "ter2"].join("");
    for (const text of [
      `postgres://u:${password}@h/db`,
      `mysql://u:${password}@h`,
      `sqlite://u:${password}@h`,
      password,
      `sqllite:${password}`,
    ]) {
      try {
        parseStoreUrl(text, context);
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify([String(error), error])).not.toContain(password);
        expect(error).toMatchObject({ code: "usage" });
      }
    }
    expect(() => parseStoreUrl("sqlite:", context)).toThrow("no usable path");
    expect(() => parseStoreUrl("sqlite:a\0b", context)).toThrow("no usable path");
  });
});
