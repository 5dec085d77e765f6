import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore } from "./altered-store.ts";

const dayMs = 86_400_000;

let home: Home;
beforeEach(async () => {
  home = await makeHome();
  await home.ok(["create", "orders", "--scopes", "read", "--expires", "30d"]);
  await home.ok(["rotate", "orders", "--yes"]);
});
afterEach(() => home.remove());

const replace = ["rotate", "orders", "--replace", "--yes"];
const revoke = (reason: string): string[] => ["revoke", "orders", "--reason", reason, "--yes"];
const update = ["update", "orders", "--scopes", "read,write", "--owner", "company"];
const undo = ["revoke", "orders", "--undo", "--yes"];
const suspend = ["suspend", "orders", "--reason", "a test"];

/** How a key comes to have no active version. */
const ends: readonly [string, readonly string[][]][] = [
  ["revoked", [revoke("superseded")]],
  ["compromised", [revoke("key-compromise")]],
  ["revoked, then compromised", [revoke("superseded"), revoke("key-compromise")]],
  ["revoked, and updated", [revoke("superseded"), update]],
  [
    "revoked twice, updated before and after",
    [update, revoke("superseded"), undo, revoke("cessation"), update],
  ],
  [
    "revoked a version at a time",
    [["revoke", "orders", "--version", "1", "--reason", "superseded", "--yes"], revoke("cessation")],
  ],
  ["suspended", [suspend]],
  ["suspended after an undo", [revoke("superseded"), undo, update]],
  ["expired", [["reconcile", "--fix"]]],
  ["expired, and updated", [["reconcile", "--fix"], update]],
];

async function end(calls: readonly string[][]): Promise<void> {
  if (calls[0]?.[0] === "reconcile") home.now += 31 * dayMs;
  for (const argv of calls) await home.ok(argv);
}

it("a key that was updated after its revoke, and then changed behind keyctl, does not come back by an undo", async () => {
  await end([revoke("superseded"), update]);
  alterStore(home, `update keys set scopes = '["admin"]'`);
  const ran = await home.run(undo);
  expect(ran.code, ran.err).toBe(11);
  expect(ran.err).toContain("it stays revoked");
});

it("a key that was changed behind keyctl and expires then is not made genuine by that", async () => {
  alterStore(home, `update keys set scopes = '["admin"]'`);
  await end([["reconcile", "--fix"]]);
  const ran = await home.run(replace);
  expect(ran.code, ran.err).toBe(11);
  const checked = await home.run(["audit-verify", "--state"]);
  expect(checked.code, checked.out).toBe(11);
});

describe.each(ends)("a key that is %s", (_, calls) => {
  it("gets a new version with --replace", async () => {
    await end(calls);
    const made = await home.ok(replace);
    const verified = await home.ok(["verify", "-o", "json"], { stdin: made });
    expect(JSON.parse(verified)).toMatchObject({ valid: true, version: 3 });
  });

  it.each([
    ["scopes", `'["admin"]'`],
    ["owner", "'user:mallory'"],
    ["tier", "'enterprise'"],
    ["authorized_services", `'["mallory"]'`],
  ])("gets none when %s was changed behind keyctl", async (column, value) => {
    await end(calls);
    alterStore(home, `update keys set ${column} = ${value}`);
    const ran = await home.run(replace);
    expect(ran.code, ran.err).toBe(11);
    expect(ran.err).toContain("was changed behind keyctl: nothing is built on it");
    expect(JSON.parse(await home.ok(["show", "orders", "-o", "json"])).versions).toHaveLength(2);
  });
});
