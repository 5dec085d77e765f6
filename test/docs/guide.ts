import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawn as spawnPty } from "@lydell/node-pty";
import { program } from "../e2e/canary-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a page shows of one command, or of a script without any output. */
export interface Shown {
  /** The heading above it. */
  section: string;
  /** What is typed; of a script everything. */
  line: string;
  /** What the page says that comes of it; null of a script, which just has to succeed. */
  output: string | null;
  exit: number;
}

/** A file that a page tells its reader to make, before the next command runs. */
export interface GivenFile {
  section: string;
  name: string;
  content: string;
}

/** A block that a page shows and no test runs, with the reason: it stands behind `not run:` in the block's first line. */
export interface NotRun {
  section: string;
  reason: string;
  content: string;
}

export type Part = ({ is: "shown" } & Shown) | ({ is: "file" } & GivenFile) | ({ is: "not-run" } & NotRun);

/**
 * The fenced blocks of a page of docs/, in order. In a `console` block `$ ` begins a command and `> ` goes on with it; what
 * follows is what it prints, and a last line `# exit N` is its status. `sh` is a script. `file=NAME` behind the language
 * is a file's content. Anything else must say why it is not run.
 */
export async function readGuide(name: string): Promise<Part[]> {
  const page = await readFile(join(root, "docs", name), "utf8");
  const parts: Part[] = [];
  for (const { section, info, content } of fencedBlocks(page)) {
    const reason = /not run: (.+)/.exec(info)?.[1];
    const file = /file=(\S+)/.exec(info)?.[1];
    if (reason !== undefined) parts.push({ is: "not-run", section, reason, content });
    else if (file !== undefined) parts.push({ is: "file", section, name: file, content });
    else if (info === "console")
      parts.push(...commandsIn(content).map((part) => ({ is: "shown" as const, section, ...part })));
    else if (info === "sh") parts.push({ is: "shown", section, line: content, output: null, exit: 0 });
    else throw new Error(`docs/${name}, ${section}: a block of ${info || "no language"} that nothing runs`);
  }
  return parts;
}

function fencedBlocks(page: string): { section: string; info: string; content: string }[] {
  let section = "";
  const blocks = [];
  for (const [, heading, info, content] of page.matchAll(/^#+ (.+)$|^```([^\n]*)\n([^]*?)^```$/gm)) {
    if (heading === undefined) blocks.push({ section, info: (info ?? "").trim(), content: content ?? "" });
    else section = heading;
  }
  return blocks;
}

function commandsIn(block: string): { line: string; output: string; exit: number }[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const lines = text.trimEnd().split("\n");
      const typed = [lines.shift() ?? ""];
      while (lines[0]?.startsWith("> ") === true) typed.push((lines.shift() ?? "").slice(2));
      const exit = /^# exit (\d+)$/.exec(lines.at(-1) ?? "")?.[1];
      if (exit !== undefined) lines.pop();
      return { line: typed.join("\n"), output: lines.join("\n"), exit: Number(exit ?? 0) };
    });
}

/** What one command did. */
export interface Did {
  stdout: string;
  stderr: string;
  exit: number;
}

export interface Playing {
  /** Shell lines that are run before, and must succeed. */
  has?: string;
  /** Everything happens on a terminal of so many columns, and what was printed is all that stood on it. */
  columns?: number;
}

/**
 * Types a page into one `sh`, in an empty folder that is also its home, with `keyctl` on the PATH: what is set or entered
 * stays for the next command. Answers what each command did, in order.
 */
export async function play(parts: readonly Part[], { has = ":", columns }: Playing = {}): Promise<Did[]> {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-guide-"));
  try {
    const at = { home: join(folder, "home"), bin: join(folder, "bin"), seen: join(folder, "seen") };
    for (const path of Object.values(at)) await mkdir(path);
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${await program()}' "$@"\n`;
    await writeFile(join(at.bin, "keyctl"), shim);
    await chmod(join(at.bin, "keyctl"), 0o755);
    await writeFile(
      join(folder, "script"),
      scriptOf(parts, { ...at, has, isTerminal: columns !== undefined }),
    );
    const env = {
      PATH: [at.bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
      HOME: at.home,
      LANG: "C.UTF-8",
    };
    const script = { path: join(folder, "script"), cwd: at.home, env };
    const said = columns === undefined ? await inPipes(script) : await onScreen(script, columns);
    const did: Did[] = [];
    for (const number of parts.filter(({ is }) => is === "shown").keys()) {
      const read = async (what: string): Promise<string> =>
        await readFile(join(at.seen, `${number}.${what}`), "utf8").catch(() => said);
      did.push({ stdout: await read("out"), stderr: await read("err"), exit: Number(await read("exit")) });
    }
    return did;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Braces, not parentheses: what a command sets is there for the next one. A script is a shell of its own, and stops at what fails. */
function scriptOf(
  parts: readonly Part[],
  { seen, has, isTerminal }: { seen: string; has: string; isTerminal: boolean },
): string {
  const lines = [`{ ${has}\n} >/dev/null || exit`];
  let number = 0;
  for (const part of parts) {
    if (part.is === "file") {
      lines.push(`mkdir -p "$(dirname ${part.name})"`);
      lines.push(`cat > ${part.name} <<'END OF FILE'\n${part.content}END OF FILE`);
    }
    if (part.is !== "shown") continue;
    const [begin, end] = part.output === null ? ["(set -eu", ")"] : ["{", "}"];
    const to = `${seen}/${number}`;
    lines.push(`${begin}\n${part.line}\n${end}${isTerminal ? "" : ` >${to}.out 2>${to}.err`}`);
    lines.push(`echo $? >${to}.exit`);
    number += 1;
  }
  return `${lines.join("\n")}\n`;
}

interface Script {
  path: string;
  cwd: string;
  env: Record<string, string>;
}

async function inPipes({ path, cwd, env }: Script): Promise<string> {
  return await new Promise((ended, failed) => {
    const child = spawn("sh", [path], { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", failed);
    child.on("close", () => ended(said));
  });
}

async function onScreen({ path, cwd, env }: Script, cols: number): Promise<string> {
  const terminal = spawnPty("sh", [path], { cwd, env: { ...env, NO_COLOR: "1" }, cols, rows: 24 });
  return await new Promise((ended) => {
    let said = "";
    terminal.onData((text) => (said += text));
    terminal.onExit(() => ended(said));
  });
}

/**
 * What a page shows, as a pattern for what was printed: `…` is anything within a line, a line of `…` any lines, a gap
 * between columns a gap of any width.
 */
export function pattern(shown: string): RegExp {
  const lines = shown.split("\n").map((line) =>
    line === "…"
      ? "(?:.*\\n)*"
      : `${line
          .trimEnd()
          .split(/(…| {2,})/)
          .map((piece) => (piece === "…" ? ".*" : /^ {2,}$/.test(piece) ? " +" : literally(piece)))
          .join("")}[ \\t]*\\n`,
  );
  return new RegExp(`^${shown === "" ? "" : lines.join("")}$`);
}

function literally(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

/** keyctl's talk begins with its name: it is stderr's, and the page shows both streams in one. Lines that are left out may be of either. */
export function streams(shown: string): { stdout: string; stderr: string } {
  const lines = shown.split("\n");
  const isTalk = (line: string): boolean => line.startsWith("keyctl: ");
  return {
    stdout: lines.filter((line) => !isTalk(line)).join("\n"),
    stderr: lines.filter((line) => isTalk(line) || line === "…").join("\n"),
  };
}
