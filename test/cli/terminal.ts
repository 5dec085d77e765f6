import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";

const bin = fileURLToPath(new URL("../../bin/keyctl.js", import.meta.url));

export interface Screen {
  /** Everything that was written to the terminal, with its escape sequences. */
  raw: string;
  /** As raw, without escape sequences. */
  text: string;
  code: number;
}

/** What a person types once the text stands on the screen, in order. */
export type Typing = readonly { sees: RegExp; types: string }[];

export interface TerminalOptions {
  home: string;
  env?: Record<string, string>;
  typing?: Typing;
  /** Another program file than the installed one: a bundle of the sources. */
  script?: string;
  /** A file that a shell pipes into stdin. */
  piped?: string;
  /** The terminal's width; 200 by default. */
  columns?: number;
}

/** Runs the installed command in a real pseudo-terminal. */
export async function onTerminal(argv: readonly string[], options: TerminalOptions): Promise<Screen> {
  const { home, piped, env = {}, script = bin, columns = 200 } = options;
  const command = piped === undefined ? 'exec "$@"' : `cat '${piped}' | "$@"`;
  const pty = spawn("/bin/sh", ["-c", command, "sh", process.execPath, script, ...argv], {
    // Becomes TERM, whatever the environment says.
    name: env["TERM"] ?? "xterm-256color",
    cols: columns,
    rows: 50,
    cwd: home,
    env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home, ...env },
  });
  const left = [...(options.typing ?? [])];
  return await new Promise((resolve) => {
    let raw = "";
    let read = 0;
    pty.onData((data) => {
      raw += data;
      // Each question is looked for behind the one before, which stays on the screen.
      const [next] = left;
      const found = next?.sees.exec(plain(raw).slice(read));
      if (next === undefined || found == null) return;
      left.shift();
      read = plain(raw).length;
      pty.write(next.types);
    });
    pty.onExit(({ exitCode }) => resolve({ raw, text: plain(raw), code: exitCode }));
  });
}

/** Text without CSI sequences (ECMA-48). */
function plain(raw: string): string {
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
  return raw.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}
