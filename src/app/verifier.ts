import { parseIssuedKey } from "../core/issued-key.ts";
import { verifierCacheMs } from "../core/policy.ts";
import type { Secret } from "../core/secret.ts";
import type { Deps } from "./deps.ts";
import { invalid, judgeableRow, judgeKey, judgeUnknown } from "./judge-key.ts";
import type { JudgeableRow, Presented, Verification } from "./judge-key.ts";
import type { Clock } from "./ports.ts";

type VerifierDeps = Pick<Deps, "store" | "keyring" | "clock"> & {
  /** Runs on whatever is done to the wall clock; its zero is anywhere. */
  stopwatch: Clock;
};

/** When something was read, by both clocks. */
export interface Moment {
  wall: number;
  elapsed: number;
}

interface CachedRow {
  row: JudgeableRow;
  readAt: Moment;
}

/** So many keys are in use at once, and no more memory is taken, whatever is presented. */
const rowsMax = 10_000;

/**
 * Judges presented keys in a process that lives long. A row that accepts is kept for at most five seconds, by the wall clock
 * and by the stopwatch, so a clock that is set back lengthens nothing. Only acceptance is answered from what is kept: a denial
 * is always that of the row as it is now, and what no row has is not kept at all. Writes nothing.
 */
export class Verifier {
  readonly #deps: VerifierDeps;
  /** In the order in which they were read. */
  readonly #rows = new Map<string, CachedRow>();
  readonly #reading = new Map<string, Promise<JudgeableRow | null>>();
  /** For the work that an unknown key takes. */
  #verifierKey: Uint8Array | null = null;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
  }

  /** Fetches what every judgement takes; `unavailable` without the vault. From here on known keys need it no more. */
  async prepare(): Promise<void> {
    this.#verifierKey = (await this.#deps.keyring.current()).keys.verifierKey;
    for (const { version } of await this.#deps.store.rootReferences("pepper")) {
      await this.#deps.keyring.keys(version);
    }
  }

  /** `isWithinReach` says of a row whether the caller may know of it; one that is not might as well not be there. */
  async judge(
    secret: Secret | string,
    asked: { scopes: readonly string[]; isWithinReach: (row: JudgeableRow) => boolean },
  ): Promise<Verification> {
    const parts = parseIssuedKey(secret);
    if (parts === null) return this.#unknown();
    const presented: Presented = { parts, scopes: asked.scopes };
    const now = this.#now();
    const kept = this.#kept(parts.publicId, now);
    if (kept !== null && asked.isWithinReach(kept)) {
      const judged = judgeKey(kept, presented, now.wall);
      if (judged.valid) return judged;
    }
    const row = await this.#read(parts.publicId);
    if (row === null) return this.#unknown();
    const judged = judgeKey(row, presented, this.#deps.clock.now());
    return asked.isWithinReach(row) ? judged : invalid;
  }

  #unknown(): Verification {
    return this.#verifierKey === null ? invalid : judgeUnknown(this.#verifierKey);
  }

  #kept(publicId: string, now: Moment): JudgeableRow | null {
    const kept = this.#rows.get(publicId);
    return kept !== undefined && isFresh(kept.readAt, now) ? kept.row : null;
  }

  /** However many ask for a row at once, it is read once. */
  async #read(publicId: string): Promise<JudgeableRow | null> {
    let reading = this.#reading.get(publicId);
    if (reading === undefined) {
      reading = this.#readAnew(publicId).finally(() => this.#reading.delete(publicId));
      this.#reading.set(publicId, reading);
    }
    return await reading;
  }

  async #readAnew(publicId: string): Promise<JudgeableRow | null> {
    // The moment before the read: what was changed while it lasted counts from here.
    const readAt = this.#now();
    this.#rows.delete(publicId);
    const row = await judgeableRow(this.#deps, publicId);
    if (row?.isGenuine !== true) return row;
    this.#rows.set(publicId, { row, readAt });
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > rowsMax && oldest !== undefined) this.#rows.delete(oldest);
    return row;
  }

  #now(): Moment {
    return { wall: this.#deps.clock.now(), elapsed: this.#deps.stopwatch.now() };
  }
}

/** Whether what was read then may still be used: no longer ago than verifiers may keep it, by either clock. */
export function isFresh(readAt: Moment, now: Moment): boolean {
  const wall = now.wall - readAt.wall;
  const elapsed = now.elapsed - readAt.elapsed;
  return wall >= 0 && wall < verifierCacheMs && elapsed < verifierCacheMs;
}
