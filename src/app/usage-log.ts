import { usageRoot } from "../audit/usage.ts";
import type { KeyRecord } from "../core/model.ts";
import { usageBatchMs, usageBatchRows } from "../core/policy.ts";
import { redactText } from "../leak/redact.ts";
import { usageBatch } from "./compare-usage.ts";
import { DenialLog } from "./denial-log.ts";
import type { Denial } from "./denial-log.ts";
import type { Deps } from "./deps.ts";
import type { AuditAppend, StoreTransaction, UsageEvent } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";

type UsageDeps = Pick<Deps, "store" | "clock" | "random" | "caller" | "tool">;

/** Validations that wait for a store that cannot be written; later ones are only counted. */
const waitingMax = 20 * usageBatchRows;

/**
 * What a process that lives long says of the keys it judged. Validations are rows of `usage_events`; every minute or 1,000 of
 * them one entry `usage.batch` counts them and holds the Merkle root of their bytes, and the keys' times of last use move. All
 * of it is in memory until `flush`: a process that is killed loses what it had not written yet, and nothing else.
 */
export class UsageLog {
  readonly #deps: UsageDeps;
  readonly #denials: DenialLog;
  #events: UsageEvent[] = [];
  #unrecorded = 0;
  #writing: Promise<void> | null = null;

  constructor(deps: UsageDeps) {
    this.#deps = deps;
    this.#denials = new DenialLog(deps);
  }

  /** Notes an accepted key; answers whether a batch is full. */
  accepted(use: { key: KeyRecord; version: number; at: number; requestId: string | null }): boolean {
    if (this.#events.length >= waitingMax) {
      this.#unrecorded += 1;
      return false;
    }
    const { key, version, at, requestId } = use;
    this.#events.push({ keyId: key.id, version, at, requestId });
    return this.#events.length % usageBatchRows === 0;
  }

  /** Notes a key that was not accepted. */
  denied(denial: Denial): void {
    this.#denials.add(denial);
  }

  /** Whether something should be written now: a denial, or a batch that is a minute old. */
  isDue(): boolean {
    const [first] = this.#events;
    const age = first === undefined ? 0 : this.#deps.clock.now() - first.at;
    // A clock that was set back must not keep a batch open for as long as it was set back.
    return age < 0 || age >= usageBatchMs || this.#events.length >= usageBatchRows || this.#denials.isDue();
  }

  /** Writes what is there; with `all` also counts whose minute is not over. What could not be written is kept for the next time. */
  async flush(options: { all: boolean } = { all: false }): Promise<void> {
    // One after the other: two that write at once would write the same.
    while (this.#writing !== null) await this.#writing.catch(() => undefined);
    this.#writing = this.#write(options.all);
    try {
      await this.#writing;
    } finally {
      this.#writing = null;
    }
  }

  async #write(all: boolean): Promise<void> {
    const events = this.#events;
    const unrecorded = this.#unrecorded;
    const denials = this.#denials.take({ all });
    if (events.length + unrecorded + denials.length === 0) return;
    this.#events = [];
    this.#unrecorded = 0;
    try {
      await this.#deps.store.transaction(async (tx) => {
        await tx.appendAudit(this.#deps.caller.tenant.id, denials);
        for (
          let start = 0;
          start < events.length || (start === 0 && unrecorded > 0);
          start += usageBatchRows
        ) {
          await this.#writeBatch(tx, {
            events: withoutSecrets(events.slice(start, start + usageBatchRows)),
            unrecorded: start === 0 ? unrecorded : 0,
          });
        }
      });
    } catch (error) {
      this.#events = [...events, ...this.#events];
      this.#unrecorded += unrecorded;
      this.#denials.putBack(denials);
      throw error;
    }
  }

  async #writeBatch(
    tx: StoreTransaction,
    batch: { events: readonly UsageEvent[]; unrecorded: number },
  ): Promise<void> {
    const log = this.#deps.caller.tenant.id;
    const { events } = batch;
    const seq = await tx.appendAudit(log, [this.#entryOf(batch, log)]);
    await tx.insertUsage({ log, seq, events });
    for (const [, uses] of Map.groupBy(events, ({ keyId, version }) => `${keyId}/${version}`)) {
      const [{ keyId, version }] = uses as [UsageEvent];
      await tx.touchVersion({ keyId, version, lastUsedAt: Math.max(...uses.map(({ at }) => at)) });
    }
  }

  #entryOf(batch: { events: readonly UsageEvent[]; unrecorded: number }, log: string): AuditAppend {
    const { events, unrecorded } = batch;
    const times = events.map(({ at }) => at);
    const byKey = Map.groupBy(events, ({ keyId }) => keyId);
    const after = {
      rows: events.length,
      root: Buffer.from(usageRoot(events)).toString("hex"),
      keys: Object.fromEntries([...byKey].map(([keyId, uses]) => [keyId, uses.length])),
      since: events.length === 0 ? null : Math.min(...times),
      until: events.length === 0 ? null : Math.max(...times),
      unrecorded,
    };
    return auditEntry(this.#deps, { operation: usageBatch, sensitivity: "MEDIUM", after }, log);
  }
}

/** Request ids are chosen outside: one that is a secret by mistake is not written. One look for all, since a look costs. */
function withoutSecrets(events: UsageEvent[]): UsageEvent[] {
  const named = events.filter(({ requestId }) => requestId !== null);
  if (named.length === 0) return events;
  const safe = redactText(named.map(({ requestId }) => requestId).join("\n")).split("\n");
  let at = 0;
  return events.map((event) => {
    if (event.requestId === null) return event;
    const requestId = safe[at++] ?? null;
    return { ...event, requestId: safe.length === named.length ? requestId : null };
  });
}
