import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeGuide, isHere } from "./describe-guide.ts";
import { pattern, readGuide, streams } from "./guide.ts";

// The longer pages are in test/slow/guides.test.ts.
describeGuide("../README.md");
describeGuide("tutorial.md");

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

/** systemd-analyze reads the machine's own units too; what it says of them is not ours. */
function ofUnits(said: string, folder: string): string[] {
  return said.split("\n").filter((line) => line.includes(folder) || /\b(?:keyctl|orders)\b/.test(line));
}
