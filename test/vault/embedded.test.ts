import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import type Sqlite from "better-sqlite3";
import { afterAll, describe, expect, it } from "vitest";
import { isKeyctlError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { openSqlite } from "../../src/vault/embedded/database.ts";
import { describeVaultContract } from "./contract.ts";
import { failsWith, newPlace, text } from "./new-place.ts";
import { createIn, openIn, placeIn, temporaryFolder } from "./vault-place.ts";

const folder = temporaryFolder();
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The bytes of every file below, also of the journal. */
function filesUnder(root: string): string {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1")).join("");
}

function codeOf(error: unknown): string {
  return isKeyctlError(error) ? error.code : "not a KeyctlError";
}

describeVaultContract("embedded", async () => await createIn(placeIn(folder)));

describe("the embedded vault", () => {
  it("that is not there is told with its path and the cure, and opening makes nothing", async () => {
    const place = newPlace();
    await expect(openIn(place)).rejects.toMatchObject(
      failsWith("unavailable", {
        message: `there is no vault at ${place.path}`,
        hint: expect.stringContaining("keyctl init"),
        retryable: false,
      }),
    );
    expect(existsSync(place.path)).toBe(false);
  });

  it("is made once: creating it again opens it with all it holds", async () => {
    const place = newPlace();
    const made = await createIn(place);
    const { reference } = await made.secrets.put("a", text("value of a"), { tags: {} });
    await made.close();
    const again = await createIn(place);
    expect(again.url).toBe(`embedded:${place.path}`);
    expect((await again.secrets.get(reference)).equals(text("value of a"))).toBe(true);
    await again.close();
  });

  it("owns no reference of another vault, even under the same unlock key and name", async () => {
    const [one, other] = [newPlace(), newPlace()];
    const shared = { unlock: one.options.unlock };
    const vaults = [await createIn(one), await createIn(other, shared)] as const;
    const { reference } = await vaults[0].secrets.put("a", text("value of a"), { tags: {} });
    await vaults[1].secrets.put("a", text("value of another a"), { tags: {} });
    expect(vaults.map((vault) => vault.owns(reference))).toEqual([true, false]);
    await expect(vaults[1].secrets.get(reference)).rejects.toMatchObject(failsWith("refused"));
    await Promise.all(vaults.map(async (vault) => await vault.close()));
  });

  it("says that it is closed, and may be closed twice", async () => {
    const place = newPlace();
    const vault = await createIn(place);
    const pending = vault.keys.create("kek", { type: "rsa-3072", tags: {} });
    const refused = expect(pending).rejects.toMatchObject({ name: "KeyctlError" });
    await vault.close();
    await refused;
    await expect(vault.generation()).rejects.toMatchObject(failsWith("unavailable", { retryable: false }));
    await vault.close();
  });

  it("takes 25,600 bytes and not one more", async () => {
    const vault = await createIn(newPlace());
    await vault.secrets.put("a", Secret.fromBytes(randomBytes(25_600)), { tags: {} });
    const put = vault.secrets.put("a", Secret.fromBytes(randomBytes(25_601)), { tags: {} });
    await expect(put).rejects.toMatchObject(failsWith("refused"));
    await vault.close();
  });

  it("wraps nothing new with a disabled version, and no key does another type's work", async () => {
    const { keys, ...vault } = await createIn(newPlace());
    const dek = Secret.fromBytes(randomBytes(32));
    const kek = (await keys.create("kek", { type: "rsa-3072", tags: {} })).reference;
    const signer = (await keys.create("signer", { type: "p-256", tags: {} })).reference;
    const wrapped = await keys.wrap(kek, dek);
    await expect(keys.wrap(signer, dek)).rejects.toMatchObject(failsWith("refused"));
    await expect(keys.unwrap(signer, wrapped)).rejects.toMatchObject(failsWith("refused"));
    await expect(keys.sign(kek, randomBytes(32))).rejects.toMatchObject(failsWith("refused"));
    await keys.disable(kek);
    await expect(keys.wrap(kek, dek)).rejects.toMatchObject(failsWith("refused"));
    await vault.close();
  });

  it("of two keys made at once under one name keeps one", async () => {
    const { keys, ...vault } = await createIn(newPlace());
    const make = async (): Promise<unknown> => await keys.create("key", { type: "p-256", tags: {} });
    const made = await Promise.allSettled([make(), make(), make()]);
    const refusals = made
      .filter((result) => result.status === "rejected")
      .map(({ reason }) => codeOf(reason));
    expect(refusals).toEqual(["conflict", "conflict"]);
    expect(await keys.versions("key")).toHaveLength(1);
    await vault.close();
  });

  it("has names for secrets and keys apart, and refuses what is no name", async () => {
    const { keys, secrets, ...vault } = await createIn(newPlace());
    await keys.create("a/b \u00e9", { type: "p-256", tags: {} });
    await secrets.put("a/b \u00e9", text("value of a"), { tags: {} });
    await expect(keys.create("", { type: "p-256", tags: {} })).rejects.toMatchObject(failsWith("refused"));
    await expect(secrets.put("a\nb", text("value of a"), { tags: {} })).rejects.toMatchObject(
      failsWith("refused"),
    );
    await vault.close();
  });

  it("waits for the disk at every commit, and keeps its journal apart", async () => {
    let opened: Sqlite.Database | undefined;
    const openDatabase = async (path: string): Promise<Sqlite.Database> => (opened = await openSqlite(path));
    const vault = await createIn(newPlace(), { openDatabase });
    const settings = ["synchronous", "journal_mode", "foreign_keys", "busy_timeout"];
    const values = settings.map((name) => opened?.pragma(name, { simple: true }));
    expect(values).toEqual([2, "wal", 1, 5_000]);
    await vault.close();
  });

  it("writes no plaintext to the disk and prints none", async () => {
    const place = newPlace();
    const vault = await createIn(place);
    const canary = `canary-${randomBytes(12).toString("hex")}`;
    const { reference } = await vault.secrets.put("a", text(canary), { tags: {} });
    const value = await vault.secrets.get(reference);
    expect(inspect([vault, value], { depth: 9, showHidden: true })).not.toContain(canary);
    expect(filesUnder(place.folder)).not.toContain(canary);
    await vault.close();
    expect(filesUnder(place.folder)).not.toContain(canary);
  });
});
