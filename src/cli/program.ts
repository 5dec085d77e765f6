import type { CommandDefinition } from "./command.ts";
import { answerShell, askWord } from "./completion/answer-shell.ts";
import type { LoadServices } from "./context.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { findCommand } from "./find-command.ts";
import { wantsJson } from "./global-flags.ts";
import { formatHelp } from "./help.ts";
import { OutputClosed } from "./io.ts";
import type { Io } from "./io.ts";
import { parseCommandLine } from "./parse.ts";
import { failureOf, globalsOf, runCommand } from "./run-command.ts";
import { createTalk, publicError } from "./talk.ts";

export interface ProgramOptions {
  commands: readonly CommandDefinition[];
  loadServices: LoadServices;
  version: string;
}

/** Runs one command line and answers its exit code; everything that went wrong has been told on stderr. */
export async function runProgram(argv: readonly string[], io: Io, options: ProgramOptions): Promise<number> {
  if (argv[0] === askWord) {
    await answerShell(io, options);
    return exitCodeOf("ok");
  }
  const verb = typedVerb(argv, options.commands);
  const talk = createTalk(io, {
    json: wantsJson(argv),
    tolerant: false,
    ...(verb === null ? {} : { verb }),
  });
  try {
    const parsed = parseCommandLine(argv, options.commands);
    if (parsed.kind === "version") await talk.answer(`${options.version}\n`);
    else if (parsed.kind === "help") {
      const request = { ...parsed, columns: io.stdout.columns, version: options.version };
      await talk.answer(formatHelp(request, options.commands));
    } else {
      const globals = globalsOf(parsed.command, parsed.flags);
      const runAgain = async (again: readonly string[], other: Io): Promise<number> =>
        await runProgram(again, other, options);
      return exitCodeOf(
        await runCommand({ ...parsed, argv, io, loadServices: options.loadServices, runAgain }, globals),
      );
    }
    return exitCodeOf("ok");
  } catch (error) {
    if (error instanceof OutputClosed) return exitCodeOf("ok");
    await talk.fail(error);
    const command = verb === null ? null : findCommand(verb, options.commands);
    return exitCodeOf(failureOf(command, publicError(error).code));
  }
}

/** The verb as far as it can be told before the command line is understood: a usage error names its help. */
function typedVerb(argv: readonly string[], commands: readonly CommandDefinition[]): string | null {
  const end = argv.indexOf("--");
  const words = (end === -1 ? argv : argv.slice(0, end)).filter((word) => !word.startsWith("-"));
  const named = words.flatMap((word, i) => [`${word} ${words[i + 1] ?? ""}`, word]);
  return named.find((name) => findCommand(name, commands) !== null) ?? null;
}
