import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import {
  FindingCollector,
  toFinding,
  type CollectedFinding,
  type ManagedFinding,
  type ScanReport,
} from "../leak/finding.ts";
import { leakRules } from "../leak/rules/index.ts";
import { Scanner } from "../leak/scanner.ts";
import type { Clock } from "./ports.ts";

/** Something to scan, or what could not be opened. A chunk may be reused by its source once the next one is asked for. */
export type ScanItem =
  | { kind: "file"; path: string; chunks: () => AsyncIterable<Uint8Array> }
  | { kind: "skipped"; path: string; reason: string };

/** A secret that was found, as the records are asked for it. */
export interface LeakCandidate {
  /** The exact bytes of the secret; not to be kept. */
  bytes: Uint8Array;
  /** Of a key in the form of our issued keys; null for everything else. */
  publicId: string | null;
}

/** The key that a leaked secret is, as the records say; `foreign` when it belongs to a tenant that is not the caller's. */
export type ManagedMatch =
  | {
      keyId: string;
      name: string;
      tenant: string;
      env: string;
      version: number;
      state: string;
      /** When the state was read, in milliseconds since the epoch. */
      asOf: number;
      owner: string;
    }
  | { foreign: true };

/** Answers whether a leaked secret is one of ours. */
export type ManagedLookup = (candidate: LeakCandidate) => Promise<ManagedMatch | null>;

export interface ScanDeps {
  clock: Clock;
  /** In the order in which findings are to be reported. */
  sources: Iterable<ScanItem> | AsyncIterable<ScanItem>;
  /** Where our own keys are looked up; null when no records can be asked. */
  managed: { from: "store" | "bundle"; find: ManagedLookup } | null;
  /** A keyed short hash of a secret, or null without a leak key. */
  fingerprint: (bytes: Uint8Array) => string | null;
  /** Told in words what went less well without ending the scan. */
  warn: (message: string) => void;
}

/**
 * Reads everything the sources give and reports each distinct secret once. A source that cannot be read to its end is listed under
 * `coverage.skipped`, and what was found in it before stays. Fails only with what is no matter of one source.
 */
export async function scanForLeaks(deps: ScanDeps): Promise<ScanReport> {
  const startedAt = deps.clock.now();
  const scanner = new Scanner({ rules: leakRules, now: startedAt });
  const collector = new FindingCollector();
  const coverage: ScanReport["coverage"] = {
    files: 0,
    bytes: 0,
    managed: deps.managed?.from ?? "none",
    skipped: [],
  };
  for await (const item of deps.sources) {
    if (item.kind === "skipped") {
      coverage.skipped.push({ path: item.path, reason: item.reason });
      continue;
    }
    const read = await scanItem(scanner, collector, item);
    coverage.bytes += read.bytes;
    if (read.reason === null) coverage.files += 1;
    else coverage.skipped.push({ path: item.path, reason: read.reason });
  }
  const lookup = new Lookup(deps);
  const findings: ScanReport["findings"] = [];
  for (const collected of collector.list()) findings.push(await lookup.complete(collected));
  if (lookup.failed) coverage.managed = "none";
  const managed = findings.filter((finding) => isOurs(finding.managed)).length;
  return {
    findings,
    coverage,
    summary: { leaks: findings.length, managed, incomplete: coverage.skipped.length > 0 },
    durationMs: Math.max(0, deps.clock.now() - startedAt),
  };
}

async function scanItem(
  scanner: Scanner,
  collector: FindingCollector,
  item: Extract<ScanItem, { kind: "file" }>,
): Promise<{ bytes: number; reason: string | null }> {
  let bytes = 0;
  let reason: string | null = null;
  scanner.start();
  try {
    for await (const chunk of item.chunks()) {
      bytes += chunk.length;
      for (const match of scanner.write(chunk)) collector.add(item.path, match);
    }
  } catch (error) {
    if (!(error instanceof KeyctlError)) throw error;
    reason = error.message;
  }
  for (const match of scanner.finish()) collector.add(item.path, match);
  return { bytes, reason: reason ?? scanner.unreadable };
}

/** Asks the records for each secret; stops asking when they cannot be reached. */
class Lookup {
  readonly #deps: ScanDeps;
  failed = false;

  constructor(deps: ScanDeps) {
    this.#deps = deps;
  }

  async complete(collected: CollectedFinding): Promise<ScanReport["findings"][number]> {
    const bytes = collected.match.secret.reveal();
    const managed = await this.#find({ bytes, publicId: collected.match.publicId });
    return toFinding(collected, { fingerprint: this.#deps.fingerprint(bytes), managed: describe(managed) });
  }

  async #find(candidate: LeakCandidate): Promise<ManagedMatch | null> {
    if (this.#deps.managed === null || this.failed) return null;
    try {
      return await this.#deps.managed.find(candidate);
    } catch (error) {
      if (!isKeyctlError(error) || error.code !== "unavailable") throw error;
      this.failed = true;
      this.#deps.warn(`our own keys were not all looked up: ${error.message}`);
      return null;
    }
  }
}

function describe(match: ManagedMatch | null): ManagedFinding | null {
  if (match === null || "foreign" in match) return match;
  return { ...match, asOf: new Date(match.asOf).toISOString(), command: stopCommand(match) };
}

/** Nothing but a destruction leaves these, and none is accepted anywhere. */
const stopped = new Set(["revoked", "compromised", "destroyed"]);

/** The command that makes a leaked version worthless; null when nothing is left to do. */
function stopCommand(match: Extract<ManagedMatch, { keyId: string }>): string | null {
  // A revoked version is revoked again on purpose: the reason raises it to compromised, so that no undo brings it back.
  if (match.state === "compromised" || match.state === "destroyed") return null;
  const name = `${match.tenant}/${match.env}/${match.name}`;
  return `keyctl revoke ${quote(name)} --version ${match.version} --reason key-compromise --yes`;
}

/** Names need no quotes; a record that was tampered with must not make a command of its own. */
function quote(word: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._/-]*$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function isOurs(managed: ManagedFinding | null): boolean {
  return managed !== null && !("foreign" in managed);
}

export type ScanOutcome = "ok" | "leaks" | "managed-leak" | "incomplete";

export interface ScanPolicy {
  /** Which findings are a failure. */
  failOn: "any" | "managed" | "none";
  /** Not to have looked up our own keys is a failure. */
  requireManaged: boolean;
}

/**
 * What the scan comes to (exit codes 0, 20, 21, 22). `managed-leak`: a key of ours that our records do not call revoked,
 * compromised or destroyed. `incomplete`: something was not read and nothing was found in the rest; also, whatever `failOn`
 * lets pass, when our keys had to be looked up and were not.
 */
export function scanOutcome(report: ScanReport, policy: ScanPolicy): ScanOutcome {
  const live = report.findings.some(
    ({ managed }) => managed !== null && !("foreign" in managed) && !stopped.has(managed.state),
  );
  if (policy.failOn !== "none" && live) return "managed-leak";
  if (policy.failOn === "any" && report.summary.leaks > 0) return "leaks";
  if (policy.requireManaged && report.coverage.managed === "none") return "incomplete";
  return report.summary.incomplete && report.summary.leaks === 0 ? "incomplete" : "ok";
}
