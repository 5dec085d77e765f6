import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import type { Home } from "../fakes/home.ts";
import { inParallel, startChild } from "../e2e/child-process.ts";
import { copyOf, makeFourKeys } from "../e2e/four-keys.ts";
import type { FourKeys } from "../e2e/four-keys.ts";
import { assertInvariants } from "../e2e/invariants.ts";
import { codeOf, codesOf, keyState, lines, minuteMs, vaultHolds } from "../e2e/lifecycle-world.ts";

let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

/** Kills a real process at the point, on a copy of the home that `before` has prepared. */
async function killed(
  argv: readonly string[],
  point: string,
  before: readonly string[][] = [],
): Promise<Home> {
  const home = await copyOf(prepared.home);
  for (const line of before) await home.ok(line);
  const child = await startChild(home, argv, `SIGKILL ${point}`);
  await child.reached;
  expect((await child.ended).signal).toBe("SIGKILL");
  return home;
}

describe("a resumption that is killed", () => {
  const points = (kind: KeyKind): [at: string, isDone: boolean][] => [
    ["before record", false],
    ["after record", false],
    ["after test", false],
    ...(kind === "secret" ? [["inside answer", false] as [string, boolean]] : []),
    ["after point", true],
  ];

  for (const kind of keyKinds) {
    it(`leaves a key of kind ${kind} suspended or resumed, and the vault closed or open with it`, async () => {
      await inParallel(points(kind), 2, async ([at, isDone]) => {
        const home = await killed(lines.resume(kind), at, [lines.suspend(kind)]);
        const other = await copyOf(home);
        await home.ok(["reconcile", "--fix"]);
        // What was enabled for nothing is disabled as soon as nobody can be using the door any more.
        home.now += 6 * minuteMs;
        await home.ok(["reconcile", "--fix"]);
        const state = isDone ? "active" : "inactive";
        expect({ at, state: (await keyState(home, kind))?.key.state }).toEqual({ at, state });
        if (kind === "secret") expect((await vaultHolds(home, kind)).enabled, at).toBe(isDone ? 2 : 0);
        await assertInvariants(home, prepared.known);
        // Or the same command again.
        expect({ at, code: await codeOf(other, lines.resume(kind)) }).toEqual({ at, code: isDone ? 7 : 0 });
        expect((await keyState(other, kind))?.key.state).toBe("active");
        await assertInvariants(other, prepared.known);
        home.remove();
        other.remove();
      });
    });
  }
});

describe("a suspension or a deletion that is killed", () => {
  it("is there as a whole or not at all, and reconcile tells the vault", async () => {
    for (const verb of ["suspend", "delete"] as const) {
      for (const [at, isDone] of [
        ["before record", false],
        ["after point", true],
        ["inside answer", true],
      ] as const) {
        const home = await killed(lines[verb]("secret"), at);
        await home.ok(["reconcile", "--fix"]);
        const state = isDone ? { suspend: "inactive", delete: "deleted" }[verb] : "active";
        expect((await keyState(home, "secret"))?.key.state).toBe(state);
        expect((await vaultHolds(home, "secret")).enabled).toBe(isDone ? 0 : 2);
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    }
  });
});

describe("a purge that is killed", () => {
  it("is finished by reconcile: the vault has nothing of the key, and its name is free", async () => {
    for (const kind of ["secret", "encryption"] as const) {
      for (const at of ["after point", "inside answer"]) {
        const home = await killed(lines.purge(kind), at);
        expect(await keyState(home, kind)).toBeNull();
        // What the vault still has is another key's: a new one of the name does not get at it.
        if (at === "after point") expect(await codeOf(home, createLine(kind))).toBe(6);
        await home.ok(["reconcile", "--fix"]);
        expect(await vaultHolds(home, kind)).toEqual({ held: 0, enabled: 0 });
        expect(await codesOf(home, createLine(kind), ["reconcile", "--fix"])).toEqual([0, 0]);
        expect((await keyState(home, kind))?.key.state).toBe("active");
        expect((await vaultHolds(home, kind)).enabled).toBe(1);
        home.remove();
      }
    }
  });

  it("before its transaction has done nothing", async () => {
    const home = await killed(lines.purge("secret"), "before record");
    await assertInvariants(home, prepared.known);
    home.remove();
  });
});

function createLine(kind: "secret" | "encryption"): string[] {
  const type = kind === "secret" ? ["--type", "db-credential", "--generate"] : ["--type", "PHI_DATA"];
  return ["create", kind, "--kind", kind, ...type];
}
