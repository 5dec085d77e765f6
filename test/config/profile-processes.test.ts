import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("profile-child.ts", import.meta.url));
let home = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "keyctl-profile-processes-"));
});

afterEach(async () => await rm(home, { recursive: true, force: true }));

/** Adds a profile in a process of its own; answers how that ended. */
async function add(name: string, point = "never"): Promise<number | string> {
  const started = spawn(process.execPath, [child, home, name, point], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code, signal] = (await once(started, "close")) as [number | null, string | null];
  return signal ?? code ?? "?";
}

async function profiles(): Promise<string[]> {
  const { profiles: found }: { profiles: object } = JSON.parse(
    await readFile(join(home, "config.json"), "utf8"),
  );
  return Object.keys(found).toSorted();
}

describe("processes that add profiles", () => {
  it("all at once lose none of them", async () => {
    const names = Array.from({ length: 8 }, (_, number) => `p${number}`);
    expect(await Promise.all(names.map(async (name) => await add(name)))).toEqual(names.map(() => 0));
    expect(await profiles()).toEqual(names);
  });

  it("the same one at once make it once", async () => {
    expect(await Promise.all([add("lab"), add("lab"), add("lab")])).toEqual([0, 0, 0]);
    expect(await profiles()).toEqual(["lab"]);
  });

  it("killed in the middle of the write leave the old file, killed after it the new one, and never a lock", async () => {
    await add("old");
    expect(await add("new", "middle")).toBe("SIGKILL");
    expect(await profiles()).toEqual(["old"]);
    expect(await add("new", "after")).toBe("SIGKILL");
    expect(await profiles()).toEqual(["new", "old"]);
    expect(await add("next")).toBe(0);
    expect(await profiles()).toEqual(["new", "next", "old"]);
  });
});
