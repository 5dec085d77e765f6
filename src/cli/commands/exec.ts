import type { OpenedVariable, PlannedVariable, VariableRequest } from "../../app/open-variables.ts";
import type { ProgramCall, ProgramEnd } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import { secretText } from "../../core/secret-text.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { ProgramStatus } from "../exit-codes.ts";
import type { Flags } from "../flags.ts";
import type { Environment } from "../io.ts";
import type { View } from "../render/view.ts";
import { readPath, serviceOption } from "./target.ts";

/** As env, nohup and timeout have it (POSIX for 126 and 127). */
const ownFailure = 125;

export const execCommand: CommandDefinition = {
  name: "exec",
  section: "Use of keys",
  summary: "run a program with keys in its environment, and mask them in its output",
  description:
    "All values are opened before the program starts; if one cannot be, it does not start. It gets keyctl's stdin and signals, and its exit status is keyctl's: 128+n after signal n, 125 when keyctl itself failed, 126 when the program cannot be run, 127 when there is none. In what it prints each value is replaced by [redacted], also in base64, hex, URL and JSON form, and each line of a value of many lines. That is a net for accidents and no more: a program that means to can print a value in another form. Output that may be the beginning of a value waits for what follows. For programs that need a terminal: --no-masking.",
  arguments: [
    {
      name: "COMMAND",
      summary: "the program and its arguments",
      required: true,
      variadic: true,
      verbatim: true,
    },
  ],
  options: [
    {
      name: "variable",
      short: "e",
      value: "VAR=NAME",
      completes: "variable",
      repeatable: true,
      summary: "the environment variable VAR holds the value of the key NAME",
    },
    serviceOption,
    {
      name: "no-masking",
      summary: "the program writes to keyctl's own stdout and stderr, as a terminal needs it",
    },
    { name: "dry-run", summary: "show which versions would be opened, and do nothing" },
  ],
  examples: [
    {
      command: "keyctl exec -e DB_PASSWORD=orders-db -- ./deploy.sh --to production",
      does: "the program finds the password in DB_PASSWORD",
    },
    {
      command: "keyctl exec -e PGPASSWORD=orders-db --no-masking -- psql -h db.example.com",
      does: "a program that a person talks to",
    },
  ],
  danger: "mild",
  mutation: "no",
  ownFailure,
  run: async (context, { args, flags }) => {
    const { openVariables, planVariables } = await import("../../app/open-variables.ts");
    if (context.globals.outFile !== null)
      throw new KeyctlError("usage", "exec has no --out-file: what the program prints is its own", {
        hint: "the shell's > FILE takes it",
      });
    const requests = readVariables(flags);
    const service = flags.text("service");
    const session = await context.session({ make: false, ...(service === null ? {} : { service }) });
    if (context.globals.dryRun) {
      await context.answer.list(plannedView, await planVariables(session, requests), { empty: "nothing" });
      return "ok";
    }
    const opened = await openVariables(session, requests);
    // The program may run for long: store and vault need not be open, nor their keys in memory.
    await session.close();
    return await runWith(context, opened, { args, masks: !flags.on("no-masking") });
  },
};

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Nothing of a wrong one is repeated: `-e TOKEN=the-value-itself` is an easy mistake. */
function readVariables(flags: Flags): VariableRequest[] {
  const requests = flags.list("variable").map((text) => {
    const cut = text.indexOf("=");
    const variable = text.slice(0, Math.max(cut, 0));
    const path = text.slice(cut + 1);
    if (cut < 1 || path.trim() === "" || !variableName.test(variable)) {
      throw new KeyctlError("usage", "-e takes VAR=NAME: a variable's name, and the name of a key", {
        hint: "for example -e DB_PASSWORD=orders-db",
      });
    }
    return { variable, target: { path: readPath(path, flags) } };
  });
  const names = new Set(requests.map(({ variable }) => variable));
  if (requests.length === 0)
    throw new KeyctlError("usage", "which keys: -e VAR=NAME is missing", {
      hint: "for example -e DB_PASSWORD=orders-db",
    });
  if (names.size < requests.length) throw new KeyctlError("usage", "-e names the same variable twice");
  return requests;
}

const plannedView: View<PlannedVariable> = {
  columns: [
    { title: "VARIABLE", field: "variable", text: ({ variable }) => variable },
    { title: "KEY", field: "key", text: ({ key }) => `${key.env}/${key.name}` },
    { title: "VERSION", field: "version", text: ({ version }) => String(version.version), align: "right" },
  ],
  toJson: ({ variable, key, version }) => ({
    variable,
    keyId: key.id,
    name: key.name,
    env: key.env,
    kind: key.kind,
    version: version.version,
  }),
  name: ({ key }) => `${key.env}/${key.name}`,
};

async function runWith(
  context: CommandContext,
  opened: readonly OpenedVariable[],
  how: { args: readonly string[]; masks: boolean },
): Promise<ProgramStatus> {
  const { io, talk } = context;
  const { programs } = await context.services();
  const [program = "", ...args] = how.args;
  const read = how.masks ? await maskedReaders(context, opened) : null;
  const onTerminal = io.stdin.isTTY || io.stdout.isTTY || io.stderr.isTTY;
  await talk.flush();
  const env = environmentOf(io.env, opened);
  const starting = context.passInterruptsOn;
  const end = await programs.run({ program, args, env, read, onTerminal, starting });
  if ("status" in end) return end;
  const { error, status } = notStarted[end.notStarted];
  await talk.fail(error);
  return { status };
}

async function maskedReaders(
  { io, talk }: CommandContext,
  opened: readonly OpenedVariable[],
): Promise<ProgramCall["read"]> {
  const { maskPatterns } = await import("../../leak/mask.ts");
  const { maskedReader } = await import("../masked-output.ts");
  const patterns = maskPatterns(opened.map(({ secret }) => secret));
  const failed = ({ message }: KeyctlError): void =>
    talk.warn(`the program's output is not whole: ${message}`);
  return {
    stdout: maskedReader(io.stdout, patterns, failed),
    stderr: maskedReader(io.stderr, patterns, failed),
  };
}

/** Ours, without what opens the vault, and with the values. */
function environmentOf(env: Environment, opened: readonly OpenedVariable[]): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("KEYCTL_PASSPHRASE"));
  const values = opened.map(({ variable, secret }) => [variable, secretText(secret)] as const);
  return Object.fromEntries(
    [...kept, ...values].filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

const notStarted: Readonly<
  Record<Extract<ProgramEnd, { notStarted: string }>["notStarted"], { error: KeyctlError; status: number }>
> = {
  "not-found": {
    status: 127,
    error: new KeyctlError(
      "not-found",
      "there is no such program, or not what the first line of a script names",
      {
        hint: "check the word after --, and PATH",
      },
    ),
  },
  "not-executable": {
    status: 126,
    error: new KeyctlError("refused", "the program cannot be run", {
      hint: "is it a program, and executable (chmod +x)?",
    }),
  },
  "too-large": {
    status: 126,
    error: new KeyctlError("refused", "arguments and environment are too large for a program", {
      hint: "keyctl reveal NAME --out-file PATH, and give the program the path",
    }),
  },
};
