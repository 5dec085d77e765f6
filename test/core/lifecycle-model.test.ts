import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyChanges } from "../../src/core/transition.ts";
import { judgeVersion, planActivation } from "../../src/core/lifecycle.ts";
import { keyKinds, revokeReasons } from "../../src/core/model.ts";
import type { KeyRecord } from "../../src/core/model.ts";
import { World, documented } from "./lifecycle-world.ts";
import type { Actor, Step } from "./lifecycle-world.ts";
import { codeOf } from "./refusal.ts";

const hour = 3_600_000;
const day = 24 * hour;

const actors = fc.constantFrom<Actor>("anna", "ben");
const number = fc.option(fc.integer({ min: 1, max: 5 }), { nil: null });
const duration = fc.constantFrom(0, 1, hour / 2, hour, 25 * hour, 8 * day);
const orNull = fc.option(duration, { nil: null });
const reason = fc.constantFrom(...revokeReasons);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("begin"), actor: actors, expiresInMs: orNull }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("finish"), actor: actors, stale: fc.boolean(), graceMs: orNull }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abandon"), actor: actors }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("rollback"), to: number, compromised: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("revoke"), version: number, reason, leaked: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("undo", "suspend", "resume", "expire", "delete", "restore"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait"), ms: duration }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("purge") }) },
);

const policy = fc.record({
  kind: fc.constantFrom(...keyKinds),
  graceMs: orNull,
  rollbackWindowMs: orNull,
  lifetimeMs: orNull,
});
/** Every key starts with a version, so that most sequences get somewhere. */
const sequence = fc
  .array(step, { maxLength: 30, size: "max" })
  .map((steps): Step[] => [
    { do: "begin", actor: "anna", expiresInMs: null },
    { do: "finish", actor: "anna", stale: false, graceMs: null },
    ...steps,
  ]);

function run(of: Partial<KeyRecord>, steps: readonly Step[]): World {
  const world = new World(of);
  for (const each of steps) world.take(each);
  return world;
}

describe("any sequence of operations by two people", () => {
  it("keeps every invariant of the lifecycle", () => {
    fc.assert(
      fc.property(policy, sequence, (of, steps) => {
        run(of, steps);
      }),
      { numRuns: 500 },
    );
  });

  it("reaches every documented transition, so that the check above means something", () => {
    const seen = new Set<string>();
    for (const [of, steps] of fc.sample(fc.tuple(policy, sequence), { seed: 1, numRuns: 500 })) {
      for (const moved of run(of, steps).seen) seen.add(moved);
    }
    const all = Object.entries(documented).flatMap(([from, to]) =>
      to.split(" ").map((each) => `${from} to ${each}`),
    );
    const reachable = all.filter((moved) => !moved.endsWith(" to "));
    expect([...seen].toSorted()).toEqual(reachable.toSorted());
  });
});

describe("a revoke and a rotation of the same key", () => {
  const isKept = (each: Step): boolean => each.do !== "purge";
  const kept = sequence.map((steps) => steps.filter(isKept));
  const revoke = fc.record({
    do: fc.constant("revoke" as const),
    version: fc.constant(null),
    reason,
    leaked: fc.boolean(),
  });

  it("end with the key denied in whichever order their steps come: the rotation is superseded", () => {
    fc.assert(
      fc.property(
        fc.record({ of: policy, before: kept, during: fc.array(step), after: fc.array(step) }),
        revoke,
        fc.boolean(),
        ({ of, before, during, after }, denial, stale) => {
          const world = run(of, [...before, { do: "restore" }]);
          world.take({ do: "begin", actor: "anna", expiresInMs: null });
          const version = world.key.lastVersion;
          // Ben does what he likes, but Anna does not finish before his revoke.
          const byBen = (each: Step): boolean => isKept(each) && (!("actor" in each) || each.actor === "ben");
          for (const each of during.filter((one) => byBen(one) && one.do !== "delete")) world.take(each);
          world.take(denial);
          for (const known of world.versions) {
            expect(judgeVersion(world.key, known, world.now)).not.toBe("accepted");
          }
          for (const each of after.filter(byBen)) world.take(each);
          const target = { key: world.key, versions: world.versions };
          const begun = world.begun.get("anna")?.plan ?? [];
          const plan = () => (stale ? begun : planActivation(target, { version, now: world.now }));
          expect(codeOf(() => applyChanges(target.versions, plan()))).toBe("conflict");
          expect(["revoked", "compromised"]).toContain(world.versions[version - 1]?.state);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("that was finished first is revoked with the rest, its predecessor in grace too", () => {
    fc.assert(
      fc.property(policy, kept, revoke, (of, before, denial) => {
        const world = run(of, [...before, { do: "restore" }]);
        world.take({ do: "begin", actor: "ben", expiresInMs: null });
        world.take({ do: "finish", actor: "ben", stale: false, graceMs: day });
        world.take(denial);
        for (const known of world.versions) {
          expect(judgeVersion(world.key, known, world.now)).not.toBe("accepted");
        }
      }),
      { numRuns: 100 },
    );
  });
});
