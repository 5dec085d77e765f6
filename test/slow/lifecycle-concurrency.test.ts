import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import type { Home } from "../fakes/home.ts";
import { inParallel } from "../e2e/child-process.ts";
import { copyOf, makeFourKeys } from "../e2e/four-keys.ts";
import type { FourKeys } from "../e2e/four-keys.ts";
import { assertInvariants } from "../e2e/invariants.ts";
import {
  codeOf,
  codesOf,
  keyState,
  lines,
  minuteMs,
  overtaken,
  pointsBefore,
  vaultHolds,
} from "../e2e/lifecycle-world.ts";

let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

async function forEachKind(work: (kind: KeyKind) => Promise<void>): Promise<void> {
  await inParallel(keyKinds, 2, async (kind) => {
    try {
      await work(kind);
    } catch (error) {
      throw new Error(`kind ${kind}`, { cause: error });
    }
  });
}

/** What a hung process put into the vault could not be swept while it lived, and is tried again after a pause. */
async function later(home: Home): Promise<void> {
  home.now += minuteMs;
  await home.ok(["reconcile", "--fix"]);
}

describe("a suspension and a deletion", () => {
  for (const verb of ["suspend", "delete"] as const) {
    it(`${verb}: goes through while a rotation hangs at any step, which then ends with nothing of it accepted`, async () => {
      await forEachKind(async (kind) => {
        for (const at of pointsBefore("rotate", kind)) {
          const home = await copyOf(prepared.home);
          const hung = await overtaken(home, { argv: lines.rotate(kind), at }, async () => {
            expect(await codeOf(home, lines[verb](kind))).toBe(0);
            expect(JSON.parse(await home.ok(["show", kind, "-o", "json"]))).toMatchObject({
              operation: null,
            });
          });
          expect({ at, code: hung.code, err: hung.err }).toEqual({ at, code: 6, err: hung.err });
          await later(home);
          const denied = verb === "suspend" ? "inactive" : "deleted";
          expect((await keyState(home, kind))?.key.state).toBe(denied);
          if (kind === "secret") expect((await vaultHolds(home, kind)).enabled).toBe(0);
          await assertInvariants(home, prepared.known);
          // And the former version comes back as it was.
          if (verb === "delete") expect(await codeOf(home, lines.restore(kind))).toBe(0);
          expect(await codeOf(home, lines.resume(kind))).toBe(0);
          expect((await keyState(home, kind))?.key.activeVersion).toBe(2);
          await assertInvariants(home, prepared.known);
          home.remove();
        }
      });
    });
  }

  it("leave the name taken, and a rotation that comes after them is refused", async () => {
    const home = await copyOf(prepared.home);
    expect(await codesOf(home, lines.suspend("issued"), lines.rotate("issued"))).toEqual([0, 7]);
    expect(await codesOf(home, lines.delete("issued"), lines.rotate("issued"))).toEqual([0, 7]);
    home.remove();
  });
});

describe("a purge", () => {
  it("goes through while a rotation hangs, and the vault is emptied when its process is gone", async () => {
    for (const kind of ["secret", "encryption"] as const) {
      for (const at of pointsBefore("rotate", kind)) {
        const home = await copyOf(prepared.home);
        const hung = await overtaken(home, { argv: lines.rotate(kind), at }, async () => {
          expect({ at, code: await codeOf(home, lines.purge(kind)) }).toEqual({
            at,
            code: at === "before record" ? 0 : 8,
          });
        });
        expect({ at, code: hung.code, err: hung.err }).toEqual({ at, code: 6, err: hung.err });
        await later(home);
        expect(await keyState(home, kind)).toBeNull();
        expect(await vaultHolds(home, kind)).toEqual({ held: 0, enabled: 0 });
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    }
  });
});

describe("a resumption", () => {
  it("loses against a revoke that comes while it hangs at any step: nothing is accepted, and the vault gives nothing", async () => {
    await forEachKind(async (kind) => {
      for (const at of ["before record", "after record", "after test"]) {
        const home = await copyOf(prepared.home);
        await home.ok(lines.suspend(kind));
        const hung = await overtaken(home, { argv: lines.resume(kind), at }, async () => {
          expect(await codeOf(home, lines.revoke(kind))).toBe(kind === "provider" ? 8 : 0);
        });
        expect({ at, code: hung.code, err: hung.err }).toEqual({ at, code: 6, err: hung.err });
        await later(home);
        expect(new Set((await keyState(home, kind))?.states)).toEqual(new Set(["revoked"]));
        if (kind === "secret") expect((await vaultHolds(home, kind)).enabled).toBe(0);
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    });
  });

  it("that was finished first is revoked with the rest", async () => {
    await forEachKind(async (kind) => {
      const home = await copyOf(prepared.home);
      await home.ok(lines.suspend(kind));
      const hung = await overtaken(home, { argv: lines.resume(kind), at: "after point" }, async () => {
        await codeOf(home, lines.revoke(kind));
      });
      expect(hung.code).toBe(0);
      expect(new Set((await keyState(home, kind))?.states)).toEqual(new Set(["revoked"]));
      await later(home);
      if (kind === "secret") expect((await vaultHolds(home, kind)).enabled).toBe(0);
      await assertInvariants(home, prepared.known);
      home.remove();
    });
  });
});

describe("an update", () => {
  it("waits for no rotation: it says that one is running, and changes nothing", async () => {
    const home = await copyOf(prepared.home);
    const hung = await overtaken(home, { argv: lines.rotate("issued"), at: "after record" }, async () => {
      expect(await codeOf(home, lines.update("issued"))).toBe(6);
    });
    expect(hung.code).toBe(0);
    expect(await codeOf(home, lines.update("issued"))).toBe(0);
    await assertInvariants(home, prepared.known);
    home.remove();
  });

  it("that hangs loses against a suspension, and no row is left with a wrong MAC", async () => {
    await forEachKind(async (kind) => {
      const home = await copyOf(prepared.home);
      const hung = await overtaken(home, { argv: lines.update(kind), at: "before record" }, async () => {
        expect(await codeOf(home, lines.suspend(kind))).toBe(0);
      });
      // It reads the key again in its transaction: the suspended one is updated.
      expect(hung.code).toBe(0);
      const found = await keyState(home, kind);
      expect(found?.key).toMatchObject({ owner: "company", state: "inactive" });
      expect(await codeOf(home, lines.resume(kind))).toBe(0);
      await assertInvariants(home, prepared.known);
      home.remove();
    });
  });
});
