import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onTerminal } from "../cli/terminal.ts";
import { okProcess, program, runProcess } from "./canary-process.ts";
import type { ProcessOptions, Ran } from "./canary-process.ts";

const value = ["correct", "horse", "battery"].join(" ");
const mark = "[redacted]";

// As a process makes it: its user is another than the one of the fakes.
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "keyctl-exec-"));
  const create = ["create", "db", "--kind", "secret", "--type", "db-credential", "--from-file", "-"];
  await okProcess(home, create, { stdin: value });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs a shell line with the value in VALUE, in a process of its own. */
async function execLine(line: string, flags: string[] = [], options: ProcessOptions = {}): Promise<Ran> {
  const argv = ["exec", "-e", "VALUE=db", ...flags, "--", "sh", "-c", line];
  return await runProcess(home, argv, options);
}

/** As `execLine`, while `during` has keyctl's process and may wait for what the line printed. */
async function execDuring(
  line: string,
  during: (keyctl: ChildProcess, printed: (word: string) => Promise<string>) => Promise<void>,
): Promise<Ran> {
  let out = "";
  let work: Promise<void> | undefined;
  const ran = await execLine(line, [], {
    started: (keyctl) => {
      keyctl.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
      work = during(keyctl, async (word) => {
        while (!out.includes(word) && keyctl.exitCode === null) await pause(5);
        return out;
      });
    },
  });
  await work;
  return ran;
}

async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1")))
    await pause(5);
}

describe("a program under exec", () => {
  it("gets the value in its environment, and on no command line", async () => {
    const line = 'printf "%s|" "$VALUE"; cat /proc/$PPID/cmdline /proc/$$/cmdline';
    const { out } = await execLine(line, ["--no-masking"]);
    expect(out.startsWith(`${value}|`)).toBe(true);
    expect(out.slice(value.length + 1)).not.toContain(value);
  });

  it("gets neither the vault's passphrase nor the way to it", async () => {
    const env = { KEYCTL_PASSPHRASE_FILE: "/nowhere", KEYCTL_PASSPHRASE_FD: "9", KEPT: "yes" };
    const { out } = await execLine("env", [], { env });
    expect(out).toContain("KEPT=yes\n");
    expect(out).toContain("KEYCTL_HOME=");
    expect(out).not.toContain("PASSPHRASE");
  });

  it("reads keyctl's stdin, byte for byte, and what it writes comes out so", async () => {
    const bytes = randomBytes(300_000).toString("base64");
    const { out, code } = await execLine("cat", [], { stdin: bytes });
    expect(code).toBe(0);
    expect(out === bytes).toBe(true);
  });

  it("can open its own stdout and stderr by name", async () => {
    const { out, err } = await execLine('echo "$VALUE" > /dev/stdout; echo talk > /dev/stderr');
    expect([out, err]).toEqual([`${mark}\n`, "talk\n"]);
  });

  it("has its prompt seen before it ends", async () => {
    const ran = await execDuring(
      'printf "Name: "; while test ! -f go; do sleep 0.01; done; rm go',
      async (_keyctl, printed) => {
        await printed("Name: ");
        writeFileSync(join(home, "go"), "");
      },
    );
    expect(ran).toMatchObject({ code: 0, out: "Name: " });
  });

  it("may close its stdout and go on", async () => {
    const { code, out, err } = await execLine("echo first; exec >&-; sleep 0.1; echo second >&2; exit 4");
    expect({ code, out, err }).toEqual({ code: 4, out: "first\n", err: "second\n" });
  });

  it("that is too large for the system is not started", async () => {
    const argv = ["create", "huge", "--kind", "provider", "--provider", "openai", "--from-file", "-"];
    await okProcess(home, argv, { stdin: "x".repeat(300_000) });
    const ran = await runProcess(home, ["exec", "-e", "VALUE=huge", "--", "true"]);
    expect(ran.code).toBe(126);
    expect(ran.err).toContain("too large for a program");
  });

  it.each([
    ["is not UTF-8", Buffer.from([0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8]), "it is not UTF-8"],
    ["has a zero byte", Buffer.from("some\0thing longer"), "it has a zero byte in it"],
  ])("is not started with a value that %s", async (what, bytes, why) => {
    const name = what.replaceAll(" ", "-");
    await okProcess(home, ["create", name, "--kind", "secret", "--type", "certificate", "--from-file", "-"], {
      stdin: bytes,
    });
    const ran = await runProcess(home, ["exec", "-e", `VALUE=${name}`, "--", "touch", "started"]);
    expect(ran.code).toBe(125);
    expect(ran.err).toContain(why);
    expect(existsSync(join(home, "started"))).toBe(false);
  });
});

describe("a signal", () => {
  it("SIGTERM ends the program, and keyctl says so", async () => {
    const ran = await execDuring("echo ready; sleep 20 & wait", async (keyctl, printed) => {
      await printed("ready");
      keyctl.kill("SIGTERM");
    });
    expect(ran).toMatchObject({ code: 143, signal: null, out: "ready\n" });
  });

  it("Ctrl-C before the program has started keeps it from starting", async () => {
    const slow = mkdtempSync(join(home, "slow-"));
    const path = process.env["PATH"] ?? "";
    // keyctl makes the program's pipes with it, right before the start.
    const script = `#!/bin/sh\nkill -INT $PPID\nsleep 0.2\nPATH=${path} exec mkfifo "$@"\n`;
    writeFileSync(join(slow, "mkfifo"), script, { mode: 0o700 });
    const ran = await execLine("touch too-late", [], { env: { PATH: `${slow}:${path}` } });
    expect(ran).toMatchObject({ code: 130, out: "" });
    expect(existsSync(join(home, "too-late"))).toBe(false);
  });

  it("that comes when the program is gone, and what it started goes on, ends keyctl too", async () => {
    const ran = await execDuring('echo "pid $$ "; sleep 20 & exit 6', async (keyctl, printed) => {
      await gone(Number(/pid (\d+)/.exec(await printed("pid"))?.[1]));
      keyctl.kill("SIGTERM");
    });
    expect(ran.code).toBe(6);
  });

  it.each(["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"] as const)(
    "%s is passed on to a program that handles it, once",
    async (name) => {
      const line = `trap 'echo got ${name}; n=1' ${name}; echo ready; while test -z "$n"; do sleep 0.02; done; sleep 0.1; exit 7`;
      const ran = await execDuring(line, async (keyctl, printed) => {
        await printed("ready");
        keyctl.kill(`SIG${name}`);
      });
      expect(ran).toMatchObject({ code: 7, out: `ready\ngot ${name}\n` });
    },
  );

  it("SIGKILL of keyctl leaves no half-done change, and no program that writes on for ever", async () => {
    const ran = await execDuring(
      'echo "pid $$ "; while echo tick; do sleep 0.02; done',
      async (keyctl, printed) => {
        await printed("tick");
        keyctl.kill("SIGKILL");
      },
    );
    expect(ran.signal).toBe("SIGKILL");
    await gone(Number(/pid (\d+)/.exec(ran.out)?.[1]));
    expect((await runProcess(home, ["audit-verify", "--state"])).code).toBe(0);
  });
});

describe("what a program prints", () => {
  it("reaches a reader that goes away as through any pipe: the program is told", async () => {
    const line = '"$0" "$1" exec -e VALUE=db -- sh -c \'yes "$VALUE"\' | head -n 2; echo "${PIPESTATUS[0]}"';
    const shell = spawn("bash", ["-c", line, process.execPath, await program()], {
      cwd: home,
      env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await text(shell.stdout)).toBe(`${mark}\n${mark}\n141\n`);
  });

  it("goes through keyctl however much it is, without being kept", async () => {
    const peakKib = async (mebibytes: number): Promise<number> => {
      const line = `yes "line $VALUE" | head -c ${mebibytes * 1_048_576}; grep VmHWM /proc/$PPID/status >&2`;
      const argv = ["exec", "-e", "VALUE=db", "--", "sh", "-c", line];
      const keyctl = spawn(process.execPath, [await program(), ...argv], {
        cwd: home,
        env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home },
        stdio: ["ignore", "ignore", "pipe"],
      });
      return Number(/VmHWM:\s+(\d+) kB/.exec(await text(keyctl.stderr))?.[1]);
    };
    const few = await peakKib(4);
    const many = await peakKib(100);
    expect(few).toBeGreaterThan(10_000);
    expect(many - few).toBeLessThan(64 * 1024);
  });

  it("is told as not whole when it could not be written", async () => {
    const full = spawn(
      "sh",
      [
        "-c",
        '"$0" "$1" exec -e VALUE=db -- sh -c "echo hello" > /dev/full',
        process.execPath,
        await program(),
      ],
      {
        cwd: home,
        env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const [err] = await Promise.all([text(full.stderr), once(full, "close")]);
    expect(err).toContain("warning: the program's output is not whole: there is no space left");
  });
});

describe("on a terminal", () => {
  const line = async (argv: string[], typing: { sees: RegExp; types: string }[] = []) =>
    await onTerminal(argv, { home: home, script: await program(), typing });

  it("a program with --no-masking has the terminal: its size, and what is typed", async () => {
    const talk = 'test -t 0 && test -t 1 && stty size; printf "Who? "; read who; echo "hello $who"';
    const screen = await line(
      ["exec", "-e", "VALUE=db", "--no-masking", "--", "sh", "-c", talk],
      [{ sees: /Who\? /, types: "you\r" }],
    );
    expect(screen.text).toContain("50 200");
    expect(screen.text).toContain("hello you");
    expect(screen.code).toBe(0);
  });

  it("Ctrl-C is the program's: it gets it once, and keyctl waits for it", async () => {
    const trap =
      "trap 'echo got INT; n=1' INT; echo ready; while test -z \"$n\"; do sleep 0.02; done; sleep 0.1; exit 9";
    for (const flags of [["--no-masking"], []]) {
      const screen = await line(
        ["exec", "-e", "VALUE=db", ...flags, "--", "sh", "-c", trap],
        [{ sees: /ready/, types: "\u0003" }],
      );
      expect(screen.text.match(/got INT/g)).toHaveLength(1);
      expect(screen.code).toBe(9);
    }
  });

  it("reveal asks, and shows the value after a yes only", async () => {
    const sees = /show the value of prod\/db, version 1, on this terminal\?/;
    const no = await line(["reveal", "db"], [{ sees, types: "\r" }]);
    expect([no.code, no.text.includes(value)]).toEqual([130, false]);
    const yes = await line(["reveal", "db"], [{ sees, types: "y\r" }]);
    expect([yes.code, yes.text.includes(`${value}\r\n`)]).toEqual([0, true]);
  });
});
