export const outputFormats = ["table", "wide", "json", "jsonl", "csv", "name"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/** Colours by meaning. */
export type Tone = "good" | "warn" | "bad" | "dim";

export interface Column<Row> {
  /** Upper case, as a table's head has it. */
  title: string;
  /** camelCase, as CSV's head has it: the JSON field where there is one. */
  field: string;
  /** For people; may be relative to `now`. */
  text(row: Row, now: number): string;
  /** For CSV; `text` where it is absent. Times as ISO 8601. */
  csv?(row: Row): string;
  tone?(row: Row): Tone | null;
  /** Shown by `-o wide` and in CSV only. */
  wide?: boolean;
  /**
   * What a table does with it on a terminal that is too narrow: `cut` shortens its texts with `…`, `drop` leaves the column
   * out. Without it the column stays whole: a name or an id that the next command takes.
   */
  narrow?: "cut" | "drop";
  align?: "right";
}

/** How rows of one kind are shown in every format. */
export interface View<Row> {
  columns: readonly Column<Row>[];
  /** The contract with scripts. */
  toJson(row: Row): Json;
  /** `-o name`: what another command takes as NAME. */
  name(row: Row): string;
}
