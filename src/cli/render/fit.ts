/** A column as far as its width matters: its cells, the head first. */
export interface FittedColumn {
  cells: readonly string[];
  /** What may be done to it where the terminal is too narrow; without it the column stays whole. */
  narrow?: "cut" | "drop";
}

const gap = 2;
const cutWidthMin = 8;
const sign = "…";

/**
 * Columns for a terminal that is `width` wide: texts are cut with `…`, widest first, then columns are left out from the
 * right, with a `…` in the head for them. What stays whole may still be too wide: the terminal breaks such lines.
 */
export function fitColumns<C extends FittedColumn>(columns: readonly C[], width: number): C[] {
  const whole = cutColumns(columns, width);
  if (totalWidth(whole) <= width) return whole;
  let kept = [...columns];
  for (;;) {
    const last = kept.findLastIndex((column) => column.narrow !== undefined);
    if (last === -1) return kept.length === columns.length ? kept : withSign(kept);
    kept = kept.toSpliced(last, 1);
    const cut = cutColumns(kept, width - gap - sign.length);
    if (totalWidth(cut) + gap + sign.length <= width) return withSign(cut);
  }
}

/** Takes from the widest text first, so that short ones stay whole. */
function cutColumns<C extends FittedColumn>(columns: readonly C[], width: number): C[] {
  const widths = columns.map(columnWidth);
  const least = columns.map(({ narrow, cells }, i) =>
    narrow === "cut" ? Math.max(cutWidthMin, textWidth(cells[0] ?? "")) : (widths[i] ?? 0),
  );
  for (let over = totalWidth(columns) - width; over > 0; over--) {
    const spare = widths.map((wide, i) => (wide > (least[i] ?? 0) ? wide : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if ((spare[widest] ?? 0) === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return columns.map((column, i) => ({
    ...column,
    cells: column.cells.map((cell) => cutText(cell, widths[i] ?? 0)),
  }));
}

/** The `…` stands behind the last title, where the columns are missing. */
function withSign<C extends FittedColumn>(columns: readonly C[]): C[] {
  return columns.map((column, i) => {
    if (i < columns.length - 1) return column;
    const [head = "", ...cells] = column.cells;
    return { ...column, cells: [`${head}${" ".repeat(gap)}${sign}`, ...cells] };
  });
}

function totalWidth(columns: readonly FittedColumn[]): number {
  return columns.reduce((sum, column) => sum + columnWidth(column), gap * Math.max(0, columns.length - 1));
}

function columnWidth({ cells }: FittedColumn): number {
  return Math.max(0, ...cells.map(textWidth));
}

function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  for (const character of text) {
    if (textWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return kept + sign;
}

/** Columns that a terminal needs: East Asian wide characters and emoji take two, combining marks none. */
function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}|\p{Me}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
