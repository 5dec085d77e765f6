import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { allPages } from "../../src/cli/help-pages.ts";
import { commands } from "../../src/cli/tree.ts";
import { onTerminal } from "./terminal.ts";

const columns = 80;
const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const streams = fileURLToPath(new URL("../../src/cli/process-io.ts", import.meta.url));
let folder = "";
let script = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keyctl-narrow-"));
  mkdirSync(join(folder, "home"));
  script = join(folder, "all.mjs");
  // Many command lines in one process, on its real streams.
  writeFileSync(
    script,
    `const [{ runMain }, { processIo }] = [await import("${main}"), await import("${streams}")];
    const io = processIo(process);
    for (const line of process.argv.slice(2)) {
      console.log("% " + line);
      await runMain(line.split(" "), io);
    }
    process.exit();`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What stands on a terminal of 80 columns, by command line. */
async function screens(lines: readonly string[]): Promise<Map<string, string[]>> {
  const { text } = await onTerminal(lines, { home: join(folder, "home"), script, columns });
  const parts = text.replaceAll("\r", "").split(/^% /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.split("\n").slice(1)]));
}

it("every page of help fits a terminal of 80 columns; only what can be typed is longer", async () => {
  const pages = allPages(commands);
  const shown = await screens(pages.map(({ name }) => `help ${name}`.trim()));
  for (const page of pages) {
    const typed = page.blocks.flatMap((block) =>
      block.kind === "examples" ? block.examples.map(({ command }) => `  ${command}`) : [],
    );
    const lines = shown.get(`help ${page.name}`.trim()) ?? [];
    expect(lines.length, page.name).toBeGreaterThan(5);
    expect(lines.filter((line) => line.length > columns && !typed.includes(line))).toEqual([]);
  }
});

it("tables fit too, with every name whole", async () => {
  const names = ["payments-eu-settlement", "orders-database-primary", "x"];
  const made = names.map(
    (name) => `create ${name} --owner user:somebody-with-a-rather-long-name@example.org --expires 90d`,
  );
  const reads = ["list", `show ${names[0]}`, "audit-list", "tenant list", "actor list", "profile list"];
  const shown = await screens([...made, ...reads, "list -o wide"]);
  for (const line of reads) {
    const screen = shown.get(line) ?? [];
    expect(screen.length, line).toBeGreaterThan(1);
    expect(
      screen.filter((row) => row.length > columns),
      line,
    ).toEqual([]);
  }
  const list = (shown.get("list") ?? []).join("\n");
  for (const name of names) expect(list).toContain(`prod/${name} `);
  expect(list).toContain("…");
  expect((shown.get("list -o wide") ?? []).join("\n")).toContain(
    "somebody-with-a-rather-long-name@example.org",
  );
});
