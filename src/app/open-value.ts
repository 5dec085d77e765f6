import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { Refusal } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import { findVersion } from "../core/transition.ts";
import type { KeyWithVersions } from "../core/transition.ts";
import type { Caller, Deps } from "./deps.ts";
import { attempted } from "./attempt.ts";
import { findKey } from "./find-key.ts";
import type { KeySelector } from "./find-key.ts";
import { assertOwned } from "./keyring.ts";
import { assertGenuine } from "./mac-versions.ts";
import type { StoreTransaction } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import type { AuditEvent } from "./record-audit.ts";
import { openSealed, vaultName } from "./version-value.ts";

export interface OpenValueInput {
  target: KeySelector;
  /** null: the active version. Another one only while it is accepted. */
  version: number | null;
  /** What it is opened for, as the log calls it: shown to a person, handed to a child process, or to a program. */
  operation: "key.reveal" | "key.exec" | "key.open";
}

/** A version that may be opened. */
export interface OpenableValue {
  key: KeyRecord;
  version: VersionRecord;
}

export interface OpenedValue extends OpenableValue {
  secret: Secret;
}

export type OpenDeps = Pick<
  Deps,
  "clock" | "random" | "store" | "vault" | "keyring" | "caller" | "tool" | "warn"
>;

/**
 * Which version `openValue` would open, without asking the vault. `forbidden` by role or service; `refused` for a kind
 * without a value of its own and for a version that is not accepted; `not-found`. A refusal is written to the log.
 */
export async function planOpenValue(deps: OpenDeps, input: OpenValueInput): Promise<OpenableValue> {
  return await attempted(deps, input, async () => await openable(deps, input));
}

/**
 * The value of a provider key or of a secret. Its row must be genuine, and its vault reference must point to its own object
 * in the profile's vault. The log says so before the caller gets it: what cannot be logged is not handed out. Errors as
 * `planOpenValue`; `integrity` for a row that was changed behind keyctl; `unavailable` without the vault.
 */
export async function openValue(deps: OpenDeps, input: OpenValueInput): Promise<OpenedValue> {
  return await attempted(deps, input, async () => {
    const startedAt = deps.clock.now();
    const opening: Opening = { ...(await openable(deps, input)), operation: input.operation, startedAt };
    const secret = await fetched(deps, opening);
    await deps.store.transaction(async (tx) => await recordOpening(tx, deps, opening));
    return { key: opening.key, version: opening.version, secret };
  });
}

/** A key that names its services is used by one of them only (`forbidden`); who says nothing is none of them. */
export function assertAuthorizedService(caller: Caller, key: KeyRecord): void {
  const { service } = caller;
  if (key.authorizedServices.length === 0) return;
  if (service !== null && key.authorizedServices.includes(service)) return;
  const given = service === null ? "none was named" : "the one that was given is none of them";
  throw new KeyctlError("forbidden", `${key.name} is for named services only, and ${given}`, {
    hint: `--service NAME says which service asks; keyctl show ${key.name} lists those that may`,
  });
}

async function openable(deps: OpenDeps, input: OpenValueInput): Promise<OpenableValue> {
  const found = await findKey(deps, input.target, "open");
  assertAuthorizedService(deps.caller, found.key);
  assertHasValue(found.key);
  const version = chosenVersion(found, input.version);
  assertAccepted(found.key, version, deps.clock.now());
  return { key: found.key, version };
}

interface Opening extends OpenableValue {
  operation: OpenValueInput["operation"];
  startedAt: number;
}

/** The entry, and the times of use. A revoke that came meanwhile wins: no entry after its own says that the value went out. */
async function recordOpening(tx: StoreTransaction, deps: OpenDeps, opening: Opening): Promise<void> {
  const { key, version, operation, startedAt } = opening;
  const now = await tx.keyById(key.id);
  const row = (await tx.versions(key.id)).find((candidate) => candidate.version === version.version);
  if (now === null || row === undefined) throw changedMeanwhile(key);
  assertAccepted(now, row, deps.clock.now());
  const seen = operation === "key.reveal" ? { seenAt: startedAt } : {};
  await tx.touchVersion({ keyId: key.id, version: version.version, lastUsedAt: startedAt, ...seen });
  if (version.vaultReference !== null) await tx.touchReference(version.vaultReference, startedAt);
  for (const { reference, at } of deps.keyring.takeAccessed()) await tx.touchReference(reference, at);
  await recordAudit(tx, deps, entryOf(deps, opening, "success"));
}

function entryOf(deps: OpenDeps, opening: Opening, outcome: "success" | "failure"): AuditEvent {
  const { operation, key, version, startedAt } = opening;
  const after = { version: version.version, service: deps.caller.service };
  return { operation, outcome, sensitivity: "HIGH", key, after, startedAt };
}

/** The value from where it lies. A vault that does not answer is told in the log; a refusal is told where it is caught. */
async function fetched(deps: OpenDeps, opening: Opening): Promise<Secret> {
  const { key, version } = opening;
  try {
    await assertGenuine(deps.keyring, key, [version]);
    return await heldValue(deps, key, version);
  } catch (error) {
    const isRefusal = isKeyctlError(error) && (error.code === "refused" || error.code === "integrity");
    const entry = entryOf(deps, opening, "failure");
    if (!isRefusal) await deps.store.transaction(async (tx) => await recordAudit(tx, deps, entry));
    throw error;
  }
}

/**
 * The value of a version from where it lies, `not-found` or `refused` when it is not there any more. Nothing is logged: it is
 * for what does not hand it out. Whether the row is genuine is the caller's to judge first.
 */
export async function heldValue(
  deps: Pick<OpenDeps, "random" | "keyring" | "vault" | "store">,
  key: KeyRecord,
  version: VersionRecord,
): Promise<Secret> {
  if (version.envelope !== null) {
    const wraps = await deps.store.wrappedKeys(key.id, version.version);
    return await openSealed(deps, key, { version: version.version, envelope: version.envelope, wraps });
  }
  if (version.vaultReference === null) {
    throw new KeyctlError(
      "integrity",
      `version ${version.version} of ${key.name} says nowhere where its value is`,
      {
        hint: "keyctl audit-verify --state",
      },
    );
  }
  const vault = await deps.vault();
  // With the name: a changed row must not make another object's value this key's.
  assertOwned(vault, version.vaultReference, await vaultName(deps.store, key));
  return await vault.secrets.get(version.vaultReference);
}

function assertHasValue(key: KeyRecord): void {
  if (key.kind === "issued") {
    throw new KeyctlError(
      "refused",
      `${key.name} is an issued key: keyctl keeps a digest of it, nobody holds it`,
      {
        hint: `keyctl rotate ${key.name} makes a new one and shows it once`,
      },
    );
  }
  if (key.kind === "encryption") {
    throw new KeyctlError("refused", `${key.name} is an encryption key: it never leaves the vault`, {
      hint: "the library wraps and unwraps data keys with it: dataKey and unwrap",
    });
  }
}

function chosenVersion(found: KeyWithVersions, number: number | null): VersionRecord {
  const { key } = found;
  if (number !== null) return findVersion(found, number);
  if (key.activeVersion !== null) return findVersion(found, key.activeVersion);
  const state = key.deletedAt === null ? key.state : "deleted";
  throw notOpened(`${key.name} has no active version: it is ${state}`, key, state);
}

function assertAccepted(key: KeyRecord, version: VersionRecord, now: number): void {
  const judged = judgeVersion(key, version, now);
  if (judged === "accepted") return;
  const what = `version ${version.version} of ${key.name}`;
  const why = judged === "grace-over" ? `the grace of ${what} is over` : `${what} is ${judged}`;
  throw notOpened(`${why}: it is not opened`, key, judged);
}

function notOpened(message: string, key: KeyRecord, state: Refusal): KeyctlError {
  return new KeyctlError("refused", message, { hint: cureOf(state, key.name) });
}

function cureOf(state: Refusal, name: string): string {
  if (state === "deleted") return `keyctl restore ${name}`;
  if (state === "inactive") return `keyctl resume ${name} --reason TEXT`;
  if (state === "pending") return "keyctl reconcile shows what is half done";
  if (state === "grace-over" || state === "rotated")
    return `keyctl show ${name} tells which version is active`;
  return state === "expired" ? `keyctl rotate ${name}` : `keyctl rotate ${name} --replace`;
}

function changedMeanwhile(key: KeyRecord): KeyctlError {
  return new KeyctlError(
    "conflict",
    `${key.name} was changed meanwhile by somebody else: it was not opened`,
    {
      hint: "run it again",
    },
  );
}
