import type { OpenedValue } from "../../app/open-value.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition, CommandInput } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { idOption, nameArgument, readTarget, serviceOption } from "./target.ts";

export const revealCommand: CommandDefinition = {
  name: "reveal",
  section: "Use of keys",
  summary: "show the value of a provider key or of a secret",
  description:
    "On a terminal it asks first, and shows characters that a terminal would obey as escapes. --stdout and --out-file give the exact bytes, without a newline at the end. With -o json the field secret holds the value, in base64 where encoding says so. The log keeps who saw which version; status names what was seen since its last rotation.",
  arguments: [nameArgument],
  options: [
    idOption,
    {
      name: "version",
      value: "N",
      summary: "an earlier version, while it is accepted",
      defaultText: "active",
    },
    { name: "stdout", summary: "write the exact bytes to stdout, also into a pipe or a file" },
    serviceOption,
  ],
  examples: [
    { command: "keyctl reveal orders-db --out-file db.password", does: "into a file that only you can read" },
    { command: "keyctl reveal orders-db --stdout", does: "its exact bytes, for a pipe" },
  ],
  danger: "moderate",
  mutation: "no",
  run: async (context, input) => {
    const { openValue, planOpenValue } = await import("../../app/open-value.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const onTerminal = assertPlace(context, input);
    const service = input.flags.text("service");
    const request = {
      target: readTarget(input),
      version: input.flags.integer("version"),
      operation: "key.reveal" as const,
    };
    const session = await context.session({ make: false, ...(service === null ? {} : { service }) });
    if (onTerminal) {
      const { key, version } = await planOpenValue(session, request);
      const question = `show the value of ${keyPath(key)}, version ${version.version}, on this terminal`;
      await context.confirm({ class: "moderate", question, word: key.name, alsoAccepted: [key.id] });
    }
    await show(context, await openValue(session, request), onTerminal);
    return "ok";
  },
};

/** Where the value goes must have been said, unless a person looks at it: true for a terminal. */
function assertPlace({ answer, globals, io, lineWith }: CommandContext, { flags }: CommandInput): boolean {
  const { format } = answer;
  if (format === "csv" || format === "name")
    throw new KeyctlError("usage", `-o ${format} does not show a value`, { hint: "-o json, or no -o" });
  if (flags.on("stdout") && globals.outFile !== null)
    throw new KeyctlError("usage", "--stdout and --out-file are two places: give one of them");
  if (flags.on("stdout") || globals.outFile !== null) return false;
  const isJson = format === "json" || format === "jsonl";
  if (io.stdout.isTTY && !isJson) return true;
  throw new KeyctlError(
    "usage",
    isJson
      ? "-o json shows a value only where it was told to go"
      : "stdout is no terminal: where the value may go must be said",
    { hint: `${lineWith(["--stdout"])}, or --out-file PATH` },
  );
}

async function show(context: CommandContext, opened: OpenedValue, onTerminal: boolean): Promise<void> {
  const { deliverValue, showValue } = await import("../secret-output.ts");
  const { key, version, secret } = opened;
  if (onTerminal) {
    await showValue(context, secret);
    return;
  }
  const { id, name, kind, env } = key;
  const tenant = (await (await context.session()).store.tenants()).find((each) => each.id === key.tenantId);
  const fields = { id, name, kind, tenant: tenant?.name ?? key.tenantId, env, version: version.version };
  await deliverValue(context, secret, fields);
}
