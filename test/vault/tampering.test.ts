import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { failsWith, newPlace, text } from "./new-place.ts";
import { createIn, openIn } from "./vault-place.ts";
import type { VaultPlace } from "./vault-place.ts";

/** A closed vault with two secrets (one with two versions, the first disabled) and a deleted one. */
async function makeVault(): Promise<VaultPlace & { a: string; b: string; a2: string }> {
  const place = newPlace();
  const vault = await createIn(place);
  const a = await vault.secrets.put("a", text("value of a"), { tags: { of: "a" } });
  const b = await vault.secrets.put("b", text("value of b"), { tags: { of: "b" } });
  const a2 = await vault.secrets.put("a", text("second value of a"), { tags: {} });
  await vault.secrets.put("gone", text("value of gone"), { tags: {} });
  await vault.secrets.disable(a.reference);
  await vault.secrets.delete("gone");
  await vault.close();
  return { ...place, a: a.reference, b: b.reference, a2: a2.reference };
}

function edit(path: string, ...statements: string[]): void {
  const database = new Sqlite(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

async function generationOf(place: VaultPlace): Promise<number | null> {
  const vault = await openIn(place);
  try {
    return await vault.generation();
  } finally {
    await vault.close();
  }
}

const sealedCells = "salt, nonce, tag, sealed";
const edits: [string, ...string[]][] = [
  ["a disabled version is enabled", "UPDATE versions SET enabled = 1 WHERE enabled = 0"],
  ["a deleted name is brought back", "UPDATE objects SET deleted_at = NULL"],
  ["the generation is raised", "UPDATE meta SET generation = generation + 10"],
  ["the generation is lowered", "UPDATE meta SET generation = generation - 1"],
  ["the MAC is cut", "UPDATE meta SET mac = x'00'"],
  ["a name is changed", "UPDATE objects SET name = 'c' WHERE name = 'b'"],
  [
    "two names are swapped",
    "UPDATE objects SET name = 'x' WHERE name = 'a'",
    "UPDATE objects SET name = 'a' WHERE name = 'b'",
    "UPDATE objects SET name = 'b' WHERE name = 'x'",
  ],
  ["a type is changed", "UPDATE objects SET type = 'p-256'"],
  ["a kind is changed", "UPDATE objects SET kind = 'keys' WHERE name = 'a'"],
  ["a tag is changed", `UPDATE versions SET tags = '[["of","z"]]' WHERE version = 1`],
  ["a time is changed", "UPDATE versions SET created_at = created_at + 1"],
  ["a version number is changed", "UPDATE versions SET version = 7 WHERE version = 2"],
  ["a version is given to another name", "UPDATE versions SET object_id = 2 WHERE version = 2"],
  ["a version is removed", "DELETE FROM versions WHERE version = 2"],
  ["everything is removed", "DELETE FROM versions", "DELETE FROM objects"],
  [
    "a version is added",
    `INSERT INTO versions SELECT 99, object_id, 9, generation, 1, created_at, tags, ${sealedCells} FROM versions WHERE id = 1`,
  ],
  [
    "a version without a name is added",
    "PRAGMA foreign_keys = OFF",
    "UPDATE versions SET object_id = 77 WHERE id = 1",
  ],
  ["a cell is out of range", "UPDATE versions SET version = -1 WHERE id = 1"],
  ["an object's cell is out of range", "UPDATE objects SET deleted_at = -1"],
  ["the flag is neither on nor off", "UPDATE versions SET enabled = 2"],
  ["the creation time is out of range", "UPDATE meta SET created_at = -1"],
  ["the unlock method is unknown", "UPDATE meta SET unlock_method = 'none'"],
  ["the vault's uuid is no uuid", "UPDATE meta SET uuid = 'x'"],
  ["there is no header", "DELETE FROM meta"],
  [
    "a trigger is planted",
    "CREATE TRIGGER t AFTER UPDATE ON versions BEGIN UPDATE versions SET enabled = 1; END",
  ],
  [
    "a table is replaced by a view",
    "ALTER TABLE objects RENAME TO o",
    "CREATE VIEW objects AS SELECT * FROM o",
  ],
  ["a table is added", "CREATE TABLE more (id INTEGER)"],
  ["it is another application's file", "PRAGMA application_id = 1"],
  ["its schema version is older", "PRAGMA user_version = 0"],
];

describe("an edited vault", () => {
  it.each(edits)("is refused before anything is used when %s", async (_what, ...statements) => {
    const place = await makeVault();
    edit(place.path, ...statements);
    await expect(generationOf(place)).rejects.toMatchObject(
      failsWith("integrity", { hint: expect.stringContaining("backup") }),
    );
  });

  it("is refused also when the edit happens while it is open", async () => {
    const place = await makeVault();
    const vault = await openIn(place);
    expect((await vault.secrets.get(place.b)).equals(text("value of b"))).toBe(true);
    edit(place.path, "UPDATE versions SET enabled = 1");
    await expect(vault.secrets.get(place.b)).rejects.toMatchObject(failsWith("integrity"));
    await expect(vault.secrets.put("c", text("value of c"), { tags: {} })).rejects.toMatchObject(
      failsWith("integrity"),
    );
    await vault.close();
  });

  it("never gives out a value that was swapped with another's", async () => {
    const place = await makeVault();
    const swap = (cells: string): string[] => [
      "CREATE TEMP TABLE before AS SELECT * FROM versions",
      `UPDATE versions SET (${cells}) = (SELECT ${cells} FROM before WHERE before.id = 5 - versions.id) WHERE id IN (2, 3)`,
    ];
    edit(place.path, ...swap("salt, nonce, sealed"));
    const vault = await openIn(place);
    await expect(vault.secrets.get(place.b)).rejects.toMatchObject(failsWith("integrity"));
    await expect(vault.secrets.get(place.a2)).rejects.toMatchObject(failsWith("integrity"));
    await vault.close();
    edit(place.path, ...swap("tag"));
    await expect(generationOf(place)).rejects.toMatchObject(failsWith("integrity"));
  });

  it("is refused when a row of an older copy is put back", async () => {
    const place = newPlace();
    const vault = await createIn(place);
    const { reference } = await vault.secrets.put("a", text("value of a"), { tags: {} });
    await vault.close();
    const older = `${place.folder}/older.db`;
    copyFileSync(place.path, older);
    const again = await openIn(place);
    await again.secrets.disable(reference);
    await again.close();
    edit(place.path, `ATTACH '${older}' AS older`, "REPLACE INTO versions SELECT * FROM older.versions");
    await expect(generationOf(place)).rejects.toMatchObject(failsWith("integrity"));
  });

  it("shows a smaller generation when a whole older copy is put back", async () => {
    const place = await makeVault();
    const older = readFileSync(place.path);
    const before = await generationOf(place);
    const vault = await openIn(place);
    await vault.secrets.enable(place.a);
    expect(await vault.generation()).toBe(Number(before) + 1);
    await vault.close();
    writeFileSync(place.path, older);
    expect(await generationOf(place)).toBe(before);
  });

  it("of a newer keyctl is refused with the advice to update", async () => {
    const place = await makeVault();
    edit(place.path, "PRAGMA user_version = 2", "CREATE TABLE more (id INTEGER)");
    await expect(openIn(place)).rejects.toMatchObject(failsWith("refused", { hint: "update keyctl" }));
  });

  it("opens again as a copy that a backup tool made", async () => {
    const place = await makeVault();
    const copy = `${place.folder}/copy.db`;
    edit(place.path, `VACUUM INTO '${copy}'`);
    copyFileSync(copy, place.path);
    const vault = await openIn(place);
    expect((await vault.secrets.get(place.b)).equals(text("value of b"))).toBe(true);
    await vault.close();
  });
});
