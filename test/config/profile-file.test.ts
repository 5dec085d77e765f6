import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saveProfile } from "../../src/config/profile-file.ts";
import { loadUserFile } from "../../src/config/user-file.ts";
import type { Profile } from "../../src/config/user-file.ts";
import { privateFiles } from "../../src/files/private-files.ts";

let folder = "";
const empty: Profile = { store: null, vault: null, auth: null, tenant: null, env: null };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyctl-profile-"));
});

afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function save(name: string, profile: Partial<Profile>): Promise<boolean> {
  return await saveProfile({
    path: join(folder, "new", "config.json"),
    name,
    profile: { ...empty, ...profile },
    files: privateFiles,
  });
}

describe("saving a profile", () => {
  it("makes the file, and the first profile is the one that is used", async () => {
    expect(await save("work", { store: "sqlite:/s", env: "dev" })).toBe(true);
    const text = await readFile(join(folder, "new", "config.json"), "utf8");
    expect(JSON.parse(text)).toEqual({
      profile: "work",
      profiles: { work: { store: "sqlite:/s", env: "dev" } },
    });
    expect(await save("other", { tenant: "t" })).toBe(true);
    const file = await loadUserFile(join(folder, "new", "config.json"));
    expect([file.profile, [...file.profiles.keys()]]).toEqual(["work", ["work", "other"]]);
  });

  it("changes nothing when it is there, and never replaces another of that name", async () => {
    await save("work", { env: "dev" });
    expect(await save("work", { env: "dev" })).toBe(false);
    await expect(save("work", { env: "qa" })).rejects.toMatchObject({ code: "conflict", retryable: false });
    await expect(save("a/b", {})).rejects.toMatchObject({ code: "usage" });
  });

  it("leaves a choice that was left open open", async () => {
    await save("a", {});
    const path = join(folder, "new", "config.json");
    await writeFile(path, '{"profiles":{"a":{}}}');
    await save("b", {});
    expect((await loadUserFile(path)).profile).toBeNull();
  });

  it("says so when the folder cannot be made", async () => {
    await writeFile(join(folder, "new"), "a file in the way");
    await expect(save("work", {})).rejects.toMatchObject({ code: "unavailable" });
  });
});
