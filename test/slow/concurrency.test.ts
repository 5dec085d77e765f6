import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultName } from "../../src/app/version-value.ts";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, Ran } from "../fakes/home.ts";
import { inParallel, startChild } from "../e2e/child-process.ts";
import type { Ended } from "../e2e/child-process.ts";
import { copyOf, givenFiles, makeFourKeys, source } from "../e2e/four-keys.ts";
import type { FourKeys } from "../e2e/four-keys.ts";
import { overtaken, pointsBefore } from "../e2e/lifecycle-world.ts";
import { assertInvariants, keyNamed, withSession } from "../e2e/invariants.ts";

const minuteMs = 60_000;

let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

/** Does `work` for each kind on a home of its own. */
async function forEachKind(work: (kind: KeyKind, home: Home) => Promise<void>): Promise<void> {
  await inParallel(keyKinds, 2, async (kind) => {
    const home = await copyOf(prepared.home);
    try {
      await work(kind, home);
    } catch (error) {
      throw new Error(`kind ${kind}`, { cause: error });
    } finally {
      home.remove();
    }
  });
}

const rotate = (kind: KeyKind): string[] => ["rotate", kind, "--yes", ...source(kind)];
const rollback = (kind: KeyKind): string[] => ["rollback", kind, "--yes"];
const revoke = (kind: KeyKind): string[] => ["revoke", kind, "--reason", "superseded", "--yes"];
/** A provider's key stays open until the provider has deleted it too. */
const revoked = (kind: KeyKind): number => (kind === "provider" ? 8 : 0);

/** Starts each command line, lets all read and plan, and only then lets them write, all at once. */
async function atOnce(home: Home, commands: readonly (readonly string[])[]): Promise<Ended[]> {
  const children = await Promise.all(
    commands.map(async (argv) => await startChild(home, argv, "SIGSTOP before record")),
  );
  await Promise.all(children.map(async ({ reached }) => await reached));
  for (const child of children) child.go();
  return await Promise.all(children.map(async ({ ended }) => await ended));
}

const codes = (all: readonly (Ended | Ran)[]): (number | null)[] =>
  all.map(({ code }) => code).toSorted((a, b) => (a ?? -1) - (b ?? -1));

async function run(home: Home, argv: readonly string[]): Promise<Ran> {
  return await home.run(argv, { files: givenFiles });
}

async function versionsOf(home: Home, name: string): Promise<{ state: string; active: number | null }[]> {
  return await withSession(home, async (session) => {
    const key = await keyNamed(session, name);
    return (await session.store.versions(key.id)).map(({ state }) => ({ state, active: key.activeVersion }));
  });
}

const states = async (home: Home, name: string): Promise<string[]> =>
  (await versionsOf(home, name)).map(({ state }) => state);

/** Nothing of the key is active, and the vault gives nothing of it. */
async function expectAllDenied(home: Home, kind: KeyKind): Promise<void> {
  expect(new Set(await states(home, kind))).toEqual(new Set(["revoked"]));
  if (kind !== "secret") return;
  await withSession(home, async (session) => {
    const name = await vaultName(session.store, await keyNamed(session, kind));
    const held = await (await session.vault()).secrets.versions(name);
    expect(held.filter(({ enabled }) => enabled)).toEqual([]);
  });
}

describe("two rotations of one key at once", () => {
  it("let exactly one win, and the other says that the key was changed", async () => {
    await forEachKind(async (kind, home) => {
      const ended = await atOnce(home, [rotate(kind), rotate(kind)]);
      expect(codes(ended)).toEqual([0, 6]);
      expect(await states(home, kind)).toEqual(["rotated", "rotated", "active"]);
      await assertInvariants(home, prepared.known);
    });
  });

  it("refuse the second while the first is under way, and leave the first alone", async () => {
    await forEachKind(async (kind, home) => {
      const first = await overtaken(home, { argv: rotate(kind), at: "after record" }, async () => {
        for (const argv of [rotate(kind), rollback(kind)]) {
          const second = await run(home, argv);
          expect(second).toMatchObject({ code: 6, err: expect.stringContaining("is running (process ") });
        }
        const seen = await run(home, ["reconcile", "--fix", "-o", "json"]);
        expect(seen.code).toBe(8);
        expect(JSON.parse(seen.out)).toMatchObject({ operations: [{ action: "running" }] });
      });
      expect(first.code).toBe(0);
      expect(await states(home, kind)).toEqual(["rotated", "rotated", "active"]);
      await assertInvariants(home, prepared.known);
    });
  });
});

describe("a revoke", () => {
  it("goes through while a rotation hangs at any step, and the rotation then ends with nothing of it accepted", async () => {
    await forEachKind(async (kind, template) => {
      for (const at of pointsBefore("rotate", kind)) {
        const home = await copyOf(template);
        const hung = await overtaken(home, { argv: rotate(kind), at }, async () => {
          expect((await run(home, revoke(kind))).code).toBe(revoked(kind));
        });
        expect({ at, code: hung.code, err: hung.err }).toEqual({ at, code: 6, err: hung.err });
        // What the hung process put into the vault could not be swept while it lived, and is tried again after a pause.
        home.now += minuteMs;
        await home.ok(["reconcile", "--fix"]);
        await expectAllDenied(home, kind);
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    });
  });

  it("goes through while a rollback hangs at any step", async () => {
    await forEachKind(async (kind, template) => {
      for (const at of pointsBefore("rollback", kind)) {
        const home = await copyOf(template);
        const hung = await overtaken(home, { argv: rollback(kind), at }, async () => {
          expect((await run(home, revoke(kind))).code).toBe(revoked(kind));
        });
        expect({ at, code: hung.code, err: hung.err }).toEqual({ at, code: 6, err: hung.err });
        home.now += minuteMs;
        await home.ok(["reconcile", "--fix"]);
        await expectAllDenied(home, kind);
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    });
  });

  it("that was planned before a rotation also denies what the rotation made", async () => {
    await forEachKind(async (kind, home) => {
      const late = await overtaken(home, { argv: revoke(kind), at: "before record" }, async () => {
        expect((await run(home, rotate(kind))).code).toBe(0);
      });
      expect({ code: late.code, err: late.err }).toEqual({ code: revoked(kind), err: late.err });
      await expectAllDenied(home, kind);
      await assertInvariants(home, prepared.known);
    });
  });

  it("that was pinned by a plan's hash is refused when a rotation came between", async () => {
    const home = await copyOf(prepared.home);
    const plan = await run(home, [...revoke("issued"), "--dry-run", "-o", "json"]);
    const { planHash } = JSON.parse(plan.out);
    const pinned = ["revoke", "issued", "--reason", "superseded", "--confirm", String(planHash)];
    const late = await overtaken(home, { argv: pinned, at: "before record" }, async () => {
      expect((await run(home, rotate("issued"))).code).toBe(0);
    });
    expect(late.code).toBe(6);
    expect(await states(home, "issued")).toEqual(["rotated", "rotated", "active"]);
    home.remove();
  });

  it("and a rotation at once end with the key revoked, whoever is first", async () => {
    await forEachKind(async (kind, home) => {
      const [made, denied] = await atOnce(home, [rotate(kind), revoke(kind)]);
      expect(denied?.code).toBe(revoked(kind));
      expect([0, 6]).toContain(made?.code);
      home.now += minuteMs;
      await home.ok(["reconcile", "--fix"]);
      await expectAllDenied(home, kind);
      await assertInvariants(home, prepared.known);
    });
  });
});

describe("a rollback and a rotation at once", () => {
  it("let exactly one win", async () => {
    await forEachKind(async (kind, home) => {
      const ended = await atOnce(home, [rollback(kind), rotate(kind)]);
      expect(codes(ended)).toEqual([0, 6]);
      const hasRolledBack = ended[0]?.code === 0;
      const expected = hasRolledBack ? ["active", "rotated"] : ["rotated", "rotated", "active"];
      expect(await states(home, kind)).toEqual(expected);
      await assertInvariants(home, prepared.known);
    });
  });
});

describe("one idempotency key from two processes at once", () => {
  it("makes one key, and the request given again is answered without the secret", async () => {
    const home = await copyOf(prepared.home);
    const create = ["create", "orders", "--idempotency-key", "build-7", "-o", "json"];
    expect(codes(await atOnce(home, [create, create]))).toEqual([0, 6]);
    const again = await run(home, create);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ replayed: true, secret: null, version: 1 });
    expect(await states(home, "orders")).toEqual(["active"]);
    await assertInvariants(home, prepared.known);
    home.remove();
  });

  it("is free for another request after its seven days", async () => {
    const home = await copyOf(prepared.home);
    const withKey = ["--idempotency-key", "build-7"];
    const old = ["revoke", "secret", "--reason", "superseded", "--yes"];
    const next = ["revoke", "encryption", "--reason", "superseded", "--yes"];
    await home.ok(["create", "orders", ...withKey]);
    await home.ok([...old, ...withKey]);
    for (const argv of [
      ["create", "refunds", ...withKey],
      [...next, ...withKey],
    ]) {
      expect((await run(home, argv)).code).toBe(6);
    }
    home.now += 8 * 24 * 60 * minuteMs;
    await home.ok(["create", "refunds", ...withKey]);
    await home.ok([...next, ...withKey]);
    home.remove();
  });

  it("makes one version in a rotation", async () => {
    await forEachKind(async (kind, home) => {
      const argv = [...rotate(kind), "--idempotency-key", "build-7", "-o", "json"];
      expect(codes(await atOnce(home, [argv, argv]))).toEqual([0, 6]);
      const again = await run(home, argv);
      expect(JSON.parse(again.out)).toMatchObject({ replayed: true, version: 3 });
      expect(await states(home, kind)).toEqual(["rotated", "rotated", "active"]);
      await assertInvariants(home, prepared.known);
    });
  });

  it("does one of two different requests, and leaves nothing of the other", async () => {
    const home = await copyOf(prepared.home);
    const create = (name: string): string[] => ["create", name, "--idempotency-key", "build-7"];
    const ended = await atOnce(home, [create("orders"), create("refunds")]);
    expect(codes(ended)).toEqual([0, 6]);
    const loser = ended[0]?.code === 6 ? "orders" : "refunds";
    expect(await states(home, loser)).toEqual(["revoked"]);
    await assertInvariants(home, prepared.known);
    home.remove();
  });

  it("revokes once, and both are told that it is revoked", async () => {
    await forEachKind(async (kind, home) => {
      const argv = [...revoke(kind), "--idempotency-key", "incident-7", "-o", "json"];
      const ended = await atOnce(home, [argv, argv]);
      expect(ended.map(({ code, err }) => ({ code, err }))).toEqual(
        ended.map(({ err }) => ({ code: revoked(kind), err })),
      );
      await expectAllDenied(home, kind);
      await withSession(home, async (session) => {
        const key = await keyNamed(session, kind);
        expect(await session.store.revocations(key.id)).toHaveLength(1);
      });
      await assertInvariants(home, prepared.known);
    });
  });
});

describe("twenty processes that start at once without a store", () => {
  it("all make their key, on one set of roots, and every key verifies", async () => {
    const home = await makeHome({ init: false });
    const names = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    const children = await Promise.all(names.map(async (name) => await startChild(home, ["create", name])));
    const ended = await Promise.all(children.map(async (child) => await child.ended));
    expect(ended.map(({ code, err }) => ({ code, err }))).toEqual(ended.map(({ err }) => ({ code: 0, err })));
    for (const { out } of ended) {
      expect((await home.run(["verify"], { stdin: out })).code).toBe(0);
    }
    await withSession(home, async ({ store }) => {
      for (const role of ["pepper", "k-auth", "kek", "checkpoint-key"] as const) {
        expect(await store.rootReferences(role)).toHaveLength(1);
      }
      expect(await store.tenants()).toHaveLength(1);
      expect(await store.actors()).toHaveLength(1);
    });
    await assertInvariants(home, () => undefined);
    home.remove();
  });
});
