import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { saidInSrc } from "./said-in-src.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/troubleshooting.md", import.meta.url)), "utf8");

interface Entry {
  code: string;
  text: string;
}

/** A heading such as `## 10 unavailable` is of that code, `## Warnings` of warnings. */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    codes: (section.split("\n")[0] ?? "").replace("Warnings", "warning").match(/[a-z]+(?:-[a-z]+)*/g) ?? [],
    entries: [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text),
    ),
  }));

const entries: Entry[] = sections.flatMap(({ codes, entries: texts }) =>
  texts.map((text) => ({ code: codes.at(-1) ?? "", text })),
);

/** `…` stands for anything but nothing. */
function fits(entry: Entry, said: { code: string; text: string }): boolean {
  const pattern = entry.text
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join(".+");
  return entry.code === said.code && new RegExp(`^${pattern}$`, "u").test(said.text);
}

/** Messages of these explain themselves (`usage`, `not-found`), or are keyctl's own faults and said at once (`failure`). */
const leftOut = new Set(["usage", "not-found", "failure"]);

/** Places that pass on a text which was made elsewhere, where it is looked at. */
const passedOn = new Set([
  // Its code and text are those of the error that it wraps.
  "app/run-operation.ts",
  "cli/flags.ts",
  // The reason after `not read: PATH:` in a report of leak-scan.
  "files/read-chunks.ts",
  // Problems that a verdict tells, and whatever a session's parts warn of.
  "app/erase-audit.ts",
  "cli/commands/audit-verify.ts",
  "cli/commands/leak-scan.ts",
  "compose-session.ts",
]);

const said = saidInSrc();
const isOpaque = ({ code, text }: Entry): boolean => code === "…" || !/[a-z]/.test(text);

describe("docs/troubleshooting.md", () => {
  it("explains every error and warning that is more than a mistyped word", () => {
    const wanted = said.filter((each) => !leftOut.has(each.code) && !isOpaque(each));
    expect(wanted.length).toBeGreaterThan(200);
    expect(wanted.filter((each) => !entries.some((entry) => fits(entry, each)))).toEqual([]);
  });

  it("explains nothing that keyctl does not say", () => {
    expect(entries.filter((entry) => !said.some((each) => fits(entry, each)))).toEqual([]);
  });

  it("names no message by wildcards alone", () => {
    expect(entries.filter(({ text }) => text.replaceAll(/[^a-z]/gi, "").length < 7)).toEqual([]);
  });

  it("has a section for every exit code", () => {
    const headings = sections.flatMap(({ codes }) => codes);
    const names = Object.keys(exitCodes).filter((name) => name !== "ok");
    expect(names.filter((name) => !headings.includes(name))).toEqual([]);
  });

  it("is held against every place in src that makes an error", () => {
    const src = fileURLToPath(new URL("../../src", import.meta.url));
    const places = readdirSync(src, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(join(src, path), "utf8").split("new KeyctlError(").length - 1);
    const read = new Set(said.filter(({ code }) => code !== "warning").map(({ at }) => at));
    expect(read.size).toBe(places.reduce((sum, count) => sum + count, 0));
  });

  it("misses no message because the code that makes it could not be read", () => {
    const opaque = said.filter(isOpaque).map(({ at }) => at.replace(/:\d+$/, ""));
    expect(opaque.filter((file) => !passedOn.has(file) && file !== "cli/talk.ts")).toEqual([]);
  });
});
