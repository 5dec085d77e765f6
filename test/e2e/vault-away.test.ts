import { readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultName } from "../../src/app/version-value.ts";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";
import type { Home } from "../fakes/home.ts";
import { startChild } from "./child-process.ts";
import { copyOf, givenFiles, makeFourKeys, source, specs } from "./four-keys.ts";
import type { FourKeys } from "./four-keys.ts";
import { assertInvariants, keyNamed, withSession } from "./invariants.ts";

const minuteMs = 60_000;

let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

/** Ways in which the vault can be away; each answers what brings it back. */
const absences: Readonly<Record<string, (home: Home) => () => void>> = {
  "the vault's file is gone": (home) => movedAway(join(home.path, "vault.db")),
  "the unlock key is gone": (home) => movedAway(join(home.path, "unlock.key")),
  "the vault's file cannot be read": (home) => emptied(join(home.path, "vault.db")),
};

function movedAway(path: string): () => void {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
}

/** Not by its mode: root reads everything. */
function emptied(path: string): () => void {
  const bytes = readFileSync(path);
  truncateSync(path, 0);
  return () => writeFileSync(path, bytes);
}

async function whileAway(
  absence: string,
  work: (home: Home, back: () => void) => Promise<void>,
): Promise<void> {
  const home = await copyOf(prepared.home);
  const away = absences[absence];
  if (away === undefined) throw new Error(`no way of being away is called ${absence}`);
  try {
    await work(home, away(home));
  } finally {
    home.remove();
  }
}

const create = (kind: KeyKind): string[] => [
  "create",
  "new",
  "--kind",
  kind,
  ...specs[kind],
  ...source(kind),
];
const rotate = (kind: KeyKind): string[] => ["rotate", kind, "--yes", ...source(kind)];
const revoke = (kind: KeyKind): string[] => ["revoke", kind, "--reason", "superseded", "--yes", "-o", "json"];

/** Every version of the key with its state. */
async function statesOf(home: Home, name: string): Promise<string[]> {
  return await withSession(home, async ({ store, ...session }) => {
    const key = await keyNamed({ store, ...session }, name);
    return (await store.versions(key.id)).map(({ state }) => state);
  });
}

for (const absence of Object.keys(absences)) {
  describe(`while ${absence}`, () => {
    it("a revoke denies at once what the store enforces", async () => {
      await whileAway(absence, async (home, back) => {
        const codes = { issued: 0, provider: 8, encryption: 0 };
        for (const kind of ["issued", "provider", "encryption"] as const) {
          const ran = await home.run(revoke(kind));
          expect({ kind, code: ran.code, err: ran.err }).toEqual({ kind, code: codes[kind], err: ran.err });
          const [key] = JSON.parse(ran.out).keys;
          expect(key).toMatchObject({ state: "revoked", enforcedBy: "store", deniedAt: expect.any(String) });
        }
        back();
        for (const stdin of prepared.issued) expect((await home.run(["verify"], { stdin })).code).toBe(13);
        await home.ok(["reconcile", "--fix"]);
        await assertInvariants(home, prepared.known);
      });
    });

    it("a revoke of a secret says that it is not denied yet, and reconcile denies it when the vault is back", async () => {
      await whileAway(absence, async (home, back) => {
        const ran = await home.run(revoke("secret"));
        expect(ran.code).toBe(8);
        expect(JSON.parse(ran.out)).toMatchObject({
          keys: [{ state: "revoked", enforcedBy: "vault", deniedAt: null, effectiveAt: null }],
          denied: { done: 0, total: 1 },
          vault: { done: 0, total: 2, pending: 2 },
        });
        back();
        // After a failed attempt it waits a little before the next.
        home.now += minuteMs;
        await home.ok(["reconcile", "--fix"]);
        await withSession(home, async (session) => {
          const key = await keyNamed(session, "secret");
          const versions = await session.store.versions(key.id);
          expect(versions.every(({ deniedAt }) => deniedAt === home.now)).toBe(true);
          const held = await (await session.vault()).secrets.versions(await vaultName(session.store, key));
          expect(held.filter(({ enabled }) => enabled)).toEqual([]);
        });
        const again = await home.run(revoke("secret"));
        expect(again.code).toBe(0);
        await assertInvariants(home, prepared.known);
      });
    });

    it("create, rotate and a secret's rollback fail with one clear word, and leave nothing pending", async () => {
      await whileAway(absence, async (home, back) => {
        const expected = absence.includes("cannot be read") ? [10, 11] : [10];
        for (const argv of [
          ...keyKinds.map(create),
          ...keyKinds.map(rotate),
          ["rollback", "secret", "--yes"],
        ]) {
          const ran = await home.run(argv, { files: givenFiles });
          expect({ argv, isExpected: expected.includes(ran.code), err: ran.err }).toEqual({
            argv,
            isExpected: true,
            err: expect.stringMatching(/^(?!.*unexpected).*keyctl: error: .*\nkeyctl: hint: /s),
          });
          expect(ran.out).toBe("");
        }
        back();
        for (const kind of keyKinds) expect(await statesOf(home, kind)).toEqual(["rotated", "active"]);
        // Whether anything of them got into the vault is looked for when it answers again.
        await home.ok(["reconcile", "--fix"]);
        await assertInvariants(home, prepared.known);
        // A name whose key never became active is free.
        await home.ok(create("secret"), { files: givenFiles });
        for (const kind of keyKinds) await home.ok(rotate(kind), { files: givenFiles });
        await assertInvariants(home, prepared.known);
      });
    });
  });
}

describe("a vault that goes away in the middle of a rotation", () => {
  it("leaves a key that works as before, and nothing pending for ever", async () => {
    for (const kind of keyKinds) {
      const home = await copyOf(prepared.home);
      const child = await startChild(home, rotate(kind), "SIGKILL after record");
      await child.ended;
      const back = movedAway(join(home.path, "vault.db"));
      // Each in a process of its own: what a command took over and could not finish is free when its process ends.
      for (const argv of [["reconcile", "--fix"], rotate(kind)]) {
        const failed = await (await startChild(home, argv)).ended;
        expect({ kind, argv, code: failed.code, err: failed.err }).toEqual({
          kind,
          argv,
          code: 10,
          err: failed.err,
        });
      }
      back();
      await home.ok(["reconcile", "--fix"]);
      expect(await statesOf(home, kind)).not.toContain("pending");
      await assertInvariants(home, prepared.known);
      home.remove();
    }
  });
});
