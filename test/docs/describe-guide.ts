import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { pattern, play, readGuide, streams } from "./guide.ts";
import type { Did, Part } from "./guide.ts";

/** One test a section of a page: every command in it does and prints what the page shows. `has` is what its reader has before. */
export function describeGuide(page: string, has?: string): void {
  describe(`docs/${page}`, async () => {
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
}

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

/** Whether a tool is on this machine. */
export function isHere(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}
