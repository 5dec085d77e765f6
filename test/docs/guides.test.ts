import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { pattern, play, readGuide, streams } from "./guide.ts";
import type { Did, Part } from "./guide.ts";
import { fourKeys, workshop } from "./homes.ts";

/** Every page whose commands a reader types, with what its reader has before. */
const guides: readonly { page: string; has?: string }[] = [
  { page: "../README.md" },
  { page: "tutorial.md" },
  { page: "cookbook.md", has: workshop },
  { page: "runbooks/leaked-key.md", has: fourKeys },
  { page: "runbooks/rotate.md", has: fourKeys },
  { page: "security-practices.md", has: fourKeys },
];

describe.each(guides)("docs/$page", async ({ page, has }) => {
  const parts = await readGuide(page);
  const shown = parts.filter((part) => part.is === "shown");
  let did: Did[] = [];
  beforeAll(async () => {
    did = await play(parts, has === undefined ? {} : { has });
  }, 300_000);

  for (const { section, missing } of sections(parts)) {
    const name = missing === null ? section : `${section} (needs ${missing})`;
    it.skipIf(missing !== null)(`does what it shows: ${name}`, () => {
      for (const [number, { line, output, exit, ...part }] of shown.entries()) {
        if (part.section !== section) continue;
        const { stdout = "", stderr = "", exit: status = -1 } = did[number] ?? {};
        const all = `$ ${line}\n${stdout}${stderr}`;
        expect(status, all).toBe(exit);
        if (output === null) continue;
        const wanted = streams(output);
        expect(withEnd(stdout), all).toMatch(pattern(wanted.stdout));
        expect(withEnd(stderr), all).toMatch(pattern(wanted.stderr));
      }
    });
  }
});

describe("the tutorial on a terminal of 80 columns", () => {
  it("asks nothing, ends each command as in a pipe, and shows no table that is wider", async () => {
    const parts = await readGuide("tutorial.md");
    const shown = parts.filter((part) => part.is === "shown");
    const did = await play(parts, { columns: 80 });
    expect(did.map(({ exit }) => exit)).toEqual(shown.map(({ exit }) => exit));
    const screen = did[0]?.stdout ?? "";
    const tables = screen.split(/\r?\n/).filter((line) => /^\S.*\S {2,}\S/.test(line));
    expect(tables.length).toBeGreaterThan(50);
    // A path stays whole.
    const wide = tables.filter((line) => line.length > 80 && !/ \S*\/keyctl-tutorial\/\S+$/.test(line));
    expect(wide).toEqual([]);
  }, 300_000);
});

describe("the cookbook's files", async () => {
  const files = (await readGuide("cookbook.md")).filter((part) => part.is === "file");

  it("for systemd are units that it accepts", () => {
    const units = files.filter(({ name }) => /\.(service|timer)$/.test(name));
    expect(units.length).toBeGreaterThan(5);
    for (const { name, content } of units)
      expect(content, name).toMatch(/^(?:\[\w+\]\n(?:(?:\w+=.+|#.*)\n)+\n?)+$/);
    if (!isHere("systemd-analyze")) return;
    const folder = mkdtempSync(join(tmpdir(), "keyctl-units-"));
    try {
      for (const { name, content } of units) {
        // The programs are not installed here, and a unit whose program is missing is not accepted.
        const runnable = content.replaceAll(/\/usr\/local\/bin\/\w+/g, process.execPath);
        writeFileSync(join(folder, name), runnable);
      }
      const paths = units.map(({ name }) => join(folder, name));
      const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths], { encoding: "utf8" });
      expect(ofUnits(verified.stderr, folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("for cron have a time and a command that sh understands", () => {
    const [cron] = files.filter(({ name }) => name.endsWith(".cron"));
    const lines = cron?.content.trimEnd().split("\n") ?? [];
    expect(lines.length).toBe(2);
    for (const line of lines) {
      // An unescaped % is the end of a command for cron.
      expect(line).toMatch(/^(?:[\d*/,-]+ +){5}[^%]+$/);
      const command = line.replace(/^(?:\S+ +){5}/, "");
      expect(spawnSync("sh", ["-n", "-c", command]).status).toBe(0);
    }
  });
});

describe("comparing a page with what was printed", () => {
  it("takes `…` for what differs within a line, and alone on a line for any lines", () => {
    expect("a 12 b\n").toMatch(pattern("a … b"));
    expect("a\nx\ny\nb\n").toMatch(pattern("a\n…\nb"));
    expect("name   kind\n").toMatch(pattern("name  kind"));
  });

  it("finds what is missing, more, or different", () => {
    expect("a\n").not.toMatch(pattern("a\nb"));
    expect("a\nb\n").not.toMatch(pattern("a"));
    expect("a.b\n").not.toMatch(pattern("a+b"));
    expect("anything\n").not.toMatch(pattern(""));
  });

  it("looks for keyctl's talk on stderr, and for the rest on stdout", () => {
    expect(streams("keyctl: made\nname\n…")).toEqual({ stdout: "name\n…", stderr: "keyctl: made\n…" });
  });
});

/** A key on stdout has no newline at its end. */
function withEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** The sections that run something, with the first tool that one needs and that is not here. */
function sections(parts: readonly Part[]): { section: string; missing: string | null }[] {
  const names = new Set(parts.filter(({ is }) => is === "shown").map(({ section }) => section));
  return [...names].map((section) => {
    const typed = parts
      .filter((part) => part.section === section && part.is !== "not-run")
      .map((part) => (part.is === "shown" ? part.line : part.content))
      .join("\n");
    const tools = ["python3", "jq", "git", "npm", "sqlite3", "bash"];
    const missing = tools.find((tool) => new RegExp(`\\b${tool} `).test(typed) && !isHere(tool));
    return { section, missing: missing ?? null };
  });
}

function isHere(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}

/** systemd-analyze reads the machine's own units too; what it says of them is not ours. */
function ofUnits(said: string, folder: string): string[] {
  return said.split("\n").filter((line) => line.includes(folder) || /\b(?:keyctl|orders)\b/.test(line));
}
