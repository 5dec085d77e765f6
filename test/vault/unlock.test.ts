import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { randomBytes } from "node:crypto";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Secret } from "../../src/core/secret.ts";
import { createEmbeddedVault } from "../../src/vault/embedded/open.ts";
import { parsePassphraseParameters } from "../../src/vault/embedded/unlock-passphrase.ts";
import { failsWith, newPlace, text } from "./new-place.ts";
import { createIn, openIn, uid } from "./vault-place.ts";
import type { VaultPlace } from "./vault-place.ts";

function permissions(path: string): number {
  return statSync(path).mode & 0o777;
}

async function makeAndClose(place: VaultPlace): Promise<string> {
  const vault = await createIn(place);
  const { reference } = await vault.secrets.put("a", text("value of a"), { tags: {} });
  await vault.close();
  return reference;
}

/** Opens and uses the vault: it is unlocked at the first use. */
async function use(place: VaultPlace, unlock = place.options.unlock): Promise<number | null> {
  const vault = await openIn(place, { unlock });
  try {
    return await vault.generation();
  } finally {
    await vault.close();
  }
}

describe("the unlock key's file", () => {
  it("is made before the vault, private like its folder, and opens the vault again", async () => {
    const place = newPlace();
    const reference = await makeAndClose(place);
    expect(readFileSync(place.keyPath, "latin1")).toMatch(/^keyctl-unlock-v1\n[A-Za-z0-9+/]{43}=\n$/);
    expect([permissions(place.keyPath), permissions(dirname(place.keyPath))]).toEqual([0o600, 0o700]);
    expect([permissions(place.path), permissions(dirname(place.path))]).toEqual([0o600, 0o700]);
    const vault = await openIn(place);
    expect((await vault.secrets.get(reference)).equals(text("value of a"))).toBe(true);
    await vault.close();
  });

  it("is never replaced: a vault that was not finished gets the key that is there", async () => {
    const place = newPlace();
    await makeAndClose(place);
    const key = readFileSync(place.keyPath);
    rmSync(place.path);
    await makeAndClose(place);
    expect(readFileSync(place.keyPath)).toEqual(key);
  });

  it("is not made anew for a vault that has lost its own", async () => {
    const place = newPlace();
    await makeAndClose(place);
    rmSync(place.keyPath);
    const vault = await createIn(place);
    await expect(vault.generation()).rejects.toMatchObject(
      failsWith("unavailable", {
        message: `the unlock key ${place.keyPath} is missing`,
        hint: expect.stringContaining("backup"),
        retryable: false,
      }),
    );
    expect(existsSync(place.keyPath)).toBe(false);
    await vault.close();
  });

  it("no vault is made when its key cannot be", async () => {
    const place = newPlace();
    writeFileSync(dirname(place.keyPath), "a file where the folder should be");
    await expect(createIn(place)).rejects.toMatchObject(failsWith("unavailable"));
    expect(existsSync(place.path)).toBe(false);
  });

  it.each([0o640, 0o604, 0o620, 0o601])("is refused with the cure when its mode is %o", async (mode) => {
    const place = newPlace();
    await makeAndClose(place);
    chmodSync(place.keyPath, mode);
    await expect(use(place)).rejects.toMatchObject(
      failsWith("refused", { hint: `chmod 600 ${place.keyPath}` }),
    );
    chmodSync(place.keyPath, 0o400);
    expect(await use(place)).toBe(1);
  });

  it("is refused when it belongs to somebody else", async () => {
    const place = newPlace();
    await makeAndClose(place);
    const keyFile = { path: place.keyPath, uid: (uid ?? 0) + 1 };
    const stranger = use(place, { ...place.options.unlock, keyFile });
    // Making it one's own would lock its owner out.
    await expect(stranger).rejects.toMatchObject(
      failsWith("refused", { hint: expect.stringMatching(`^(?!.*chown)run keyctl as user ${uid ?? 0}, `) }),
    );
  });

  it("has no permissions to look at where the system has no user ids", async () => {
    const place = newPlace();
    await makeAndClose(place);
    chmodSync(place.keyPath, 0o644);
    const keyFile = { path: place.keyPath, uid: null };
    expect(await use(place, { ...place.options.unlock, keyFile })).toBe(1);
  });

  it("may be a link to a private file", async () => {
    const place = newPlace();
    await makeAndClose(place);
    const kept = `${place.folder}/kept.key`;
    writeFileSync(kept, readFileSync(place.keyPath), { mode: 0o600 });
    rmSync(place.keyPath);
    symlinkSync(kept, place.keyPath);
    expect(await use(place)).toBe(1);
  });

  it.each([
    ["empty", ""],
    ["of a later version", `keyctl-unlock-v2\n${"A".repeat(43)}=\n`],
    ["without the magic line", `${"A".repeat(43)}=\n`],
    ["too short", `keyctl-unlock-v1\n${"A".repeat(42)}==\n`],
    ["longer than a key", `keyctl-unlock-v1\n${"A".repeat(43)}=\n\n`],
    ["in a second spelling", `keyctl-unlock-v1\n${"A".repeat(42)}B=\n`],
  ])("is refused when it is %s", async (_what, content) => {
    const place = newPlace();
    await makeAndClose(place);
    writeFileSync(place.keyPath, content);
    await expect(use(place)).rejects.toMatchObject(failsWith("integrity"));
  });

  it("is refused when it is a folder or that of another vault", async () => {
    const place = newPlace();
    await makeAndClose(place);
    writeFileSync(place.keyPath, `keyctl-unlock-v1\n${randomBytes(32).toString("base64")}\n`);
    await expect(use(place)).rejects.toMatchObject(failsWith("unauthenticated"));
    rmSync(place.keyPath);
    mkdirSync(place.keyPath, { mode: 0o700 });
    await expect(use(place)).rejects.toMatchObject(failsWith("integrity"));
  });
});

/** Answers what it is given, one after the other, and counts. */
function passphrases(...answers: string[]): { asked: () => number; read: () => Promise<Secret> } {
  let asked = 0;
  const read = async (): Promise<Secret> => {
    asked += 1;
    return await Promise.resolve(text(answers[asked - 1] ?? ""));
  };
  return { asked: () => asked, read };
}

describe("the passphrase", () => {
  it("unlocks at the first use, once per opened vault, and a wrong one says nothing but that", async () => {
    const place = newPlace();
    const making = passphrases("correct horse");
    const unlock = { ...place.options.unlock, readPassphrase: making.read };
    const made = await createEmbeddedVault({ ...place.options, unlock, method: "passphrase" });
    const { reference } = await made.secrets.put("a", text("value of a"), { tags: {} });
    await made.close();
    expect(making.asked()).toBe(1);
    expect(existsSync(place.keyPath)).toBe(false);

    const opening = passphrases("wrong horse", "correct horse");
    const vault = await openIn(place, { unlock: { ...unlock, readPassphrase: opening.read } });
    expect(vault.owns(reference)).toBe(true);
    expect(opening.asked()).toBe(0);
    const wrong = vault.secrets.get(reference);
    await expect(wrong).rejects.toMatchObject(
      failsWith("unauthenticated", { message: "the vault could not be unlocked", hint: undefined }),
    );
    const [value] = await Promise.all([vault.secrets.get(reference), vault.generation()]);
    expect(value.equals(text("value of a"))).toBe(true);
    expect(opening.asked()).toBe(2);
    await vault.close();
  });

  it.each(["", "1234567", "        \t\n   "])("is refused when it is weak: %j", async (weak) => {
    const place = newPlace();
    const unlock = { ...place.options.unlock, readPassphrase: passphrases(weak).read };
    const made = createEmbeddedVault({ ...place.options, unlock, method: "passphrase" });
    await expect(made).rejects.toMatchObject(failsWith("refused"));
    expect(existsSync(place.path)).toBe(false);
  });

  it("hostile costs are refused before anything is asked or computed", async () => {
    const place = newPlace();
    await makeAndClose(place);
    const salt = randomBytes(32).toString("base64");
    for (const n of [2 ** 40, 2 ** 21, 2 ** 17 + 1, 2 ** 16, 0, -1, 1.5]) {
      const database = new Sqlite(place.path);
      const parameters = JSON.stringify({ kdf: "scrypt", n, r: 8, p: 1, salt });
      database.prepare("UPDATE meta SET unlock_method = 'passphrase', unlock_parameters = ?").run(parameters);
      database.close();
      const asking = passphrases("correct horse");
      const unlock = { ...place.options.unlock, readPassphrase: asking.read };
      await expect(use(place, unlock)).rejects.toMatchObject(failsWith("integrity"));
      expect(asking.asked()).toBe(0);
    }
  });

  it("no other text than the stored form is taken for its parameters", () => {
    const salt = Buffer.alloc(32).toString("base64");
    const good = { kdf: "scrypt", n: 2 ** 18, r: 8, p: 1, salt };
    const bad = [
      { r: 2 ** 30 },
      { p: 2 ** 30 },
      { salt: "AAAA" },
      { salt: 1 },
      { kdf: "pbkdf2" },
      { n: "131072" },
      { q: 1 },
    ];
    expect(parsePassphraseParameters(JSON.stringify(good))).toMatchObject({ n: 2 ** 18, r: 8, p: 1 });
    for (const part of bad)
      expect(parsePassphraseParameters(JSON.stringify({ ...good, ...part }))).toBeNull();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (any) => parsePassphraseParameters(any) === null),
    );
  });
});
