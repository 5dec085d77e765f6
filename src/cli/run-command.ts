import { KeyctlError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { createAnswerFile } from "./answer-file.ts";
import { commandLine } from "./command-line.ts";
import type { CommandDefinition } from "./command.ts";
import type {
  CommandContext,
  Globals,
  LoadServices,
  Place,
  Services,
  Session,
  SessionOptions,
} from "./context.ts";
import { confirmDanger } from "./danger.ts";
import type { Outcome, ProgramStatus } from "./exit-codes.ts";
import type { Flags } from "./flags.ts";
import { readGlobals, readMutationOptions } from "./global-flags.ts";
import { OutputClosed } from "./io.ts";
import type { Io } from "./io.ts";
import { createAnswer } from "./render/answer.ts";
import { createTalk, publicError } from "./talk.ts";
import type { Talk } from "./talk.ts";

export interface CommandCall {
  command: CommandDefinition;
  args: readonly string[];
  flags: Flags;
  argv: readonly string[];
  io: Io;
  loadServices: LoadServices;
  runAgain: CommandContext["runAgain"];
}

/**
 * Runs one verb: gives it its context, sends its answer where it should go, closes what it opened, and tells what went
 * wrong. Never throws.
 */
export async function runCommand(call: CommandCall, globals: Globals): Promise<Outcome | ProgramStatus> {
  const { command, io } = call;
  const services = once(async () => await call.loadServices(io, talk));
  const path = command.outFile === "own" ? null : globals.outFile;
  const file = path === null ? null : createAnswerFile(path, async () => (await services()).files);
  const talk = createTalk(io, {
    json: isJson(globals.output),
    tolerant: command.mutation !== "no",
    verb: command.name,
    ...(file === null ? {} : { redirect: async (data) => await file.write(data) }),
  });
  const session = sessionOf({ command, talk, globals, services });
  const interrupt = interruption(io.signal, command.mutation !== "no");
  try {
    const toStdout = file === null;
    const part = { ...call, globals, talk, services, ...session, toStdout, ignore: interrupt.ignore };
    const run = command.run(contextOf(part), { args: call.args, flags: call.flags });
    const outcome = await Promise.race([run, interrupt.stopped]);
    await file?.finish();
    await session.close();
    await talk.flush();
    return outcome;
  } catch (error) {
    await file?.abandon();
    await session.close().catch(() => undefined);
    if (error instanceof OutputClosed && command.mutation === "no") return "ok";
    await talk.fail(error);
    return failureOf(command, publicError(error).code);
  }
}

/** How a command ends that failed with this code. */
export function failureOf(command: CommandDefinition | null, code: ErrorCode): Outcome | ProgramStatus {
  const own = command?.ownFailure;
  return own === undefined || code === "interrupted" ? code : { status: own };
}

/** The globals of a call, refused where they cannot hold for the verb. */
export function globalsOf(command: CommandDefinition, flags: Flags): Globals {
  const globals = readGlobals(command, flags);
  const hasDryRun = command.mutation !== "no" || command.options.some(({ name }) => name === "dry-run");
  if (globals.dryRun && !hasDryRun) {
    throw new KeyctlError("usage", `${command.name} changes nothing: it has no --dry-run`);
  }
  return globals;
}

type Part = CommandCall & {
  globals: Globals;
  talk: Talk;
  services: () => Promise<Services>;
  place: () => Promise<Place>;
  open: (options: SessionOptions) => Promise<Session>;
  toStdout: boolean;
  ignore: () => void;
};

function contextOf(part: Part): CommandContext {
  const { io, talk, globals, command, flags } = part;
  return {
    io,
    talk,
    globals,
    definition: command,
    answer: createAnswer({ io, talk, format: globals.output ?? "table", toStdout: part.toStdout }),
    services: part.services,
    place: part.place,
    session: async (options = { make: false }) => await part.open(options),
    mutationOptions: () => readMutationOptions(command, flags),
    confirm: async (danger) => await confirmDanger({ io, talk, globals, argv: part.argv }, danger),
    lineWith: (flags) => commandLine(part.argv, { without: [], add: flags }),
    passInterruptsOn: () => {
      if (io.signal.aborted) throw interrupted(command.mutation !== "no");
      part.ignore();
    },
    runAgain: part.runAgain,
  };
}

interface SessionRequest {
  command: CommandDefinition;
  talk: Talk;
  globals: Globals;
  services: () => Promise<Services>;
}

/** The session of a call, opened at most once. A mutation says first where it works: the wrong profile is seen in time. */
function sessionOf(request: SessionRequest): Pick<Part, "place" | "open"> & { close: () => Promise<void> } {
  let opened: Promise<Session> | null = null;
  const place = once(async () => await (await request.services()).resolve(request.globals));
  const openSession = async (options: SessionOptions): Promise<Session> => {
    const found = await place();
    if (request.command.mutation !== "no")
      request.talk.note(`store ${found.settings.store.value}, vault ${found.settings.vault.value}`);
    return await found.openSession(options);
  };
  return {
    place,
    open: async (options) => await (opened ??= openSession(options)),
    close: async () => {
      const session = await opened?.catch(() => null);
      await session?.close();
    },
  };
}

/** Rejects with `interrupted` when the person presses Ctrl-C, unless it was told to ignore that. */
function interruption(
  signal: AbortSignal,
  mutates: boolean,
): { stopped: Promise<never>; ignore: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(interrupted(mutates));
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return { stopped: promise, ignore: () => signal.removeEventListener("abort", stop) };
}

function interrupted(mutates: boolean): KeyctlError {
  const hint = mutates ? { hint: "keyctl reconcile shows what is half done" } : {};
  return new KeyctlError("interrupted", "interrupted", hint);
}

function isJson(format: Globals["output"]): boolean {
  return format === "json" || format === "jsonl";
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return async () => await (made ??= make());
}
