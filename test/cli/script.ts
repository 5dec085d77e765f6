import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, copyFile, cp, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { processIo } from "../../src/cli/process-io.ts";
import type { Io } from "../../src/cli/io.ts";
import { parseDuration } from "../../src/core/duration.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { runMain } from "../../src/main.ts";
import { makeHome } from "../fakes/home.ts";
import { fakeIo } from "../fakes/io.ts";

/** As the homes of test/fakes/home.ts: what was set up once must not lie in a script's future. */
const clockBegins = Date.UTC(2026, 10, 21, 12);

const realFiles = processIo(process);
const bin = fileURLToPath(new URL("../../bin/keyctl.js", import.meta.url));

/** A script and the files it starts with (the txtar format of Go's testscript). */
export interface Archive {
  script: string;
  files: { name: string; content: string }[];
}

/** Reads a txtar archive: what stands before the first `-- name --` line is the script. */
export function parseArchive(text: string): Archive {
  const [script = "", ...rest] = text.split(/^-- (.+) --\n/m);
  const files = [];
  for (let i = 0; i < rest.length; i += 2)
    files.push({ name: (rest[i] ?? "").trim(), content: rest[i + 1] ?? "" });
  return { script, files };
}

interface State {
  folder: string;
  env: Record<string, string>;
  stdin: string;
  answers: string[] | null;
  login: string;
  /** How far the clock was moved, in milliseconds. */
  laterMs: number;
  beganAt: number;
  stdout: string;
  stderr: string;
  exit: number;
}

/**
 * Runs a script in an empty folder. Each line is a command, `!` in front means that it must not succeed; `#` begins a
 * comment, '…' quotes, $NAME is a variable. For `exec` the clock begins at 2026-11-21T12:00Z, for `spawn` it is the real one.
 *
 *   exec keyctl …       in this process                    stdin FILE        for the next exec (or: stdin stdout)
 *   spawn keyctl …      as a process of its own            answer TEXT       a person at a terminal, for the next exec
 *   exit N              of the last exec                   later 25h         moves the clock
 *   stdout PATTERN      a regular expression, multi-line   env NAME=VALUE
 *   stderr PATTERN                                         capture NAME PATTERN   the first group, in stdout or stderr
 *   cmp A B             files, stdout or stderr            grep PATTERN FILE
 *   cp A B, mv A B                                         exists FILE
 *   edit FILE PATTERN TEXT   replaces what is found first
 *   login NAME          whom the system names to every further exec; `tester` before
 *   home                a store and a vault, set up        token NAME RULE   NAME is a made-up key that a rule finds
 *   fill A B            a copy of A with $NAME and \e (escape) filled in
 */
export async function runScript(archive: Archive, folder: string): Promise<void> {
  const state: State = {
    folder,
    env: { KEYCTL_HOME: join(folder, "home"), PATH: process.env["PATH"] ?? "" },
    stdin: "",
    answers: null,
    login: "tester",
    laterMs: 0,
    beganAt: Date.now(),
    stdout: "",
    stderr: "",
    exit: 0,
  };
  // Paths in a script are its own folder's, also for what the file system itself resolves.
  process.chdir(folder);
  for (const { name, content } of archive.files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  for (const [index, line] of archive.script.split("\n").entries()) {
    const [first, ...rest] = words(line, state.env);
    if (first === undefined) continue;
    const negated = first === "!";
    const [verb = "", ...args] = negated ? rest : [first, ...rest];
    try {
      const isGood = await step(state, verb, args);
      if (isGood === negated) throw new Error(negated ? "succeeded, and should not" : "failed");
    } catch (error) {
      const shown = `exit ${state.exit}\n--- stdout\n${state.stdout}\n--- stderr\n${state.stderr}`;
      throw new Error(
        `line ${index + 1}: ${line}\n${error instanceof Error ? error.message : "?"}\n${shown}`,
        { cause: error },
      );
    }
  }
}

async function step(state: State, verb: string, args: string[]): Promise<boolean> {
  const [a = "", b = ""] = args;
  switch (verb) {
    case "exec":
    case "spawn":
      if (a !== "keyctl") throw new Error(`${verb} runs keyctl only`);
      await (verb === "exec" ? execute(state, args.slice(1)) : spawn(state, args.slice(1)));
      return state.exit === 0;
    case "exit":
      return state.exit === Number(a);
    case "stdout":
    case "stderr":
      return new RegExp(a, "m").test(state[verb]);
    case "grep":
      return new RegExp(a, "m").test(await content(state, b));
    case "cmp":
      return (await content(state, a)) === (await content(state, b));
    case "exists":
      return await access(resolve(state.folder, a)).then(
        () => true,
        () => false,
      );
    default:
      return await prepare(state, verb, args);
  }
}

async function prepare(state: State, verb: string, args: string[]): Promise<boolean> {
  const [a = "", b = ""] = args;
  switch (verb) {
    case "stdin":
      state.stdin = await content(state, a);
      return true;
    case "login":
      state.login = a;
      return true;
    case "answer":
      (state.answers ??= []).push(a);
      return true;
    case "later":
      state.laterMs += parseDuration(a);
      return true;
    case "env": {
      const cut = a.indexOf("=");
      state.env[a.slice(0, cut)] = a.slice(cut + 1);
      return cut > 0;
    }
    case "capture": {
      const pattern = new RegExp(b, "m");
      const found = (pattern.exec(state.stdout) ?? pattern.exec(state.stderr))?.[1];
      state.env[a] = found ?? "";
      return found !== undefined;
    }
    case "cp":
      if (a === "stdout" || a === "stderr") await writeFile(resolve(state.folder, b), state[a]);
      else await copyFile(resolve(state.folder, a), resolve(state.folder, b));
      return true;
    case "mv":
      await rename(resolve(state.folder, a), resolve(state.folder, b));
      return true;
    case "edit": {
      const [, pattern = "", replacement = ""] = args;
      const before = await content(state, a);
      const after = before.replace(new RegExp(pattern, "m"), replacement);
      await writeFile(resolve(state.folder, a), after);
      return after !== before;
    }
    case "home":
      await copyHome(join(state.folder, "home"));
      return true;
    case "token":
      state.env[a] = tokenOf(b);
      return true;
    case "fill":
      await writeFile(resolve(state.folder, b), filled(await content(state, a), state.env));
      return true;
    default:
      throw new Error(`no such script command: ${verb}`);
  }
}

/** Making RSA keys takes most of a script's time: homes are copies of one. */
async function copyHome(path: string): Promise<void> {
  const made = await makeHome();
  await cp(made.path, path, { recursive: true });
  made.remove();
}

/** Token-shaped text is assembled when the script runs, so that none stands in a file. */
function tokenOf(ruleId: string): string {
  const rule = leakRules.find(({ id }) => id === ruleId);
  if (rule === undefined) throw new Error(`no rule ${ruleId}`);
  return exampleOf(rule, randomBytes).token;
}

function filled(text: string, env: Record<string, string>): string {
  return text.replaceAll("\\e", "\u001b").replaceAll(/\$(\w+)/g, (_, name: string) => env[name] ?? "");
}

async function execute(state: State, argv: string[]): Promise<void> {
  const answers = state.answers?.map((answer) => (answer === "y" ? true : answer === "n" ? false : answer));
  const fake = fakeIo({
    stdin: state.stdin,
    env: state.env,
    cwd: state.folder,
    homeDirectory: state.folder,
    login: state.login,
    ...(answers ? { answers } : {}),
  });
  const io: Io = {
    ...fake,
    now: () => clockBegins + (Date.now() - state.beganAt) + state.laterMs,
    readFile: async (path, bytesMax) => await realFiles.readFile(resolve(state.folder, path), bytesMax),
  };
  state.exit = await runMain(argv, io);
  finish(state, fake.out(), fake.err());
}

async function spawn(state: State, argv: string[]): Promise<void> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...argv], {
    cwd: state.folder,
    env: state.env,
    input: state.stdin,
    encoding: "utf8",
  });
  state.exit = status ?? -1;
  finish(state, stdout, stderr);
  await Promise.resolve();
}

function finish(state: State, stdout: string, stderr: string): void {
  Object.assign(state, { stdout, stderr, stdin: "", answers: null });
}

async function content(state: State, name: string): Promise<string> {
  if (name === "stdout" || name === "stderr") return state[name];
  return await readFile(resolve(state.folder, name), "utf8");
}

/** Words of a line: blanks part them, '…' keeps them together and as they are, '' inside quotes is one quote. */
function words(line: string, env: Record<string, string>): string[] {
  const found: string[] = [];
  const pattern = /\s*(?:#.*$|((?:'(?:[^']|'')*'|[^\s'#])+))/y;
  while (pattern.lastIndex < line.length) {
    const [match, word] = pattern.exec(line) ?? [];
    if (match === undefined || match === "") break;
    if (word !== undefined) found.push(unquoted(word, env));
  }
  return found;
}

function unquoted(word: string, env: Record<string, string>): string {
  return word.replace(
    /'((?:[^']|'')*)'|\$(\w+)/g,
    (_, quoted: string | undefined, name: string | undefined) =>
      quoted === undefined ? (env[name ?? ""] ?? "") : quoted.replaceAll("''", "'"),
  );
}
