import { expect } from "vitest";
import { vaultName } from "../../src/app/version-value.ts";
import { stepsOf } from "../../src/core/operation.ts";
import type { OperationKind } from "../../src/core/operation.ts";
import type { KeyKind, KeyRecord } from "../../src/core/model.ts";
import type { Home } from "../fakes/home.ts";
import { startChild } from "./child-process.ts";
import type { Ended } from "./child-process.ts";
import { givenFiles, source } from "./four-keys.ts";
import { withSession } from "./invariants.ts";

export const minuteMs = 60_000;
const reason = ["--reason", "a test"];

/** Command lines on the key of a kind, which is named after it. */
export const lines = {
  rotate: (kind: KeyKind): string[] => ["rotate", kind, "--yes", ...source(kind)],
  update: (kind: KeyKind): string[] => ["update", kind, "--owner", "company"],
  suspend: (kind: KeyKind): string[] => ["suspend", kind, ...reason],
  resume: (kind: KeyKind): string[] => ["resume", kind, ...reason, "--yes"],
  delete: (kind: KeyKind): string[] => ["delete", kind, "--yes"],
  restore: (kind: KeyKind): string[] => ["restore", kind, "--yes"],
  purge: (kind: KeyKind): string[] => ["delete", kind, "--purge", "--confirm", kind],
  revoke: (kind: KeyKind): string[] => ["revoke", kind, "--reason", "superseded", "--yes"],
} as const;

/** The exit code of a command line, given values from the files of test/e2e/four-keys.ts. */
export async function codeOf(home: Home, argv: readonly string[]): Promise<number> {
  const { code, err } = await home.run(argv, { files: givenFiles });
  expect(err).not.toContain("unexpected");
  return code;
}

/** As `codeOf`, of each in turn; the key's steps back to where it was. */
export async function codesOf(home: Home, ...all: (readonly string[])[]): Promise<number[]> {
  const found: number[] = [];
  for (const argv of all) found.push(await codeOf(home, argv));
  return found;
}

/** Starts a command line, stops it at the point, does `meanwhile`, and lets it go on. */
export async function overtaken(
  home: Home,
  late: { argv: readonly string[]; at: string },
  meanwhile: () => Promise<void>,
): Promise<Ended> {
  const child = await startChild(home, late.argv, `SIGSTOP ${late.at}`);
  await child.reached;
  try {
    await meanwhile();
  } finally {
    child.go();
  }
  return await child.ended;
}

/** Where an operation on a key of the kind can hang before it points. */
export function pointsBefore(operation: OperationKind, kind: KeyKind): string[] {
  const steps = stepsOf(operation, kind).filter((step) => step !== "point");
  return ["before record", ...steps.map((step) => `after ${step}`)];
}

/** What the rows of the only key of that name say, deleted ones too. */
export async function keyState(
  home: Home,
  name: string,
): Promise<{ key: KeyRecord; states: string[] } | null> {
  return await withSession(home, async ({ store, caller }) => {
    const key = await store.keyByName({ tenantId: caller.tenant.id, env: "prod", name });
    if (key === null) return null;
    return { key, states: (await store.versions(key.id)).map(({ state }) => state) };
  });
}

/** How many versions the vault has under the key's name, and how many of them it gives. */
export async function vaultHolds(
  home: Home,
  kind: "secret" | "encryption",
): Promise<{ held: number; enabled: number }> {
  return await withSession(home, async (session) => {
    const { caller, store } = session;
    const tenantId = caller.tenant.id;
    const key = { tenantId, env: "prod", name: kind } as KeyRecord;
    const vault = await session.vault();
    const room = kind === "secret" ? vault.secrets : vault.keys;
    const versions = await room.versions(await vaultName(store, key));
    return { held: versions.length, enabled: versions.filter(({ enabled }) => enabled).length };
  });
}
