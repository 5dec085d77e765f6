import { beforeAll, describe, expect, it } from "vitest";
import { pattern, play, readGuide, streams } from "./guide.ts";
import type { Did, Part } from "./guide.ts";

/** Every page whose commands a reader types, with what its reader has before: a home, keys, a log. */
const guides: readonly { page: string; has: string }[] = [{ page: "tutorial.md", has: "" }];

describe.each(guides)("docs/$page", async ({ page, has }) => {
  const parts = await readGuide(page);
  const shown = parts.filter((part) => part.is === "shown");
  let did: Did[] = [];
  beforeAll(async () => {
    did = await play(parts, has);
  }, 240_000);

  it.each(sections(parts))("does what it shows: %s", (section) => {
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
});

/** A key on stdout has no newline at its end. */
function withEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function sections(parts: readonly Part[]): string[] {
  return [...new Set(parts.filter(({ is }) => is === "shown").map(({ section }) => section))];
}
