import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parseArchive, runScript } from "./script.ts";

const folder = fileURLToPath(new URL("scripts", import.meta.url));
const scripts = readdirSync(folder)
  .filter((name) => name.endsWith(".txtar"))
  .toSorted();
const made: string[] = [];

function freshFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "keyctl-script-"));
  made.push(path);
  return path;
}

afterAll(() => {
  process.chdir(tmpdir());
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

describe("the command line does what the script says", () => {
  it.each(scripts)("%s", async (name) => {
    await runScript(parseArchive(readFileSync(join(folder, name), "utf8")), freshFolder());
  });
});

describe("the script runner", () => {
  const run = async (text: string): Promise<void> => await runScript(parseArchive(text), freshFolder());

  it("finds what does not hold, with the line", async () => {
    await run(
      "exec keyctl help\nstdout Usage\n! stdout Nonsense\n! stderr .\ncmp a b\ngrep x a\n! exists c\n-- a --\nx\n-- b --\nx\n",
    );
    for (const wrong of [
      "! exec keyctl help",
      "exec keyctl nonsense",
      "exec keyctl help\nstdout Nonsense",
      "exec keyctl help\n! stdout Usage",
      "exec keyctl help\nexit 1",
      "cmp a b\n-- a --\nx\n-- b --\ny\n",
      "exists nothing",
      "capture X (y)",
      "nonsense",
      "exec ls",
    ]) {
      await expect(run(wrong)).rejects.toThrow(/^line \d: /);
    }
  });
});
