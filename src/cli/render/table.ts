import { printable } from "../foreign-text.ts";
import { fitColumns } from "./fit.ts";
import type { Column, Tone } from "./view.ts";

export interface TableStyle {
  now: number;
  colour: boolean;
  ci: boolean;
  wide: boolean;
  /** Width of the terminal that it must fit; null where there is none, and then nothing is cut. */
  columns: number | null;
}

const noLines = {
  top: "", "top-mid": "", "top-left": "", "top-right": "",
  bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "",
  left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  ",
}; // prettier-ignore

/**
 * Columns side by side without lines, as kubectl and gh have it; ends with a newline. On a terminal that is too narrow,
 * columns that say so are cut or left out; a wide table never is.
 */
export async function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: TableStyle,
): Promise<string> {
  const shown = columns.filter((column) => style.wide || column.wide !== true);
  const full = shown.map((column) => ({
    ...column,
    cells: [column.title, ...rows.map((row) => cell(column, row, style))],
  }));
  const fitted = style.columns === null || style.wide ? full : fitColumns(full, style.columns);
  const paint = await painter(style.colour);
  const head = fitted.map(({ cells: [title = ""] }) => paint("dim", title));
  const body = rows.map((row, i) =>
    fitted.map((column) => paint(column.tone?.(row) ?? null, column.cells[i + 1] ?? "")),
  );
  return await aligned(
    [head, ...body],
    fitted.map(({ align }) => align ?? "left"),
  );
}

/** One record as lines of `TITLE  value`; wide columns too when asked for. */
export async function formatRecord<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  style: TableStyle,
): Promise<string> {
  const shown = columns.filter((column) => style.wide || column.wide !== true);
  const paint = await painter(style.colour);
  const lines = shown.map((column) => [
    paint("dim", column.title.toLowerCase()),
    paint(column.tone?.(row) ?? null, cell(column, row, style)),
  ]);
  return await aligned(lines, ["left", "left"]);
}

function cell<Row>(column: Column<Row>, row: Row, style: TableStyle): string {
  return printable(column.text(row, style.now), style.ci);
}

async function aligned(lines: readonly string[][], colAligns: ("left" | "right")[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    chars: noLines,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    colAligns,
  });
  table.push(...lines);
  return `${table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

/** Loads chalk only where there is colour. */
async function painter(colour: boolean): Promise<(tone: Tone | null, text: string) => string> {
  if (!colour) return (_tone, text) => text;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  const paints = { good: chalk.green, warn: chalk.yellow, bad: chalk.red, dim: chalk.dim };
  return (tone, text) => (tone === null ? text : paints[tone](text));
}
