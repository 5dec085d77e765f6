import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("ask-child.ts", import.meta.url));

interface Session {
  screen: string;
  code: number;
}

/** Runs the child in a real pseudo-terminal; types when the question stands. `stdin` is what a shell redirects into it. */
async function onTerminal(kind: string, typed: string, stdin?: string): Promise<Session> {
  const command = stdin === undefined ? `exec "$0" "$1" "$2"` : `printf %s ${stdin} | "$0" "$1" "$2"`;
  const pty = spawn("/bin/sh", ["-c", command, process.execPath, child, kind], {
    name: "xterm",
    cols: 100,
    rows: 30,
  });
  return await new Promise((resolve) => {
    let screen = "";
    let isTyped = false;
    pty.onData((data) => {
      screen += data;
      if (!isTyped && /really|type it|the secret/.test(screen)) {
        isTyped = true;
        pty.write(typed);
      }
    });
    pty.onExit(({ exitCode }) => resolve({ screen, code: exitCode }));
  });
}

describe("a prompt on a real terminal", () => {
  it("never takes Enter for yes", async () => {
    const { screen } = await onTerminal("confirm", "\r");
    expect(screen).toContain("y/N");
    expect(screen).toContain("answer false");
    expect((await onTerminal("confirm", "y\r")).screen).toContain("answer true");
  });

  it("does not show a secret that is typed", async () => {
    const { screen } = await onTerminal("password", "hunter2\r");
    expect(screen).toContain("length 7");
    expect(screen).not.toContain("hunter2");
  });

  it("does not show a secret on Ctrl-T either, which a pasted one may hold", async () => {
    const { screen } = await onTerminal("password", "hunter2\u0014hunter2\r");
    expect(screen).toContain("length ");
    expect(screen).not.toContain("hunter2");
    expect(screen).not.toContain("visibility");
  });

  it("is interrupted by Ctrl-C", async () => {
    expect((await onTerminal("text", "\u0003")).screen).toContain("interrupted");
  });

  it("is interrupted by Ctrl-D too, and goes on to say so itself", async () => {
    for (const kind of ["confirm", "text", "password"])
      expect((await onTerminal(kind, "\u0004")).screen).toMatch(/interrupted\s+goes on/);
  });

  it("asks on the terminal itself when stdin carries something else", async () => {
    const { screen } = await onTerminal("text", "prod\r", "leaked");
    expect(screen).toContain("answer prod");
    expect(screen).not.toContain("answer leaked");
  });
});

describe("a process without a terminal", () => {
  it("does not grab the one that somebody else is typing on", async () => {
    const command = '"$0" "$1" confirm </dev/null 2>&1 | cat';
    const pty = spawn("/bin/sh", ["-c", command, process.execPath, child], {
      name: "xterm",
      cols: 100,
      rows: 30,
    });
    let screen = "";
    pty.onData((data) => {
      screen += data;
      // Otherwise a child that does ask would wait for ever.
      if (screen.includes("really")) pty.write("\r");
    });
    await new Promise((resolve) => pty.onExit(resolve));
    expect(screen).toContain("no terminal");
  });

  it("is not asked anything", () => {
    const { stdout } = spawnSync(process.execPath, [child, "confirm"], { input: "y\n", encoding: "utf8" });
    expect(stdout).toBe("no terminal\n");
  });
});
