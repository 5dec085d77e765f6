import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatHelp } from "../../src/cli/help.ts";
import { allPages } from "../../src/cli/help-pages.ts";
import { helpTopics } from "../../src/cli/help-topics.ts";
import { formatMan, manName } from "../../src/cli/man.ts";
import { formatPage } from "../../src/cli/render/page.ts";
import type { Page } from "../../src/cli/render/page.ts";
import { commands } from "../../src/cli/tree.ts";

const pages = allPages(commands);
const pageTable = pages.map((page): [string, Page] => [page.name === "" ? "the overview" : page.name, page]);

/** Lines that can be typed: they stay whole, however long they are. */
function typedLines(page: Page): string[] {
  return page.blocks.flatMap((block) => {
    if (block.kind === "usage") return [`Usage: ${block.line}`];
    return block.kind === "examples" ? block.examples.map(({ command }) => `  ${command}`) : [];
  });
}

describe("help", () => {
  it.each(pageTable)("of %s fits the terminal, whatever its width", (_name, page) => {
    const typed = typedLines(page);
    for (const columns of [40, 60, 80, 100]) {
      for (const line of formatPage(page, columns).split("\n")) {
        // A single word that is longer than its column cannot be broken.
        const isOneWord = !/\S\s+\S/.test(line.trim().replace(/^\S+ {2,}/, ""));
        if (!typed.includes(line) && !isOneWord) expect(line.length, line).toBeLessThanOrEqual(columns);
      }
    }
  });

  it.each(pageTable)(
    "of %s is at most 80 columns wide in a pipe, and 100 on a wide screen",
    (_name, page) => {
      expect(formatPage(page, null)).toBe(formatPage(page, 80));
      expect(formatPage(page, 500)).toBe(formatPage(page, 100));
    },
  );

  it("says the same at every width", () => {
    const words = (text: string): string => text.replaceAll(/[\s#]+/g, " ");
    for (const page of pages) expect(words(formatPage(page, 40))).toBe(words(formatPage(page, 100)));
  });

  it("has no line that ends in a blank", () => {
    for (const page of pages) expect(formatPage(page, 80)).not.toMatch(/ $/m);
  });
});

/** Everything in src that names a variable of the environment. */
function variablesRead(): { names: Set<string>; text: string; computed: string[] } {
  const folder = fileURLToPath(new URL("../../src", import.meta.url));
  const names = new Set<string>();
  const computed: string[] = [];
  let all = "";
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!file.endsWith(".ts") || file.endsWith("help-topics.ts")) continue;
    const text = readFileSync(join(folder, file), "utf8").replaceAll(/startsWith\("[^"]*"\)/g, "");
    all += text;
    for (const [, name = ""] of text.matchAll(/\benv(?:ironment)?\[\s*"(\w+)"\s*\]/g)) names.add(name);
    for (const [, name = ""] of text.matchAll(/\b((?:KEYCTL|XDG)_[A-Z_]*[A-Z])\b/g)) names.add(name);
    if (/\benv(?:ironment)?\[\s*[^"\s]/.test(text)) computed.push(file);
  }
  return { names, text: all, computed };
}

describe("keyctl help environment", () => {
  const page = helpTopics.find(({ name }) => name === "environment");
  const told = (page?.blocks ?? []).flatMap((block) =>
    block.kind === "rows" ? block.rows.map(([name]) => name) : [],
  );
  const { names, text, computed } = variablesRead();
  const ofSettings = ["PROFILE", "STORE", "VAULT", "AUTH", "TENANT", "ENV", "NAMING"].map(
    (name) => `KEYCTL_${name}`,
  );

  it("names every variable that the program reads", () => {
    expect([...names].filter((name) => !told.includes(name))).toEqual([]);
  });

  it("names none that the program does not read", () => {
    const isRead = (name: string): boolean => ofSettings.includes(name) || text.includes(`"${name}"`);
    expect(told.filter((name) => !isRead(name))).toEqual([]);
    expect(told).toEqual([...new Set(told)]);
  });

  it("knows each place that computes a variable's name", () => {
    // What doctor knows; marks of a CI; the XDG folders; the flags with KEYCTL_ before them. A new place: on the page, then here.
    expect(computed).toEqual([
      "app/check-environment.ts",
      "cli/io.ts",
      "compose-doctor.ts",
      "config/places.ts",
      "config/settings.ts",
    ]);
  });

  it("names every KEYCTL_ variable that doctor takes for known, and no other", () => {
    const source = readFileSync(new URL("../../src/app/check-environment.ts", import.meta.url), "utf8");
    const known = [...source.matchAll(/^ {2}"(KEYCTL_\w+)",$/gm)].map(([, name = ""]) => name);
    expect(known.toSorted()).toEqual(told.filter((name) => name.startsWith("KEYCTL_")).toSorted());
  });

  it("is what docs/configuration.md says too", () => {
    const docs = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const shortened = (name: string): string => name.replace("KEYCTL", "");
    expect(
      told.filter((name) => !docs.includes(`\`${name}\``) && !docs.includes(`\`${shortened(name)}\``)),
    ).toEqual([]);
  });
});

describe("a manual page", () => {
  const tools = [
    { tool: "groff", argv: ["-man", "-Tutf8", "-ww", "-z"] },
    { tool: "mandoc", argv: ["-Tlint", "-Wwarning"] },
  ].filter(({ tool }) => spawnSync(tool, ["--version"]).error === undefined);
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "keyctl-man-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(pageTable)("of %s has its parts, in roff that nothing complains about", (_name, page) => {
    const { name, section } = manName(page);
    const roff = formatMan(page, "1.2.3");
    expect(roff).toMatch(/^\.TH [A-Z\\-]+ [17] "" "keyctl 1\.2\.3" "keyctl manual"\n/);
    expect(roff).toContain(`.SH NAME\n${name.replaceAll("-", "\\-")} \\- `);
    expect(roff.includes(".SH SYNOPSIS")).toBe(section === 1);
    expect(roff.includes(".SH EXAMPLES")).toBe(page.blocks.some((block) => block.kind === "examples"));
    // Requests are ours alone, and every backslash begins an escape that we know.
    expect(roff.replaceAll(/^\.(?:TH|SH|PP|TP|RS|RE|nf|fi|ad|nh)\b/gm, "")).not.toMatch(/^[.']/m);
    expect(roff.replaceAll(/\\(?:[-e&]|f[BR]|\((?:dq|aq|ga|ha|ti)|\[u[0-9A-F]{4,6}\])/g, "")).not.toContain(
      "\\",
    );
    expect(roff).toMatch(/^[\n -~]*$/);
    const path = join(folder, `${name}.${section}`);
    writeFileSync(path, roff);
    for (const { tool, argv } of tools) {
      const ran = spawnSync(tool, [...argv, path], { encoding: "utf8" });
      expect([tool, ran.status, ran.stdout, ran.stderr]).toEqual([tool, 0, "", ""]);
    }
  });

  it("shows any text as it is", () => {
    const groff = tools.find(({ tool }) => tool === "groff");
    const shown = (text: string): string | null => {
      const roff = formatMan({ name: "x", summary: "s", blocks: [{ kind: "text", text }] }, "1");
      expect(
        roff.split("\n").filter((line) => /^[.']/.test(line) && !/^\.[A-Z]{2}|^\.(?:ad|nh)/.test(line)),
      ).toEqual([]);
      if (groff === undefined) return null;
      const ran = spawnSync("groff", ["-man", "-Tutf8", "-P-cbou", "-rLL=2000n"], {
        input: roff,
        encoding: "utf8",
      });
      expect([ran.status, ran.stderr]).toEqual([0, ""]);
      return ran.stdout;
    };
    for (const text of [
      ".SH EVIL",
      "'br",
      "\\fBx\\n(.z",
      "--flag -x 'a' \"b\" `c` ^d ~e",
      "… é → 🗝",
      "a\\",
    ]) {
      const screen = shown(text);
      if (screen !== null) expect(screen).toContain(text);
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const roff = formatMan({ name: "x", summary: "s", blocks: [{ kind: "text", text }] }, "1");
        expect(roff).toMatch(/^[\n -~]*$/);
        expect(roff.split("\n")).toHaveLength(11);
      }),
    );
  });

  it("is printed by help --man, for a verb, a group and a topic", () => {
    const man = (topic: string | null): string =>
      formatHelp({ topic, man: true, columns: 80, version: "1" }, commands);
    expect(man(null)).toContain(".TH KEYCTL 1 ");
    expect(man("rotate")).toContain(".TH KEYCTL\\-ROTATE 1 ");
    expect(man("formats")).toContain(".TH KEYCTL\\-FORMATS 7 ");
  });
});
