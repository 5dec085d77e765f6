import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Vault } from "../../src/app/ports.ts";
import { isKeyctlError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { failsWith, text } from "./new-place.ts";
import { createIn, openIn, placeIn, temporaryFolder } from "./vault-place.ts";

const folder = temporaryFolder();
const place = placeIn(folder);
const dek = Secret.fromBytes(randomBytes(32));
const values = new Map<string, Secret>();
let kek = "";
let wrapped: { algorithm: string; wrapped: Uint8Array };
let whole: Buffer;

beforeAll(async () => {
  const vault = await createIn(place);
  kek = (await vault.keys.create("kek", { type: "rsa-3072", tags: {} })).reference;
  wrapped = await vault.keys.wrap(kek, dek);
  for (const [name, bytes] of [
    ["small", 20],
    ["page", 4_000],
    ["large", 25_000],
  ] as const) {
    const value = Secret.fromBytes(randomBytes(bytes));
    values.set((await vault.secrets.put(name, value, { tags: { of: name } })).reference, value);
  }
  await vault.close();
  whole = readFileSync(place.path);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** True when the answer is the right one, false for a KeyctlError; everything else fails the test. */
async function isRight(work: () => Promise<boolean>): Promise<boolean> {
  try {
    expect(await work()).toBe(true);
    return true;
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    expect(["integrity", "unavailable", "unauthenticated", "refused"]).toContain(error.code);
    return false;
  }
}

async function readAll(vault: Vault): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const [reference, value] of values) {
    answers.push(await isRight(async () => (await vault.secrets.get(reference)).equals(value)));
  }
  answers.push(await isRight(async () => (await vault.keys.unwrap(kek, wrapped)).equals(dek)));
  return answers;
}

/** Which of the values a changed file still gives. */
async function readChanged(bytes: Uint8Array): Promise<boolean[]> {
  for (const ending of ["", "-wal", "-shm"]) rmSync(place.path + ending, { force: true });
  writeFileSync(place.path, bytes);
  let vault: Vault;
  try {
    vault = await openIn(place);
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    return [];
  }
  try {
    return await readAll(vault);
  } finally {
    await vault.close();
  }
}

describe("a damaged vault file", () => {
  it("gives every value when it is whole", async () => {
    expect(await readChanged(whole)).toEqual([true, true, true, true]);
  });

  it("with any bit flipped gives the right value or an error, never a wrong value", async () => {
    // Every byte of the header, then every 61st (a prime, so that all columns of the pages are met).
    const offsets = [...Array(100).keys()];
    for (let offset = 100; offset < whole.length; offset += 61) offsets.push(offset);
    let refused = 0;
    for (const offset of offsets) {
      const changed = Uint8Array.from(whole);
      changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
      const answers = await readChanged(changed);
      if (answers.length === 0 || answers.includes(false)) refused += 1;
    }
    expect(refused).toBeGreaterThan(offsets.length / 3);
  });

  it("that was cut anywhere gives the right value or an error", async () => {
    const cuts = [0, 1, 15, 16, 99, 100, 511, 4_095];
    for (let cut = 4_096; cut < whole.length; cut += 4_096) cuts.push(cut, cut + 1_000);
    for (const cut of cuts) {
      const answers = await readChanged(whole.subarray(0, cut));
      expect(answers.length === 0 || answers.includes(false)).toBe(true);
    }
  });

  it("with any bit of its journal flipped gives the right value, an error, or the state before with its generation", async () => {
    await readChanged(whole);
    const writer = await openIn(place);
    const before = await writer.generation();
    const value = text("a value that stands in the journal only");
    const { reference } = await writer.secrets.put("late", value, { tags: {} });
    const [main, journal] = [readFileSync(place.path), readFileSync(`${place.path}-wal`)];
    await writer.close();
    for (let offset = 0; offset < journal.length; offset += 89) {
      const changed = Uint8Array.from(journal);
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      for (const ending of ["", "-wal", "-shm"]) rmSync(place.path + ending, { force: true });
      writeFileSync(place.path, main);
      writeFileSync(`${place.path}-wal`, changed);
      const vault = await openIn(place);
      const late = await vault.secrets.versions("late");
      expect(await vault.generation()).toBe(Number(before) + late.length);
      if (late.length > 0) expect((await vault.secrets.get(reference)).equals(value)).toBe(true);
      expect(await readAll(vault)).toEqual([true, true, true, true]);
      await vault.close();
    }
  });

  it.each([
    ["empty", new Uint8Array(0)],
    ["text", Buffer.from("this is no database, whatever its name says\n".repeat(200))],
    ["random", randomBytes(40_960)],
  ])("that is %s is refused with the cure and without the driver's words", async (_what, bytes) => {
    for (const ending of ["", "-wal", "-shm"]) rmSync(place.path + ending, { force: true });
    writeFileSync(place.path, bytes);
    const hint: unknown = expect.stringContaining("backup");
    const message = `the vault ${place.path} is damaged or was changed by something other than keyctl`;
    await expect(openIn(place)).rejects.toMatchObject(failsWith("integrity", { hint, message }));
    await expect(createIn(place)).rejects.toMatchObject(failsWith("integrity"));
    expect(readFileSync(place.path)).toEqual(Buffer.from(bytes));
  });
});
