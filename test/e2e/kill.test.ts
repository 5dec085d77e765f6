import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operationSteps } from "../../src/core/operation.ts";
import { vaultName } from "../../src/app/version-value.ts";
import type { Home, Ran } from "../fakes/home.ts";
import { inParallel, startChild } from "./child-process.ts";
import { copyOf, givenFiles, makeFourKeys, source, specs } from "./four-keys.ts";
import type { FourKeys } from "./four-keys.ts";
import { allKeys, assertInvariants, assertVersion, keyNamed, withSession } from "./invariants.ts";
import type { KnownValues } from "./invariants.ts";
import { allMutations, killPoints, nameOf, stepsOfMutation } from "./kill-points.ts";
import type { Fate, KillPoint, Mutation } from "./kill-points.ts";

const hourMs = 3_600_000;
const outFileName = "out.txt";
let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

/** The command line of a mutation on this home. */
function argvOf({ verb, kind, hasOutFile }: Mutation, home: Home): string[] {
  const out = hasOutFile ? ["--out-file", join(home.path, outFileName)] : [];
  switch (verb) {
    case "create":
      return ["create", "new", "--kind", kind, ...specs[kind], ...source(kind), ...out];
    case "rotate":
      return ["rotate", kind, "--yes", ...source(kind), ...out];
    case "rollback":
      return ["rollback", kind, "--yes"];
    case "revoke":
      return ["revoke", kind, "--reason", "superseded", "--yes"];
  }
}

const targetOf = ({ verb, kind }: Mutation): string => (verb === "create" ? "new" : kind);

/** What is known, and the issued key that was delivered after the kill. */
function knownValues(mutation: Mutation, delivered: string | null, made: number | null): KnownValues {
  return (key, version) => {
    const isMade = key.name === targetOf(mutation) && version === made && key.kind === "issued";
    return prepared.known(key, version) ?? (isMade ? (delivered ?? undefined) : undefined);
  };
}

function deliveredTo(home: Home): string | null {
  const path = join(home.path, outFileName);
  return existsSync(path) ? readFileSync(path, "utf8").trim() : null;
}

/** What the target must look like once everything is settled: its active version, and how many versions it has. */
type Outcome = { active: number | null; versions: number };

const afterReconcile: Record<Mutation["verb"], Record<Fate, Outcome>> = {
  create: {
    nothing: { active: null, versions: 0 },
    abandoned: { active: null, versions: 1 },
    finished: { active: 1, versions: 1 },
  },
  rotate: {
    nothing: { active: 2, versions: 2 },
    abandoned: { active: 2, versions: 3 },
    finished: { active: 3, versions: 3 },
  },
  rollback: {
    nothing: { active: 2, versions: 2 },
    abandoned: { active: 2, versions: 2 },
    finished: { active: 1, versions: 2 },
  },
  revoke: {
    nothing: { active: 2, versions: 2 },
    abandoned: { active: 2, versions: 2 },
    finished: { active: null, versions: 2 },
  },
};

/** The same when the command is given again, and how it ends: what was finished for it is done, or no longer possible. */
const afterAgain: Record<Mutation["verb"], Record<Fate, Outcome & { code: number }>> = {
  create: {
    nothing: { code: 0, active: 1, versions: 1 },
    abandoned: { code: 0, active: 2, versions: 2 },
    finished: { code: 6, active: 1, versions: 1 },
  },
  rotate: {
    nothing: { code: 0, active: 3, versions: 3 },
    abandoned: { code: 0, active: 4, versions: 4 },
    finished: { code: 0, active: 4, versions: 4 },
  },
  rollback: {
    nothing: { code: 0, active: 1, versions: 2 },
    abandoned: { code: 0, active: 1, versions: 2 },
    finished: { code: 7, active: 1, versions: 2 },
  },
  revoke: {
    nothing: { code: 0, active: null, versions: 2 },
    abandoned: { code: 0, active: null, versions: 2 },
    finished: { code: 0, active: null, versions: 2 },
  },
};

/** Kills a real process at the point; answers the home as it was left. */
async function killAt(mutation: Mutation, point: KillPoint): Promise<Home> {
  const home = await copyOf(prepared.home);
  const child = await startChild(home, argvOf(mutation, home), `SIGKILL ${point.name}`);
  await child.reached;
  expect((await child.ended).signal).toBe("SIGKILL");
  return home;
}

/** The number of the version that was killed while it was made. */
const madeBy = ({ verb }: Mutation): number => (verb === "create" ? 1 : 3);

/** Before anything is repaired: what was active still works, and what is pending does not, also when it was delivered. */
async function assertStillUsable(home: Home, mutation: Mutation): Promise<void> {
  await withSession(home, async (session) => {
    const key = (await allKeys(session)).find(({ name }) => name === targetOf(mutation));
    if (key === undefined) return;
    if (mutation.verb !== "create" && key.state !== "revoked") expect(key.activeVersion).not.toBeNull();
    const known = knownValues(mutation, deliveredTo(home), madeBy(mutation));
    for (const version of await session.store.versions(key.id)) {
      await assertVersion(session, { key, version }, known);
    }
  });
}

async function assertOutcome(home: Home, mutation: Mutation, expected: Outcome): Promise<void> {
  await withSession(home, async (session) => {
    const key = (await allKeys(session)).find((candidate) => candidate.name === targetOf(mutation));
    if (expected.versions === 0) {
      expect(key).toBeUndefined();
      return;
    }
    expect({ active: key?.activeVersion, versions: key?.lastVersion }).toEqual({
      active: expected.active,
      versions: expected.versions,
    });
    const revoked = (await session.store.versions(key?.id ?? "")).filter(({ state }) => state === "revoked");
    expect(revoked.every(({ deniedAt }) => deniedAt !== null)).toBe(true);
  });
}

async function reconciled(home: Home, mutation: Mutation, fate: Fate): Promise<void> {
  await assertStillUsable(home, mutation);
  const fixed = await home.run(["reconcile", "--fix", "-o", "json"]);
  expect(fixed).toMatchObject({ code: 0, err: expect.not.stringContaining("error") });
  const outcome = afterReconcile[mutation.verb][fate];
  await assertOutcome(home, mutation, outcome);
  const delivered = deliveredTo(home);
  if (fate === "finished" && mutation.hasOutFile) expect(delivered).not.toBeNull();
  await assertInvariants(home, knownValues(mutation, delivered, madeBy(mutation)));
  if (mutation.kind === "secret") await assertGracesEnd(home);
}

/** What was queued for the end of a grace was not lost: the vault then gives the active version and nothing else. */
async function assertGracesEnd(home: Home): Promise<void> {
  home.now += 25 * hourMs;
  await home.ok(["reconcile", "--fix"]);
  await withSession(home, async (session) => {
    const key = await keyNamed(session, "secret");
    const versions = await session.store.versions(key.id);
    const active = versions.filter(({ state }) => state === "active");
    const held = await (await session.vault()).secrets.versions(await vaultName(session.store, key));
    expect(held.filter(({ enabled }) => enabled).map(({ reference }) => reference)).toEqual(
      active.map(({ vaultReference }) => vaultReference),
    );
  });
}

/** The value that was given is active by then: giving it again is no rotation. */
const givenAgain: Outcome & { code: number } = { code: 7, active: 3, versions: 3 };

function outcomeAgain({ verb, kind }: Mutation, fate: Fate): Outcome & { code: number } {
  const isGiven = verb === "rotate" && (kind === "provider" || kind === "secret");
  return isGiven && fate === "finished" ? givenAgain : afterAgain[verb][fate];
}

async function doneAgain(home: Home, mutation: Mutation, fate: Fate): Promise<void> {
  // A new key is never written over an old one: who repeats the command moves the file away first.
  const file = join(home.path, outFileName);
  const moved = `${file}.before`;
  if (existsSync(file)) renameSync(file, moved);
  const ran: Ran = await home.run(argvOf(mutation, home), { files: givenFiles });
  if (existsSync(moved) && !existsSync(file)) renameSync(moved, file);
  const { code, ...outcome } = outcomeAgain(mutation, fate);
  // A provider's key stays open until the provider has deleted it too.
  const isOpen = mutation.verb === "revoke" && mutation.kind === "provider";
  expect({ code: ran.code, err: ran.err }).toEqual({ code: isOpen ? 8 : code, err: ran.err });
  // A rollback that is no longer possible leaves what the former one queued for the vault to reconcile.
  if (mutation.verb === "rollback") await home.ok(["reconcile", "--fix"]);
  await assertOutcome(home, mutation, outcome);
  const delivered = mutation.hasOutFile ? deliveredTo(home) : ran.out.trim() || null;
  await assertInvariants(home, knownValues(mutation, delivered, outcome.active));
}

describe("a process killed at any step leaves nothing that the next command or reconcile does not put right", () => {
  for (const mutation of allMutations()) {
    it(`${nameOf(mutation)}`, async () => {
      await inParallel(killPoints(mutation), 2, async (point) => {
        const one = await killAt(mutation, point);
        const other = await copyOf(one);
        try {
          await reconciled(one, mutation, point.fate);
          await doneAgain(other, mutation, point.fate);
        } catch (error) {
          throw new Error(`${nameOf(mutation)}, killed ${point.name}, must be ${point.fate}`, {
            cause: error,
          });
        } finally {
          one.remove();
          other.remove();
        }
      });
    });
  }
});

describe("an encryption key that was revoked by its name", () => {
  it("is disabled in the vault by reconcile or the same command when the revoke was killed before it was told", async () => {
    const argv = ["revoke", "encryption", "--reason", "superseded", "--confirm", "encryption"];
    const mending = [["reconcile", "--fix"], argv];
    for (const point of ["after point", "inside answer"]) {
      for (const mend of mending) {
        const home = await copyOf(prepared.home);
        const child = await startChild(home, argv, `SIGKILL ${point}`);
        await child.reached;
        await child.ended;
        await home.ok(mend);
        await withSession(home, async (session) => {
          const key = await keyNamed(session, "encryption");
          const held = await (await session.vault()).keys.versions(await vaultName(session.store, key));
          expect({ point, mend, on: held.filter(({ enabled }) => enabled) }).toEqual({ point, mend, on: [] });
        });
        await assertInvariants(home, prepared.known);
        home.remove();
      }
    }
  });
});

describe("a secret that was rolled back", () => {
  it("is given by no version of the vault after a revoke, also when the rollback was killed before it told the vault", async () => {
    const mutation: Mutation = { verb: "rollback", kind: "secret", hasOutFile: false };
    const home = await killAt(mutation, { name: "after point", fate: "finished" });
    await home.ok(["revoke", "secret", "--reason", "superseded", "--yes"]);
    await withSession(home, async (session) => {
      const key = await keyNamed(session, "secret");
      const room = (await session.vault()).secrets;
      const held = await room.versions(await vaultName(session.store, key));
      expect(held).toHaveLength(3);
      expect(held.filter(({ enabled }) => enabled)).toEqual([]);
    });
    await assertInvariants(home, knownValues(mutation, null, null));
    home.remove();
  });
});

describe("the points at which processes are killed", () => {
  it("are after every step that exists", () => {
    const reached = new Set(
      allMutations().flatMap((mutation) => killPoints(mutation).map(({ name }) => name)),
    );
    for (const step of operationSteps) expect(reached).toContain(`after ${step}`);
  });

  it("are the steps that a command that is left alone goes through, in that order", async () => {
    await inParallel(allMutations(), 2, async (mutation) => {
      const home = await copyOf(prepared.home);
      const child = await startChild(home, argvOf(mutation, home));
      const { steps } = await child.ended;
      expect({ of: nameOf(mutation), steps }).toEqual({
        of: nameOf(mutation),
        steps: stepsOfMutation(mutation),
      });
      home.remove();
    });
  });
});
