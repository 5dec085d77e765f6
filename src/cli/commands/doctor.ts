import type { Check } from "../../app/check.ts";
import type { CommandDefinition } from "../command.ts";
import { isColoured } from "../io.ts";
import type { Io } from "../io.ts";
import { wrapped } from "../render/page.ts";
import { formatTable } from "../render/table.ts";
import type { TableStyle } from "../render/table.ts";
import type { Column, Tone } from "../render/view.ts";

export const doctorCommand: CommandDefinition = {
  name: "doctor",
  section: "Health",
  summary: "check everything that keyctl stands on, and say what mends what is not right",
  description:
    "Looks at the program, settings with their sources, files, clock, store, vault and audit log, and changes nothing. Each line is ok, warn or fail; the last two come with the cure. It works whatever is broken. Exit 0 also with warnings, 11 when a line failed.",
  arguments: [],
  options: [],
  examples: [
    { command: "keyctl doctor", does: "everything, one line each" },
    { command: "keyctl doctor -o json", does: "the same, for a monitor" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context) => {
    const { doctor } = await import("../../app/doctor.ts");
    const { io, answer } = context;
    const services = await context.services();
    const found = await doctor(await services.doctor(context.globals));
    const checks = answer.format === "wide" ? [...found, terminals(io)] : found;
    const failures = checks.filter(({ status }) => status === "fail").length;
    await answer.value(
      { ok: failures === 0, checks: checks.map((check) => ({ ...check })) },
      async (style) => `${await tableOf(checks, style)}${summary(checks)}\n`,
    );
    return failures === 0 ? "ok" : "integrity";
  },
};

/** A line of the table: of a check's first line, or of what follows below it. */
interface Row {
  check: Check | null;
  text: string;
}

const tones: Readonly<Record<Check["status"], Tone>> = { ok: "good", warn: "warn", fail: "bad" };

const columns: readonly Column<Row>[] = [
  {
    title: "STATUS",
    field: "status",
    text: ({ check }) => check?.status ?? "",
    tone: ({ check }) => (check === null ? null : tones[check.status]),
  },
  { title: "WHAT", field: "subject", text: ({ check }) => check?.subject ?? "" },
  { title: "FOUND", field: "message", text: ({ text }) => text },
];

async function tableOf(checks: readonly Check[], style: TableStyle): Promise<string> {
  const before = "STATUS  ".length + Math.max(...checks.map(({ subject }) => subject.length)) + 2;
  const width = style.columns === null || style.wide ? Infinity : style.columns - before;
  const rows = checks.flatMap((check) => {
    const cure = check.cure === null ? [] : wrapped(`→ ${check.cure}`, width);
    return [...wrapped(check.message, width), ...cure].map((text, i) => ({
      check: i === 0 ? check : null,
      text,
    }));
  });
  return await formatTable(columns, rows, style);
}

function summary(checks: readonly Check[]): string {
  const count = (status: Check["status"]): number => checks.filter((check) => check.status === status).length;
  return `${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed`;
}

/** How keyctl would talk here. */
function terminals({ stdin, stdout, stderr, env }: Io): Check {
  const kind = (stream: { isTTY: boolean }): string => (stream.isTTY ? "a terminal" : "no terminal");
  const colour = isColoured(stdout, env) ? "colour" : "no colour";
  const message = `stdin ${kind(stdin)}, stdout ${kind(stdout)}, stderr ${kind(stderr)}, ${colour}`;
  return { id: "terminals", status: "ok", subject: "terminals", message, cure: null };
}
