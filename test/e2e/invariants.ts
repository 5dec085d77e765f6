import { expect } from "vitest";
import { verifyKey } from "../../src/app/verify-key.ts";
import { rowMacMatches } from "../../src/app/mac-versions.ts";
import { openSealed, vaultName } from "../../src/app/version-value.ts";
import type { Session } from "../../src/cli/context.ts";
import { judgeVersion } from "../../src/core/lifecycle.ts";
import type { KeyRecord, VersionRecord, WrappedKey } from "../../src/core/model.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Home } from "../fakes/home.ts";

/** The plaintext of a version, as the test handed it in or was given it; undefined when nobody has it. */
export type KnownValues = (key: KeyRecord, version: number) => string | undefined;

/** Runs `work` with a session on the home, and closes it. */
export async function withSession<T>(home: Home, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await home.session();
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Every key of the default tenant. */
export async function allKeys(session: Session): Promise<KeyRecord[]> {
  const { caller, clock, store } = session;
  const page = {
    tenantId: caller.tenant.id,
    env: null,
    filter: {},
    now: clock.now(),
    limit: 1000,
    after: null,
  };
  return await store.listKeys(page);
}

/** The key of that name in the default place; fails when there is none. */
export async function keyNamed(session: Session, name: string): Promise<KeyRecord> {
  const key = (await allKeys(session)).find((candidate) => candidate.name === name);
  if (key === undefined) throw new Error(`there is no key ${name}`);
  return key;
}

/** The invariants of the lifecycle, on every key of the home; `known` tells the values to try. */
export async function assertInvariants(home: Home, known: KnownValues): Promise<void> {
  await withSession(home, async (session) => {
    expect(await session.store.openOperations()).toEqual([]);
    for (const key of await allKeys(session)) await assertKey(session, key, known);
  });
  const verdict = await home.run(["audit-verify", "--state", "-o", "json"]);
  expect(JSON.parse(verdict.out)).toMatchObject({ integrity: "ok", completeness: "ok", differences: [] });
  expect(verdict.code).toBe(0);
  const left = await home.run(["reconcile", "-o", "json"]);
  expect(JSON.parse(left.out)).toMatchObject({ operations: [], queue: { due: 0 }, drift: [] });
  expect(left.code).toBe(0);
}

async function assertKey(session: Session, key: KeyRecord, known: KnownValues): Promise<void> {
  const versions = await session.store.versions(key.id);
  const active = versions.filter((version) => version.state === "active").map(({ version }) => version);
  expect(active.length).toBeLessThanOrEqual(1);
  expect(key.activeVersion).toBe(active[0] ?? null);
  // Each number was given out once, and none was skipped.
  expect(versions.map(({ version }) => version)).toEqual(
    Array.from({ length: key.lastVersion }, (_, index) => index + 1),
  );
  expect(versions.filter((version) => version.state === "pending")).toEqual([]);
  for (const version of versions) await assertVersion(session, { key, version }, known);
  if (key.kind === "secret") await assertVaultHoldsOnly(session, key, versions);
}

/** An accepted version is genuine and its value works; a denied issued key is not accepted. */
export async function assertVersion(
  session: Session,
  { key, version }: { key: KeyRecord; version: VersionRecord },
  known: KnownValues,
): Promise<void> {
  const isAccepted = judgeVersion(key, version, session.clock.now()) === "accepted";
  const value = known(key, version.version);
  if (key.kind === "issued") {
    if (value === undefined) return;
    const presented = Secret.fromUtf8(value);
    expect((await verifyKey(session, { presented, scopes: [] })).valid).toBe(isAccepted);
  } else if (isAccepted) {
    expect(await openValue(session, key, version)).toBe(value ?? "it opens");
  }
}

/** What a reader would get: only of an accepted version whose row is genuine. */
export async function openValue(session: Session, key: KeyRecord, version: VersionRecord): Promise<string> {
  expect(await rowMacMatches(session.keyring, key, version)).toBe(true);
  const vault = await session.vault();
  const wraps = await session.store.wrappedKeys(key.id, version.version);
  const reference = version.vaultReference ?? "";
  if (key.kind === "secret") return textOf(await vault.secrets.get(reference));
  if (key.kind === "provider") return textOf(await openWith(session, key, { version, wraps }));
  const probe = Secret.fromBytes(session.random.bytes(32));
  const opened = await vault.keys.unwrap(reference, await vault.keys.wrap(reference, probe));
  return opened.equals(probe) ? "it opens" : "something else";
}

/** Whether a reader would get anything: the version is accepted, its row genuine, and its value opens. */
export async function isReadable(session: Session, key: KeyRecord, version: VersionRecord): Promise<boolean> {
  if (judgeVersion(key, version, session.clock.now()) !== "accepted") return false;
  if (!(await rowMacMatches(session.keyring, key, version))) return false;
  await openValue(session, key, version);
  return true;
}

async function openWith(
  session: Session,
  key: KeyRecord,
  { version, wraps }: { version: VersionRecord; wraps: WrappedKey[] },
): Promise<Secret> {
  const envelope = version.envelope ?? new Uint8Array();
  return await openSealed(session, key, { version: version.version, envelope, wraps });
}

function textOf(secret: Secret): string {
  return new TextDecoder().decode(secret.reveal());
}

/** The vault gives nothing that our rows do not accept or hold. */
async function assertVaultHoldsOnly(
  session: Session,
  key: KeyRecord,
  versions: readonly VersionRecord[],
): Promise<void> {
  const held = new Set(
    versions
      .filter(({ state }) => state === "active" || state === "rotated" || state === "inactive")
      .map(({ vaultReference }) => vaultReference),
  );
  const room = (await session.vault()).secrets;
  const enabled = (await room.versions(await vaultName(session.store, key))).filter(({ enabled: on }) => on);
  expect(enabled.map(({ reference }) => reference).filter((reference) => !held.has(reference))).toEqual([]);
}
