import { KeyctlError } from "../core/errors.ts";
import { createAnswerFile } from "./answer-file.ts";
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
import type { Outcome } from "./exit-codes.ts";
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
export async function runCommand(call: CommandCall, globals: Globals): Promise<Outcome> {
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
  try {
    const context = contextOf({ ...call, globals, talk, services, ...session, toStdout: file === null });
    const run = command.run(context, { args: call.args, flags: call.flags });
    const outcome = await Promise.race([run, interruption(io.signal, command.mutation !== "no")]);
    await file?.finish();
    await session.close();
    await talk.flush();
    return outcome;
  } catch (error) {
    await file?.abandon();
    await session.close().catch(() => undefined);
    if (error instanceof OutputClosed && command.mutation === "no") return "ok";
    await talk.fail(error);
    return publicError(error).code;
  }
}

/** The globals of a call, refused where they cannot hold for the verb. */
export function globalsOf(command: CommandDefinition, flags: Flags): Globals {
  const globals = readGlobals(command, flags);
  if (globals.dryRun && command.mutation === "no") {
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

/** Rejects with `interrupted` when the person presses Ctrl-C. */
async function interruption(signal: AbortSignal, mutates: boolean): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const hint = mutates ? { hint: "keyctl reconcile shows what is half done" } : {};
    const stop = (): void => reject(new KeyctlError("interrupted", "interrupted", hint));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

function isJson(format: Globals["output"]): boolean {
  return format === "json" || format === "jsonl";
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return async () => await (made ??= make());
}
