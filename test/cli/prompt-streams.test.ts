import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Prompter } from "../../src/cli/io.ts";
import { processIo } from "../../src/cli/process-io.ts";
import { createPrompter } from "../../src/cli/prompt.ts";

interface Screen {
  prompter: Prompter;
  type: (text: string) => void;
  shown: () => string;
  abort: () => void;
}

/** A terminal's two sides as plain streams; the typing waits for the question. */
function screen(): Screen {
  const input = new PassThrough();
  const output = new PassThrough();
  const abort = new AbortController();
  let text = "";
  let waiting: string | null = null;
  output.on("data", (data: Buffer) => {
    text += data.toString("utf8");
    if (waiting !== null && text.includes("?")) {
      const typed = waiting;
      waiting = null;
      setImmediate(() => input.write(typed));
    }
  });
  return {
    prompter: createPrompter({ input, output, signal: abort.signal, close: () => input.end() }),
    type: (typed) => {
      waiting = typed;
    },
    shown: () => text,
    abort: () => abort.abort(),
  };
}

describe("a prompt", () => {
  it("answers no to Enter and yes to y", async () => {
    const no = screen();
    no.type("\r");
    expect(await no.prompter.confirm("really?")).toBe(false);
    const yes = screen();
    yes.type("y\r");
    expect(await yes.prompter.confirm("really?")).toBe(true);
    yes.prompter.close();
  });

  it("takes a line, and a hidden one that it never shows", async () => {
    const line = screen();
    line.type("prod\r");
    expect(await line.prompter.text("which?")).toBe("prod");
    const hidden = screen();
    hidden.type("hunter2\r");
    expect((await hidden.prompter.password("secret?")).byteLength).toBe(7);
    expect(hidden.shown()).not.toContain("hunter2");
    // Nor its length.
    expect(hidden.shown()).not.toContain("*");
  });

  it("that is broken off is interrupted", async () => {
    const { prompter, abort } = screen();
    const asked = prompter.text("which?");
    abort();
    await expect(asked).rejects.toMatchObject({ code: "interrupted" });
  });
});

describe("the terminal to ask on", () => {
  const stream = (isTTY: boolean): PassThrough & { isTTY: boolean } =>
    Object.assign(new PassThrough(), { isTTY });
  const io = (tty: { stdin: boolean; stdout: boolean; stderr: boolean }): ReturnType<typeof processIo> => {
    // Only the parts of a process that are read here.
    const streams = { stdin: stream(tty.stdin), stdout: stream(tty.stdout), stderr: stream(tty.stderr) };
    return processIo({
      ...streams,
      env: {},
      cwd: () => "/",
      once: () => undefined,
    } as unknown as NodeJS.Process);
  };

  it("is stdin and stderr when a person sits at both", async () => {
    const prompter = await io({ stdin: true, stdout: false, stderr: true }).openPrompter();
    expect(prompter).not.toBeNull();
    prompter?.close();
  });

  it("is none when no stream is a terminal", async () => {
    expect(await io({ stdin: false, stdout: false, stderr: false }).openPrompter()).toBeNull();
  });

  it("carries stdin as it comes, and writes to each stream by itself", async () => {
    const fake = io({ stdin: false, stdout: true, stderr: false });
    expect([fake.stdin.isTTY, fake.stdout.isTTY, fake.stderr.isTTY]).toEqual([false, true, false]);
    await fake.stdout.write("x");
    expect(fake.stderr.columns).toBeNull();
  });
});
