import type { Block, Page } from "./render/page.ts";

/** A page's place among manual pages: commands are in section 1, topics in section 7. */
export interface ManName {
  /** `keyctl-tenant-create`. */
  name: string;
  section: 1 | 7;
}

/** Where `man` finds a page of help. */
export function manName(page: Page): ManName {
  const isCommand = page.name === "" || page.blocks.some((block) => block.kind === "usage");
  const name = ["keyctl", ...page.name.split(" ")].filter((word) => word !== "").join("-");
  return { name, section: isCommand ? 1 : 7 };
}

/** The page as a manual page: roff with the macros of man(7). */
export function formatMan(page: Page, version: string): string {
  const { name, section } = manName(page);
  const usage = page.blocks.flatMap((block) => (block.kind === "usage" ? [block.line] : []));
  const rest = page.blocks.filter((block) => block.kind !== "usage");
  const firstTitle = rest.findIndex((block) => block.kind !== "text");
  const described = firstTitle === -1 ? rest : rest.slice(0, firstTitle);
  return [
    `.TH ${roff(name.toUpperCase())} ${section} "" "keyctl ${roff(version)}" "keyctl manual"`,
    // Neither stretched nor hyphenated: flags and names stay what they are.
    ".ad l",
    ".nh",
    ".SH NAME",
    `${roff(name)} \\- ${roff(page.summary)}`,
    ...usage.flatMap((line) => [".SH SYNOPSIS", ".nf", textLine(line), ".fi"]),
    ...(described.length === 0 ? [] : [".SH DESCRIPTION", ...described.flatMap(blockLines)]),
    ...rest.slice(described.length).flatMap(blockLines),
    ".SH SEE ALSO",
    seeAlso(page),
    "",
  ].join("\n");
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case "text":
      return [".PP", textLine(block.text)];
    case "usage":
      return [];
    case "rows":
      return [
        `.SH ${quoted(block.title.toUpperCase())}`,
        ...block.rows.flatMap(([term, text]) => [".TP", `\\fB${roff(term.trim())}\\fR`, textLine(text)]),
      ];
    case "examples":
      return [
        ".SH EXAMPLES",
        ...block.examples.flatMap(({ does, command }) => [
          ".PP",
          textLine(`${does}:`),
          ".PP",
          ".RS 4",
          ".nf",
          textLine(command),
          ".fi",
          ".RE",
        ]),
      ];
  }
}

function seeAlso(page: Page): string {
  const others = ["exit-codes", "formats", "environment"].filter((topic) => topic !== page.name);
  const pages = [...(page.name === "" ? [] : ["keyctl(1)"]), ...others.map((topic) => `keyctl-${topic}(7)`)];
  return roff(pages.join(", "));
}

/** A line of text that roff cannot take for a request. */
function textLine(text: string): string {
  return /^[.']/.test(text) ? `\\&${roff(text)}` : roff(text);
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${roff(text)}"`;
}

/** Characters that roff reads as something else, or sets as another: a hyphen that is typed must stay one. */
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  '"': "\\(dq",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Text as roff shows it unchanged; what is not ASCII by its code point. */
function roff(text: string): string {
  return text.replaceAll(/[\\\-"'`^~]|[^ -~]/gu, (found) => escapes[found] ?? codePoint(found));
}

function codePoint(character: string): string {
  if (/\s/.test(character)) return " ";
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `\\[u${hex}]`;
}
