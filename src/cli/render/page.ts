import type { Example } from "../command.ts";

/** What is named, and what is said of it. */
export type Row = readonly [term: string, text: string];

/** A part of a page of help. */
export type Block =
  | { kind: "text"; text: string }
  | { kind: "usage"; line: string }
  | { kind: "rows"; title: string; rows: readonly Row[]; termsWidth?: number }
  | { kind: "examples"; examples: readonly Example[] };

/** A page of help as data: the terminal, the manual and the tests read it. */
export interface Page {
  /** As `keyctl help` takes it; empty for the overview. */
  name: string;
  /** One line: lower case, no full stop. */
  summary: string;
  blocks: readonly Block[];
}

/** A pipe or a file has no width: what is readable anywhere. */
const columnsDefault = 80;
/** Longer lines are hard to read, and shorter ones hold no word beside a flag. */
const columnsMax = 100;
const columnsMin = 40;
/** A longer term stands on a line of its own. */
const termWidthMax = 26;

/** The page as text for a terminal of so many columns; null where there is none. What can be typed is never broken. */
export function formatPage(page: Page, columns: number | null): string {
  const width = Math.min(columnsMax, Math.max(columnsMin, columns ?? columnsDefault));
  const blocks = page.blocks.map((block) => formatBlock(block, width));
  return `${[sentence(page.summary, width), ...blocks].join("\n\n")}\n`;
}

function sentence(summary: string, width: number): string {
  return wrapped(`${summary[0]?.toUpperCase() ?? ""}${summary.slice(1)}.`, width).join("\n");
}

function formatBlock(block: Block, width: number): string {
  switch (block.kind) {
    case "text":
      return wrapped(block.text, width).join("\n");
    case "usage":
      return `Usage: ${block.line}`;
    case "rows":
      return [block.title, ...formatRows(block, width)].join("\n");
    case "examples":
      return [
        "Examples",
        ...block.examples.flatMap(({ does, command }) => [
          ...wrapped(does, width - 4).map((line) => `  # ${line}`),
          `  ${command}`,
        ]),
      ].join("\n");
  }
}

function formatRows(
  { rows, termsWidth }: { rows: readonly Row[]; termsWidth?: number },
  width: number,
): string[] {
  const widest = Math.max(0, ...rows.map(([term]) => term.length).filter((length) => length <= termWidthMax));
  const termWidth = Math.min(termsWidth ?? widest, Math.floor(width / 3));
  const margin = " ".repeat(termWidth + 4);
  return rows.flatMap(([term, text]) => {
    const [first = "", ...more] = wrapped(text, width - margin.length);
    const further = more.map((line) => margin + line);
    return term.length > termWidth
      ? [`  ${term}`, margin + first, ...further]
      : [`  ${term.padEnd(termWidth)}  ${first}`, ...further];
  });
}

/** Lines of at most `width` characters, broken between words; a longer word stays whole. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
