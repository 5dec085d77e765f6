import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";
import { leakRules } from "../../src/leak/rules/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const page = read("docs/contributing.md");

/** Blocks that say which file they are of; `…` alone on a line leaves lines out. */
const excerpts = [...page.matchAll(/^ *```\w+ file=(\S+)\n([^]*?)^ *```$/gm)].flatMap(
  ([, path = "", block = ""]) => block.split(/^ *…\n/m).map((piece) => ({ path, piece })),
);

/** Indentation aside: a list on the page moves a block to the right. */
const flush = (text: string): string => text.replaceAll(/^ +/gm, "").trimEnd();

describe("docs/contributing.md", () => {
  it("shows what really stands in the files of its examples", () => {
    expect(excerpts.length).toBeGreaterThan(7);
    expect(excerpts.filter(({ path, piece }) => !flush(read(path)).includes(flush(piece)))).toEqual([]);
  });

  it("names files and folders that exist", () => {
    const named = [...page.matchAll(/`((?:src|test|docs|bin|\.ci)\/[^`]*)`|\]\(([^)#]+)\)/g)].map(
      ([, path, link]) => path ?? `docs/${link ?? ""}`,
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((path) => !path.includes("NNNN") && !existsSync(join(root, path)))).toEqual([]);
  });

  it("names npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...page.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it("walks through a verb that is in every list of the page", () => {
    expect(commands.map(({ name }) => name)).toContain("suspend");
    const rows = page.slice(page.indexOf("| list |"), page.indexOf("## A rule")).match(/^\| `.*$/gm) ?? [];
    const lists = rows.flatMap((row) =>
      [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path),
    );
    expect(lists).toHaveLength(10);
    expect(lists.filter((path) => !/\bsuspend/.test(read(path)))).toEqual([]);
  });

  it("walks through a rule that exists, with its proof", () => {
    const rule = leakRules.find(({ id }) => id === "groq-api-key");
    expect(rule?.proof).toBe("groq-marker");
  });
});
