import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { allOptions } from "../../src/cli/global-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { commands } from "../../src/cli/tree.ts";
import { generatedPages } from "./generated-pages.ts";

describe("the generated pages", () => {
  it.each(generatedPages().map(({ path, text }) => ({ page: basename(path), path, text })))(
    "$page is what the command tree says (else: npm run docs)",
    ({ path, text }) => {
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );
});

describe("every command", () => {
  it.each(commands.map((command) => ({ name: command.name, command })))(
    "$name has two examples that parse, and no flag twice",
    ({ command }) => {
      expect(command.examples.length).toBeGreaterThanOrEqual(2);
      const names = allOptions(command).map((option) => option.name);
      expect(new Set(names).size).toBe(names.length);
      for (const example of command.examples) {
        const [, call = ""] = /(?:^|\| )(?:\w+=\S+ )*keyctl ([^|>]*)/.exec(example.command) ?? [];
        const argv = [...call.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
        const withoutInput = argv.includes("<") ? argv.slice(0, argv.indexOf("<")) : argv;
        expect(parseCommandLine(withoutInput, commands)).toMatchObject({
          kind: "run",
          command: { name: command.name },
        });
      }
    },
  );

  it("has a summary that begins in lower case and ends without a full stop", () => {
    for (const { summary } of commands) expect(summary).toMatch(/^[a-z].*[^.]$/);
  });
});
