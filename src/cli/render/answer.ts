import { csvField, printable, printableJson } from "../foreign-text.ts";
import { isCi, isColoured } from "../io.ts";
import type { Io } from "../io.ts";
import type { Talk } from "../talk.ts";
import { formatRecord, formatTable } from "./table.ts";
import type { TableStyle } from "./table.ts";
import type { Column, Json, OutputFormat, View } from "./view.ts";

export interface ListOptions {
  /** What stderr says of a table without rows: `no keys yet`. */
  empty: string;
}

/** Writes a command's answer in the format that was asked for. */
export interface Answer {
  readonly format: OutputFormat;
  /** Rows as they come: only a table waits for all of them. Ends early when nobody reads. */
  list<Row>(view: View<Row>, rows: Iterable<Row> | AsyncIterable<Row>, options: ListOptions): Promise<void>;
  one<Row>(view: View<Row>, row: Row): Promise<void>;
  /** A JSON value whose people's form the command makes itself: `text` is printed for every format but JSON. */
  value(json: Json, text: string | ((style: TableStyle) => Promise<string>)): Promise<void>;
}

export interface AnswerOptions {
  io: Io;
  talk: Talk;
  format: OutputFormat;
  /** False when the answer goes to a file. */
  toStdout: boolean;
}

/** The answer of one call. */
export function createAnswer(options: AnswerOptions): Answer {
  const { io, talk, format } = options;
  const ci = options.toStdout && isCi(io.env);
  const colour = options.toStdout && isColoured(io.stdout, io.env);
  const columns = options.toStdout ? io.stdout.columns : null;
  // The time as of the answer: what was done meanwhile lies before it.
  const styleNow = (): TableStyle => ({ ci, colour, wide: format === "wide", now: io.now(), columns });
  const json = (value: Json, indent: number): string =>
    printableJson(JSON.stringify(value, null, indent), ci);
  return {
    format,
    list: async (view, rows, { empty }) => {
      if (format === "table" || format === "wide") {
        const all = await collected(rows);
        if (all.length === 0) talk.note(empty);
        else await talk.answer(await formatTable(view.columns, all, styleNow()));
        return;
      }
      for await (const part of serialised(view, rows, { format, json, ci })) await talk.answer(part);
    },
    one: async (view, row) => {
      if (format === "table" || format === "wide")
        await talk.answer(await formatRecord(view.columns, row, styleNow()));
      else if (format === "json") await talk.answer(`${json(view.toJson(row), 2)}\n`);
      else for await (const part of serialised(view, [row], { format, json, ci })) await talk.answer(part);
    },
    value: async (value, text) => {
      if (format === "json") await talk.answer(`${json(value, 2)}\n`);
      else if (format === "jsonl") await talk.answer(`${json(value, 0)}\n`);
      else await talk.answer(typeof text === "string" ? text : await text(styleNow()));
    },
  };
}

interface Serialiser {
  format: Exclude<OutputFormat, "table" | "wide">;
  json(value: Json, indent: number): string;
  ci: boolean;
}

async function* serialised<Row>(
  view: View<Row>,
  rows: Iterable<Row> | AsyncIterable<Row>,
  by: Serialiser,
): AsyncIterable<string> {
  let count = 0;
  if (by.format === "csv")
    yield csvLine(
      view.columns.map((column) => column.field),
      by.ci,
    );
  for await (const row of rows) {
    if (by.format === "name") yield `${printable(view.name(row), by.ci)}\n`;
    else if (by.format === "jsonl") yield `${by.json(view.toJson(row), 0)}\n`;
    else if (by.format === "csv")
      yield csvLine(
        view.columns.map((column) => csvText(column, row)),
        by.ci,
      );
    else yield `${count === 0 ? "[" : ","}\n${indented(by.json(view.toJson(row), 2))}`;
    count++;
  }
  if (by.format === "json") yield count === 0 ? "[]\n" : "\n]\n";
}

async function collected<Row>(rows: Iterable<Row> | AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function csvText<Row>(column: Column<Row>, row: Row): string {
  return column.csv === undefined ? column.text(row, 0) : column.csv(row);
}

function csvLine(fields: readonly string[], ci: boolean): string {
  return `${fields.map((field) => csvField(printable(field, ci))).join(",")}\n`;
}

function indented(text: string): string {
  return `  ${text.replaceAll("\n", "\n  ")}`;
}
