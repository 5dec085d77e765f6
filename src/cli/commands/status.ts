import type { Status } from "../../app/status.ts";
import { quoted } from "../command-line.ts";
import type { CommandDefinition } from "../command.ts";
import type { Globals } from "../context.ts";
import type { Outcome } from "../exit-codes.ts";

const limitDefault = 10;

const outcomes: Readonly<Record<Status["verdict"], Outcome>> = {
  ok: "ok",
  waiting: "pending",
  broken: "integrity",
};

export const statusCommand: CommandDefinition = {
  name: "status",
  section: "Health",
  summary: "the security view: what needs attention, and the command that mends it",
  description:
    "Looks at every environment of the context's tenant, changes nothing and needs no vault. Exit 0 when all is in order; 8 when something waits: a rotation that is due (90 days, or the key's own interval), an expiry that is near or not yet written, an unusual use, an operation whose process is gone, a task for the vault, a key still accepted by its provider, late maintenance; 11 when the newest part of the log is not what was written. What is only worth a look (a rotation due soon, a grace, a value that a person saw, a key never used or not for 90 days, suspended, deleted, expired or compromised, refused attempts) does not count.",
  arguments: [],
  options: [
    {
      name: "limit",
      value: "N",
      summary: "at most so many findings of each kind, attempts and accesses",
      defaultText: String(limitDefault),
    },
  ],
  examples: [
    { command: "keyctl status", does: "what should be done, and by which command" },
    { command: "keyctl status -o json --limit 50", does: "for a monitor, with the last 50 accesses" },
    { command: "keyctl status -o jsonl", does: "one finding on each line" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { flags }) => {
    const { readStatus } = await import("../../app/status.ts");
    const { findingView, statusJson, statusText } = await import("../render/status-view.ts");
    const limit = flags.integer("limit") ?? limitDefault;
    const session = await context.session();
    const status = there(await readStatus(session, { limit }), context.globals);
    const again = (more: number): string => `keyctl status --limit ${more}${placeFlags(context.globals)}`;
    const { answer } = context;
    if (answer.format === "table" || answer.format === "wide" || answer.format === "json") {
      const text = async (style: Parameters<typeof statusText>[1]) => await statusText(status, style, again);
      await answer.value(statusJson(status), text);
    } else await answer.list(findingView, status.findings, { empty: "in order" });
    return outcomes[status.verdict];
  },
};

/** The same status with commands that work where this one looked. */
function there(status: Status, globals: Globals): Status {
  const place = placeFlags(globals);
  const findings = status.findings.map((found) => ({ ...found, command: found.command + place }));
  return { ...status, findings };
}

function placeFlags(globals: Globals): string {
  return (["profile", "store", "vault", "auth", "tenant"] as const)
    .map((name) => ({ name, value: globals[name] }))
    .filter(({ value }) => value !== null)
    .map(({ name, value }) => ` --${name} ${quoted(value ?? "")}`)
    .join("");
}
