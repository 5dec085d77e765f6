import { describe, expect, it } from "vitest";
import { describeGuide } from "../docs/describe-guide.ts";
import { play, readGuide } from "../docs/guide.ts";
import { fourKeys, workshop } from "../docs/homes.ts";

describeGuide("cookbook.md", workshop);
describeGuide("runbooks/leaked-key.md", fourKeys);
describeGuide("runbooks/rotate.md", fourKeys);
describeGuide("security-practices.md", fourKeys);

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
