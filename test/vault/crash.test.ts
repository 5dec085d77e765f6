import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Vault } from "../../src/app/ports.ts";
import { failsWith, newPlace, text } from "./new-place.ts";
import { createIn, openIn, uid } from "./vault-place.ts";
import type { VaultPlace } from "./vault-place.ts";

const child = fileURLToPath(new URL("child.ts", import.meta.url));

/** Runs a child; answers what it said and how it ended. `killAfter` says from the lines so far when to SIGKILL it. */
async function run(
  place: VaultPlace,
  args: string[],
  killAfter: (lines: string[]) => boolean = () => false,
): Promise<{ lines: string[]; code: number | null }> {
  const started = spawn(process.execPath, [child, place.folder, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface({ input: started.stdout }).on("line", (line) => {
    lines.push(line);
    if (killAfter(lines)) started.kill("SIGKILL");
  });
  await once(started, "close");
  return { lines, code: started.exitCode };
}

async function expectAcknowledged(vault: Vault, lines: string[]): Promise<void> {
  for (const line of lines) {
    const [reference = "", value = ""] = line.split("\t");
    expect((await vault.secrets.get(reference)).equals(text(value))).toBe(true);
  }
}

describe("several processes", () => {
  it("make exactly one vault when they create it at once", async () => {
    const place = newPlace();
    const children = await Promise.all([1, 2, 3, 4].map(async () => await run(place, ["create"])));
    expect(children.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const references = children.map(({ lines }) => lines[0] ?? "");
    const vault = await openIn(place);
    expect(references.every((reference) => vault.owns(reference))).toBe(true);
    expect(new Set(references).size).toBe(4);
    expect(await vault.generation()).toBe(4);
    expect(readdirSync(dirname(place.path)).filter((name) => name.endsWith(".new"))).toEqual([]);
    await vault.close();
  });

  it("write at once without losing or mixing anything", async () => {
    const place = newPlace();
    const writes = [
      ["write", "left", "40"],
      ["write", "right", "40"],
      ["write", "left", "40"],
    ];
    const children = await Promise.all(writes.map(async (args) => await run(place, args)));
    expect(children.map(({ lines, code }) => [lines.length, code])).toEqual([
      [40, 0],
      [40, 0],
      [40, 0],
    ]);
    const vault = await openIn(place);
    for (const { lines } of children) await expectAcknowledged(vault, lines);
    expect(await vault.secrets.versions("left")).toHaveLength(80);
    expect(await vault.generation()).toBe(120);
    await vault.close();
  });

  it("see each other's writes at once", async () => {
    const place = newPlace();
    const [one, two] = [await createIn(place), await openIn(place)];
    const { reference } = await one.secrets.put("a", text("value of a"), { tags: {} });
    expect((await two.secrets.get(reference)).equals(text("value of a"))).toBe(true);
    await two.secrets.disable(reference);
    await expect(one.secrets.get(reference)).rejects.toMatchObject(failsWith("refused"));
    expect(await one.generation()).toBe(2);
    await Promise.all([one.close(), two.close()]);
  });
});

describe("kill -9", () => {
  it("in the middle of writing loses nothing that was acknowledged", async () => {
    const place = newPlace();
    const said: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { lines, code } = await run(
        place,
        ["write", "a", "100000"],
        ({ length }) => length > 3 + round * 7,
      );
      expect(code).toBeNull();
      said.push(...lines);
    }
    const vault = await openIn(place);
    await expectAcknowledged(vault, said);
    const { length } = await vault.secrets.versions("a");
    expect(length).toBeGreaterThanOrEqual(said.length);
    expect(await vault.generation()).toBe(length);
    await vault.close();
  });

  it("at any step of making the vault leaves none or a whole one, and never a vault without its key", async () => {
    const first = newPlace();
    const { lines } = await run(first, ["die", "0"]);
    const steps = Number(lines[0]);
    expect(steps).toBeGreaterThan(20);
    const places = Array.from({ length: steps }, () => newPlace());
    const whole: boolean[] = [];
    const dieAt = async (place: VaultPlace, step: number): Promise<void> => {
      const { code } = await run(place, ["die", String(step)]);
      expect(code).toBeNull();
      whole[step - 1] = existsSync(place.path);
      if (existsSync(place.path)) expect(existsSync(place.keyPath)).toBe(true);
      const vault = await (existsSync(place.path) ? openIn(place) : createIn(place));
      expect(await vault.generation()).toBe(0);
      await vault.secrets.put("a", text("value of a"), { tags: {} });
      await vault.close();
    };
    const queue = places.entries();
    const worker = async (): Promise<void> => {
      for (const [index, place] of queue) await dieAt(place, index + 1);
    };
    await Promise.all([worker(), worker()]);
    expect(new Set(whole)).toEqual(new Set([false, true]));
  });
});

/** Opens the file with room for so many pages and no more, as a full disk would. */
function withPages(pages: number): (path: string) => Promise<Sqlite.Database> {
  return async (path) => {
    const database = new Sqlite(path, { fileMustExist: true });
    database.pragma(`max_page_count = ${pages}`);
    return await Promise.resolve(database);
  };
}

describe("a place that cannot be written", () => {
  it("a full disk refuses the write, changes nothing, and everything before stays readable", async () => {
    const place = newPlace();
    const made = await createIn(place);
    const { reference } = await made.secrets.put("a", text("value of a"), { tags: {} });
    await made.close();
    const full = await openIn(place, { openDatabase: withPages(1) });
    const before = await full.generation();
    const put = full.secrets.put("b", text("b".repeat(25_000)), { tags: {} });
    const message: unknown = expect.stringContaining("no space");
    await expect(put).rejects.toMatchObject(failsWith("unavailable", { message, retryable: false }));
    expect(await full.generation()).toBe(before);
    expect(await full.secrets.versions("b")).toEqual([]);
    expect((await full.secrets.get(reference)).equals(text("value of a"))).toBe(true);
    await full.close();
    const vault = await openIn(place);
    await vault.secrets.put("b", text("b".repeat(25_000)), { tags: {} });
    await vault.close();
  });

  it("a full disk while the vault is made leaves no vault", async () => {
    const place = newPlace();
    const making = createIn(place, { openDatabase: withPages(3) });
    await expect(making).rejects.toMatchObject(failsWith("unavailable"));
    expect(readdirSync(dirname(place.path))).toEqual([]);
  });

  it("a vault that is locked for too long says so, and may be tried again", async () => {
    const place = newPlace();
    const made = await createIn(place);
    await made.close();
    const other = new Sqlite(place.path);
    other.exec("BEGIN IMMEDIATE");
    const openDatabase = async (path: string): Promise<Sqlite.Database> =>
      await Promise.resolve(new Sqlite(path, { timeout: 20 }));
    const vault = await openIn(place, { openDatabase });
    const put = vault.secrets.put("a", text("value of a"), { tags: {} });
    await expect(put).rejects.toMatchObject(failsWith("unavailable", { retryable: true }));
    other.exec("ROLLBACK");
    other.close();
    await vault.secrets.put("a", text("value of a"), { tags: {} });
    await vault.close();
  });

  it("a read-only vault can be read and says that it cannot be written", async () => {
    const place = newPlace();
    const made = await createIn(place);
    const { reference } = await made.secrets.put("a", text("value of a"), { tags: {} });
    const openDatabase = async (path: string): Promise<Sqlite.Database> =>
      await Promise.resolve(new Sqlite(path, { readonly: true }));
    const vault = await openIn(place, { openDatabase });
    expect((await vault.secrets.get(reference)).equals(text("value of a"))).toBe(true);
    await expect(vault.secrets.disable(reference)).rejects.toMatchObject(
      failsWith("unavailable", { retryable: false }),
    );
    await Promise.all([vault.close(), made.close()]);
  });

  it("a home that is a file, or has a folder where the vault should be, is named", async () => {
    const place = newPlace();
    writeFileSync(dirname(place.path), "a file where the folder should be");
    await expect(createIn(place)).rejects.toMatchObject(failsWith("unavailable"));
    rmSync(dirname(place.path));
    mkdirSync(place.path, { recursive: true });
    await expect(openIn(place)).rejects.toMatchObject(failsWith("unavailable"));
    await expect(createIn(place)).rejects.toMatchObject(failsWith("unavailable"));
  });

  if (uid === 0) console.log("skipped: a folder without write permission (needs a user other than root)");
  it.runIf(uid !== 0)("a folder without write permission is named", async () => {
    const place = newPlace();
    mkdirSync(dirname(place.path), { mode: 0o500 });
    await expect(createIn(place)).rejects.toMatchObject(failsWith("unavailable", { retryable: false }));
    chmodSync(dirname(place.path), 0o700);
  });
});
