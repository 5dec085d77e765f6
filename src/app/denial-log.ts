import type { KeyRecord } from "../core/model.ts";
import { denialsPerMinute, usageBatchMs } from "../core/policy.ts";
import { redactText } from "../leak/redact.ts";
import type { Deps } from "./deps.ts";
import type { VerifyReason } from "./judge-key.ts";
import type { AuditAppend } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";

type DenialDeps = Pick<Deps, "clock" | "random" | "caller" | "tool">;

/** Entries that wait for a store that cannot be written; later denials are only counted. */
const waitingMax = 10_000;

/** A key that was not accepted. */
export interface Denial {
  /** Null for what is no key of ours: all of these are counted as one. */
  key: KeyRecord | null;
  version: number | null;
  reason: VerifyReason;
  at: number;
  requestId: string | null;
  /** Where it came from, as far as the program said: `ip`, `userAgent`. Enters the log as commitments. */
  personal: Readonly<Record<string, string>>;
}

/** A key's denials of one minute. */
interface Minute {
  key: KeyRecord | null;
  since: number;
  singles: number;
  /** What came after the singles, by reason. */
  counts: Map<VerifyReason, number>;
}

/**
 * Denials as the log keeps them: up to 60 a minute of each key are an entry each, the others one entry that counts them when
 * the minute is over. So who tries keys by the thousand is seen, and does not fill the log.
 */
export class DenialLog {
  readonly #deps: DenialDeps;
  readonly #minutes = new Map<string, Minute>();
  #entries: AuditAppend[] = [];

  constructor(deps: DenialDeps) {
    this.#deps = deps;
  }

  add(denial: Denial): void {
    const minute = this.#minuteOf(denial);
    if (minute.singles < denialsPerMinute && this.#entries.length < waitingMax) {
      minute.singles += 1;
      this.#entries.push(this.#entryOf(denial));
    } else {
      minute.counts.set(denial.reason, (minute.counts.get(denial.reason) ?? 0) + 1);
    }
  }

  isDue(): boolean {
    return this.#entries.length > 0 || this.#over().some(([, { counts }]) => counts.size > 0);
  }

  /** The entries to append now, which are then the caller's; with `all` also the counts of minutes that are not over. */
  take(options: { all: boolean }): AuditAppend[] {
    for (const [name] of options.all ? [...this.#minutes] : this.#over()) this.#end(name);
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  /** They could not be appended. */
  putBack(entries: readonly AuditAppend[]): void {
    this.#entries = [...entries, ...this.#entries];
  }

  #minuteOf({ key, at }: Denial): Minute {
    const name = key?.id ?? "";
    const known = this.#minutes.get(name);
    if (known !== undefined && !isOver(known, at)) return known;
    if (known !== undefined) this.#end(name);
    const begun = { key, since: at, singles: 0, counts: new Map<VerifyReason, number>() };
    this.#minutes.set(name, begun);
    return begun;
  }

  #over(): [string, Minute][] {
    const now = this.#deps.clock.now();
    return [...this.#minutes].filter(([, minute]) => isOver(minute, now));
  }

  #end(name: string): void {
    const minute = this.#minutes.get(name);
    this.#minutes.delete(name);
    if (minute !== undefined && minute.counts.size > 0) this.#entries.push(this.#countOf(minute));
  }

  #entryOf({ key, version, reason, requestId, personal }: Denial): AuditAppend {
    const given = Object.entries(personal).map(([field, value]) => [field, redactText(value)]);
    const caller = { ...this.#deps.caller };
    caller.personal = { ...caller.personal, ...Object.fromEntries(given) };
    const after = { version, reason, requestId: requestId === null ? null : redactText(requestId) };
    return this.#append({ key, after }, caller);
  }

  #countOf({ key, since, counts }: Minute): AuditAppend {
    const denied = Object.fromEntries(counts);
    const count = [...counts.values()].reduce((sum, each) => sum + each, 0);
    return this.#append({ key, after: { count, denied, since } }, this.#deps.caller);
  }

  #append(
    said: { key: KeyRecord | null; after: Record<string, string | number | null | Record<string, number>> },
    caller: Deps["caller"],
  ): AuditAppend {
    const log = this.#deps.caller.tenant.id;
    const event = { operation: "key.verify", outcome: "denied", sensitivity: "HIGH", ...said } as const;
    return auditEntry({ ...this.#deps, caller }, event, log);
  }
}

/** Also when the clock was set back: a minute must not last for as long as that. */
function isOver(minute: Minute, now: number): boolean {
  return now < minute.since || now - minute.since >= usageBatchMs;
}
