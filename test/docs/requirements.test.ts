import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/requirements.md"), "utf8");

const rows = page
  .split("\n")
  .filter((line) => /^\| [A-Z]\d/.test(line))
  .map((line) => {
    const [id = "", , command = "", tests = "", missing = ""] = line
      .replaceAll(/^\| | \|$/g, "")
      .split(" | ");
    return { id, command, tests, missing };
  });

/** How many requirements each group has. */
const groups = { A: 12, B: 8, C: 12, D: 10, E: 12, K: 3 };

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);

describe("docs/requirements.md", () => {
  it("has each requirement once", () => {
    const ids = Object.entries(groups).flatMap(([group, count]) =>
      Array.from({ length: count }, (_, i) => `${group}${i + 1}`),
    );
    expect(rows.map(({ id }) => id)).toEqual(ids);
  });

  it("names tests that exist, and are tests", () => {
    const named = rows.flatMap(({ tests }) => quoted(tests));
    expect(named.length).toBeGreaterThan(150);
    const isTest = (path: string): boolean =>
      /^test\/.*(\.test\.ts|\.txtar|\/contract[-\w]*\.ts)$/.test(path) && existsSync(join(root, path));
    expect(named.filter((path) => !isTest(path))).toEqual([]);
  });

  it("names commands that exist", () => {
    const verbs = commands.map(({ name }) => name);
    const isCommand = (text: string): boolean =>
      /^(--|npm run |openKeyring$|[A-Z_]+$|keyctl$|help$)/.test(text) ||
      verbs.some((verb) => text === verb || text.startsWith(`${verb} `));
    const named = rows.flatMap(({ command }) => quoted(command.replaceAll(/library `[^`]+`/g, "library")));
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((text) => !isCommand(text))).toEqual([]);
  });

  it("links pages that exist", () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
    expect(links.filter((path) => !existsSync(join(root, "docs", path)))).toEqual([]);
  });

  it("says of what has no test what is missing", () => {
    expect(rows.filter(({ tests, missing }) => tests === "–" && missing === "–")).toEqual([]);
  });
});
