import type { JsonValue } from "../core/canonical-json.ts";
import { transitions as possible } from "../core/transition.ts";
import type { Transition, VersionState } from "../core/model.ts";
import type { AuditEntry } from "./entry.ts";

/**
 * What a log says the states must be. Every transaction that changes a version's state appends an entry that lists all its
 * transitions, so the log replayed gives the state of every version; a row that says something else was changed behind us.
 *
 * A key's deletion is told by `after.deleted`: an entry about a key whose `after` is an object with the boolean `deleted`
 * (`key.delete` writes true, `key.restore` writes false) sets it; a key about which none says so is not deleted. Where `purged`
 * is true, nothing of the key need be there any more: its name may be another key's, and no list has it.
 */
export interface ExpectedKey {
  id: string;
  /** As the newest entry calls it. */
  name: string;
  env: string;
  isDeleted: boolean;
  /** By version number; index 0 is never used. */
  states: readonly (VersionState | undefined)[];
}

/** A key as its rows say now. */
export interface CurrentKey {
  id: string;
  name: string;
  env: string;
  isDeleted: boolean;
  versions: readonly { version: number; state: VersionState }[];
}

export type StateDifferenceKind =
  /** The log knows it, the store does not. */
  | "missing"
  /** The store has it, the log never heard of it. */
  | "unlogged"
  /** State or deletion is not what the log leads to. */
  | "differs"
  /** The log contradicts itself at `seq`. */
  | "impossible";

export interface StateDifference {
  kind: StateDifferenceKind;
  keyId: string;
  name: string;
  env: string;
  /** Null when it is about the key itself. */
  version: number | null;
  /** By the log; `deleted` and `kept` of a key, a state of a version, null for what should not exist. */
  expected: VersionState | "deleted" | "kept" | null;
  /** By the row, or by the entry at `seq`. */
  actual: VersionState | "deleted" | "kept" | null;
  /** The entry that contradicts the ones before; null for differences between log and store. */
  seq: number | null;
}

interface ReplayedKey {
  id: string;
  name: string;
  env: string;
  isDeleted: boolean;
  isPurged: boolean;
  states: (VersionState | undefined)[];
  isSeen: boolean;
}

const versionMax = 1_000_000;

/** Replays one log, then compares it with current rows. Memory grows with the number of keys, not of entries. */
export class StateReplay {
  readonly #keys = new Map<string, ReplayedKey>();

  /** The next entry of the log, in order. Answers where it contradicts the ones before. */
  add(entry: AuditEntry): StateDifference[] {
    if (entry.key === null) return [];
    const key = this.#keyOf(entry.key);
    key.isDeleted = flagOf(entry.after, "deleted") ?? key.isDeleted;
    key.isPurged = flagOf(entry.after, "purged") ?? key.isPurged;
    return entry.transitions.flatMap((transition) => move(key, transition, entry.seq));
  }

  /** What the log leads to; null for a key it never mentions. */
  expected(keyId: string): ExpectedKey | null {
    return this.#keys.get(keyId) ?? null;
  }

  /** Compares one key's rows. Call it once for every key of the store, then `missing()`. */
  compare(current: CurrentKey): StateDifference[] {
    const key = this.#keys.get(current.id);
    if (key === undefined) return [difference("unlogged", current, { actual: deletion(current) })];
    key.isSeen = true;
    const found: StateDifference[] = [];
    if (key.isDeleted !== current.isDeleted) {
      found.push(difference("differs", current, { expected: deletion(key), actual: deletion(current) }));
    }
    const rows = new Map(current.versions.map(({ version, state }) => [version, state]));
    key.states.forEach((expected, version) => {
      if (expected === undefined) return;
      const actual = rows.get(version) ?? null;
      if (actual !== expected) {
        found.push(
          difference(actual === null ? "missing" : "differs", current, { version, expected, actual }),
        );
      }
    });
    for (const [version, actual] of rows) {
      if (key.states[version] === undefined) {
        found.push(difference("unlogged", current, { version, actual }));
      }
    }
    return found;
  }

  /** Keys of the log that `compare` was never called for. */
  missing(): StateDifference[] {
    return [...this.#keys.values()]
      .filter((key) => !key.isSeen && !key.isPurged && key.states.length > 0)
      .map((key) => difference("missing", key, { expected: deletion(key) }));
  }

  #keyOf(named: { id: string; name: string; env: string }): ReplayedKey {
    let key = this.#keys.get(named.id);
    if (key === undefined) {
      const { id, name, env } = named;
      key = { id, name, env, isDeleted: false, isPurged: false, states: [], isSeen: false };
      this.#keys.set(named.id, key);
    }
    key.name = named.name;
    key.env = named.env;
    return key;
  }
}

/** One sentence on a difference. */
export function describeDifference(difference: StateDifference): string {
  const { kind, version, expected, actual, seq } = difference;
  const what = `${difference.env}/${difference.name}${version === null ? "" : ` version ${version}`}`;
  switch (kind) {
    case "missing":
      return `${what} is in the log and not in the store`;
    case "unlogged":
      return `${what} is in the store and not in the log`;
    case "differs":
      return `${what} is ${actual ?? "absent"} in the store, and ${expected ?? "absent"} by the log`;
    case "impossible":
      return `entry ${seq ?? 0} makes ${what} ${actual ?? "absent"}, which cannot follow ${expected ?? "nothing"}`;
  }
}

/** Applies a transition; what it says is taken as true from here on, so that one contradiction is told once. */
function move(key: ReplayedKey, { version, from, to }: Transition, seq: number): StateDifference[] {
  const before = version <= versionMax ? (key.states[version] ?? null) : null;
  const follows = from === before && possible[from ?? "none"].includes(to) && version <= versionMax;
  if (version <= versionMax) key.states[version] = to;
  return follows ? [] : [difference("impossible", key, { version, expected: before, actual: to, seq })];
}

/** A boolean of an entry's `after`, or null. */
function flagOf(after: JsonValue, flag: "deleted" | "purged"): boolean | null {
  if (typeof after !== "object" || after === null || Array.isArray(after)) return null;
  const value = Object.entries(after).find(([name]) => name === flag)?.[1];
  return typeof value === "boolean" ? value : null;
}

function deletion(key: { isDeleted: boolean }): "deleted" | "kept" {
  return key.isDeleted ? "deleted" : "kept";
}

function difference(
  kind: StateDifferenceKind,
  key: { id: string; name: string; env: string },
  what: Partial<Pick<StateDifference, "version" | "expected" | "actual" | "seq">>,
): StateDifference {
  return {
    kind,
    keyId: key.id,
    name: key.name,
    env: key.env,
    version: what.version ?? null,
    expected: what.expected ?? null,
    actual: what.actual ?? null,
    seq: what.seq ?? null,
  };
}
