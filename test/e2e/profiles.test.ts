import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { startChild } from "./child-process.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome({ init: false });
});
afterEach(() => home.remove());

it("two first starts with a profile each, at once, end with both: file, stores, vaults and one unlock key", async () => {
  const started = await Promise.all(
    ["blue", "green"].map(async (name) => await startChild(home, ["init", "--profile", name, "--env", name])),
  );
  for (const { code, err } of await Promise.all(started.map(async ({ ended }) => await ended)))
    expect(code, err).toBe(0);
  const { profiles } = JSON.parse(readFileSync(join(home.path, "config.json"), "utf8"));
  expect(Object.keys(profiles).toSorted()).toEqual(["blue", "green"]);
  for (const name of ["blue", "green"]) {
    await home.ok(["create", `in-${name}`, "--profile", name]);
    expect(await home.ok(["list", "--profile", name, "-o", "name"])).toBe(`${name}/in-${name}\n`);
    await home.ok(["audit-verify", "--state", "--profile", name]);
  }
});

it("two first starts with the same profile at once end with one store that both made", async () => {
  const started = await Promise.all(
    [1, 2].map(async () => await startChild(home, ["init", "--profile", "lab", "-o", "json"])),
  );
  const ended = await Promise.all(started.map(async (child) => await child.ended));
  for (const { code, err } of ended) expect(code, err).toBe(0);
  const [one, other] = ended.map(({ out }) => JSON.parse(out));
  expect(one.storeId).toBe(other.storeId);
  expect(new Set([one.profile.added, other.profile.added])).toEqual(new Set([false, true]));
  await home.ok(["create", "payments", "--profile", "lab"]);
});
