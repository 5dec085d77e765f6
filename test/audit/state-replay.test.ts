import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryBytes, formatEntryParts, parseEntry } from "../../src/audit/entry.ts";
import type { AuditDraft, AuditEntry } from "../../src/audit/entry.ts";
import { describeDifference, StateReplay } from "../../src/audit/state-replay.ts";
import type { CurrentKey } from "../../src/audit/state-replay.ts";
import { transitions } from "../../src/core/transition.ts";
import { versionStates } from "../../src/core/model.ts";
import type { Transition, VersionState } from "../../src/core/model.ts";
import { keyUuid, sampleDraft } from "./sample-log.ts";

const entry = (seq: number, changes: Partial<AuditDraft>): AuditEntry =>
  parseEntry(entryBytes(formatEntryParts(sampleDraft({ before: null, after: null, ...changes })), seq));

/** Replays one entry per list of transitions. */
function replay(...steps: Transition[][]): StateReplay {
  const machine = new StateReplay();
  steps.forEach((list, seq) => expect(machine.add(entry(seq, { transitions: list }))).toEqual([]));
  return machine;
}

const move = (version: number, from: VersionState | null, to: VersionState): Transition => ({
  version,
  from,
  to,
});
const created = [[move(1, null, "pending")], [move(1, "pending", "active")]];
const rotated = [
  ...created,
  [move(2, null, "pending")],
  [move(1, "active", "rotated"), move(2, "pending", "active")],
];

function row(changes: Partial<CurrentKey> & { states?: VersionState[] } = {}): CurrentKey {
  const { states = ["rotated", "active"], ...rest } = changes;
  const versions = states.map((state, index) => ({ version: index + 1, state }));
  return { id: keyUuid, name: "stripe", env: "prod", isDeleted: false, versions, ...rest };
}

describe("replaying a log", () => {
  it("gives the state of every version", () => {
    expect(replay(...rotated).expected(keyUuid)).toMatchObject({
      name: "stripe",
      env: "prod",
      isDeleted: false,
    });
    expect(replay(...rotated).expected(keyUuid)?.states).toEqual([undefined, "rotated", "active"]);
    expect(replay().expected(keyUuid)).toBeNull();
  });

  it("finds nothing to say when the rows are what the log says", () => {
    const machine = replay(...rotated);
    expect(machine.compare(row())).toEqual([]);
    expect(machine.missing()).toEqual([]);
  });

  it("follows any history that the lifecycle allows without a word", () => {
    const history = fc.array(fc.record({ version: fc.integer({ min: 1, max: 4 }), pick: fc.nat(6) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(history, (picks) => {
        const machine = new StateReplay();
        const states = new Map<number, VersionState>();
        picks.forEach(({ version, pick }, seq) => {
          const from = states.get(version) ?? null;
          const next = transitions[from ?? "none"];
          const to = next[pick % Math.max(next.length, 1)];
          if (to === undefined) return;
          states.set(version, to);
          expect(machine.add(entry(seq, { transitions: [move(version, from, to)] }))).toEqual([]);
        });
        const versions = [...states].map(([version, state]) => ({ version, state }));
        const isSeen = machine.expected(keyUuid) !== null;
        if (isSeen) expect(machine.compare({ ...row(), versions })).toEqual([]);
        expect(machine.missing()).toEqual([]);
      }),
    );
  });

  it("does not miss a purged key, and misses one that was only deleted", () => {
    const purge = (after: Record<string, boolean>): StateReplay => {
      const machine = replay(...rotated);
      const gone = [
        move(2, "active", "inactive"),
        move(1, "rotated", "destroyed"),
        move(2, "inactive", "destroyed"),
      ];
      expect(machine.add(entry(4, { operation: "key.purge", transitions: gone, after }))).toEqual([]);
      return machine;
    };
    expect(purge({ deleted: true, purged: true }).missing()).toEqual([]);
    expect(purge({ deleted: true }).missing()).toMatchObject([{ kind: "missing", expected: "deleted" }]);
    // Listed again, it is told: its versions were destroyed.
    const listed = purge({ deleted: true, purged: true }).compare(row());
    expect(listed).toMatchObject([
      { version: null, expected: "deleted" },
      { version: 1, expected: "destroyed", actual: "rotated" },
      { version: 2, expected: "destroyed", actual: "active" },
    ]);
  });

  it("knows of a deletion and of a restored key by after.deleted alone", () => {
    const machine = replay(...created);
    machine.add(entry(2, { operation: "key.delete", transitions: [], after: { deleted: true } }));
    expect(machine.compare(row({ states: ["active"] }))).toMatchObject([
      { kind: "differs", version: null, expected: "deleted", actual: "kept" },
    ]);
    expect(machine.compare(row({ states: ["active"], isDeleted: true }))).toEqual([]);
    machine.add(entry(3, { operation: "key.update", transitions: [], after: { description: "deleted" } }));
    machine.add(entry(4, { operation: "key.update", transitions: [], after: { deleted: "no" } }));
    expect(machine.expected(keyUuid)?.isDeleted).toBe(true);
    machine.add(entry(5, { operation: "key.restore", transitions: [], after: { deleted: false } }));
    expect(machine.compare(row({ states: ["active"] }))).toEqual([]);
  });

  it("leaves out entries without a key, and keys of which only a refusal is told", () => {
    const machine = new StateReplay();
    expect(machine.add(entry(0, { key: null, transitions: [] }))).toEqual([]);
    machine.add(entry(1, { operation: "key.verify", outcome: "denied", transitions: [] }));
    expect(machine.missing()).toEqual([]);
  });
});

describe("a row changed behind our back", () => {
  it("is found for every state that it could be set to", () => {
    for (const state of versionStates.filter((other) => other !== "active")) {
      expect(replay(...created).compare(row({ states: [state] }))).toEqual([
        {
          kind: "differs",
          keyId: keyUuid,
          name: "stripe",
          env: "prod",
          version: 1,
          expected: "active",
          actual: state,
          seq: null,
        },
      ]);
    }
  });

  it("is found when a revoked version was set back to active", () => {
    const machine = replay(...created, [move(1, "active", "revoked")]);
    const found = machine.compare(row({ states: ["active"] })).map(describeDifference);
    expect(found).toEqual(["prod/stripe version 1 is active in the store, and revoked by the log"]);
  });

  it("is found when a version or a key is gone, or was added", () => {
    const machine = replay(...rotated);
    expect(machine.missing().map(describeDifference)).toEqual([
      "prod/stripe is in the log and not in the store",
    ]);
    expect(machine.compare(row({ states: ["rotated"] })).map(describeDifference)).toEqual([
      "prod/stripe version 2 is in the log and not in the store",
    ]);
    expect(
      machine.compare(row({ states: ["rotated", "active", "pending"] })).map(describeDifference),
    ).toEqual(["prod/stripe version 3 is in the store and not in the log"]);
    expect(machine.compare(row({ id: "other", name: "x" })).map(describeDifference)).toEqual([
      "prod/x is in the store and not in the log",
    ]);
    expect(machine.missing()).toEqual([]);
  });

  it("is told by the name that the key has now", () => {
    const machine = replay(...created);
    machine.add(
      entry(2, { transitions: [], key: { id: keyUuid, name: "renamed", env: "dev", kind: "issued" } }),
    );
    expect(machine.missing()).toMatchObject([{ name: "renamed", env: "dev" }]);
  });
});

describe("a log that contradicts itself", () => {
  const problem = (steps: Transition[][], bad: Transition): string[] => {
    const machine = replay(...steps);
    return machine.add(entry(9, { transitions: [bad] })).map(describeDifference);
  };

  it("is found where a transition starts from a state that the version was not in", () => {
    expect(problem(created, move(1, "rotated", "active"))).toEqual([
      "entry 9 makes prod/stripe version 1 active, which cannot follow active",
    ]);
    expect(problem([], move(1, "pending", "active"))).toEqual([
      "entry 9 makes prod/stripe version 1 active, which cannot follow nothing",
    ]);
  });

  it("is found where a transition does not exist, such as out of compromised", () => {
    expect(
      problem([...created, [move(1, "active", "compromised")]], move(1, "compromised", "active")),
    ).toHaveLength(1);
    expect(problem([...created], move(1, null, "pending"))).toHaveLength(1);
  });

  it("is told once, and replayed on from what the entry says", () => {
    const machine = replay(...created);
    expect(machine.add(entry(5, { transitions: [move(1, "revoked", "inactive")] }))).toHaveLength(1);
    expect(machine.add(entry(6, { transitions: [move(1, "inactive", "active")] }))).toEqual([]);
  });

  it("cannot make the replay use up memory with a huge version number", () => {
    const machine = new StateReplay();
    const huge = move(Number.MAX_SAFE_INTEGER, null, "pending");
    expect(machine.add(entry(0, { transitions: [huge] }))).toHaveLength(1);
    expect(machine.expected(keyUuid)?.states).toHaveLength(0);
  });

  it("is put into words also where something is absent", () => {
    const blank = { keyId: "k", name: "n", env: "e", version: 1, expected: null, actual: null, seq: null };
    expect(describeDifference({ ...blank, kind: "differs" })).toContain("absent in the store");
    expect(describeDifference({ ...blank, kind: "impossible" })).toContain(
      "entry 0 makes e/n version 1 absent",
    );
  });
});
