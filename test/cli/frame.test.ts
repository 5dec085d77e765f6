import { describe, expect, it } from "vitest";
import type { CommandContext, Place, Services, Session } from "../../src/cli/context.ts";
import type { CommandDefinition } from "../../src/cli/command.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { View } from "../../src/cli/render/view.ts";
import { KeyctlError } from "../../src/core/errors.ts";
import { fakeIo } from "../fakes/io.ts";
import type { FakeIo, FakeIoOptions } from "../fakes/io.ts";

type Run = CommandDefinition["run"];

const view: View<{ name: string; at: number }> = {
  columns: [
    { title: "NAME", field: "name", text: (row) => row.name },
    { title: "AT", field: "at", text: (row) => String(row.at), align: "right" },
    { title: "EXTRA", field: "extra", text: () => "x", wide: true },
  ],
  toJson: (row) => ({ name: row.name, at: row.at }),
  name: (row) => row.name,
};

const rows = [
  { name: "a", at: 1 },
  { name: "b", at: 22 },
];

function command(part: Partial<CommandDefinition>, run: Run): CommandDefinition {
  return {
    name: "list",
    section: "Keys",
    summary: "list the keys",
    arguments: [],
    options: [],
    examples: [
      { command: "keyctl list", does: "all" },
      { command: "keyctl list --env dev", does: "of one environment" },
    ],
    danger: "none",
    mutation: "no",
    ...part,
    run,
  };
}

async function collect(content: AsyncIterable<Uint8Array>, parts: Uint8Array[]): Promise<void> {
  for await (const part of content) parts.push(part);
}

/** Removing a temporary file takes a moment. */
async function cleanedUp(error: unknown, cleaned: string[]): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve));
  cleaned.push("temporary file");
  throw error;
}

interface Ran {
  code: number;
  io: FakeIo;
  written: Map<string, string>;
  cleaned: string[];
  closed: () => number;
  loads: () => number;
}

async function run(definition: CommandDefinition, argv: string[], options: FakeIoOptions = {}): Promise<Ran> {
  const io = fakeIo(options);
  const written = new Map<string, string>();
  const cleaned: string[] = [];
  let loads = 0;
  let closed = 0;
  const setting = (value: string): { value: string; source: string } => ({ value, source: "test" });
  const place: Place = {
    settings: {
      profile: setting("default"),
      store: setting("sqlite:/s"),
      vault: setting("embedded:/v"),
      tenant: setting("default"),
      env: setting("prod"),
      naming: { value: "off", source: "test" },
      leakScanPaths: [],
    },
    // Only what the frame itself uses of a session is here.
    openSession: async () =>
      await Promise.resolve({
        close: async () => await Promise.resolve(void closed++),
      } as unknown as Session),
  };
  const services = {
    files: {
      writePrivate: async (path: string, content: AsyncIterable<Uint8Array> | Uint8Array) => {
        if (path === "/unread") throw new KeyctlError("unavailable", "no space at all");
        const parts: Uint8Array[] = [];
        if (content instanceof Uint8Array) parts.push(content);
        else await collect(content, parts).catch((error: unknown) => cleanedUp(error, cleaned));
        if (path === "/full") throw new KeyctlError("unavailable", "no space left");
        written.set(path, Buffer.concat(parts).toString("utf8"));
      },
    },
    resolve: async () => await Promise.resolve(place),
  } as unknown as Services;
  const loadServices = async (): Promise<Services> => {
    loads++;
    return await Promise.resolve(services);
  };
  const code = await runProgram(argv, io, { commands: [definition], loadServices, version: "1.2.3" });
  return { code, io, written, cleaned, closed: () => closed, loads: () => loads };
}

const lists: Run = async ({ answer }) => {
  await answer.list(view, rows, { empty: "nothing here" });
  return "ok";
};

describe("the answer", () => {
  it("is on stdout alone, in the format that was asked for", async () => {
    const of = async (...flags: string[]): Promise<string> => {
      const { io, code } = await run(command({}, lists), ["list", ...flags]);
      expect(code).toBe(0);
      expect(io.err()).toBe("");
      return io.out();
    };
    expect(await of()).toBe("NAME  AT\na      1\nb     22\n");
    expect(await of("-o", "wide")).toBe("NAME  AT  EXTRA\na      1  x\nb     22  x\n");
    expect(JSON.parse(await of("-ojson"))).toEqual(rows);
    expect(await of("--output=jsonl")).toBe('{"name":"a","at":1}\n{"name":"b","at":22}\n');
    expect(await of("--format", "csv")).toBe("name,at,extra\na,1,x\nb,22,x\n");
    expect(await of("-o", "name")).toBe("a\nb\n");
  });

  it("of one record is its fields, or its JSON object", async () => {
    const one: Run = async ({ answer }) => {
      await answer.one(view, { name: "a", at: 1 });
      return "ok";
    };
    expect((await run(command({}, one), ["list"])).io.out()).toBe("name  a\nat    1\n");
    expect((await run(command({}, one), ["list", "-o", "json"])).io.out()).toBe(
      '{\n  "name": "a",\n  "at": 1\n}\n',
    );
    expect((await run(command({}, one), ["list", "-o", "name"])).io.out()).toBe("a\n");
  });

  it("may have a text of its own for people", async () => {
    const value = command({}, async ({ answer }) => {
      await answer.value({ ok: true }, "all is well\n");
      return "ok";
    });
    const of = async (...flags: string[]): Promise<string> => (await run(value, ["list", ...flags])).io.out();
    expect(await of()).toBe("all is well\n");
    expect(await of("-o", "json")).toBe('{\n  "ok": true\n}\n');
    expect(await of("-o", "jsonl")).toBe('{"ok":true}\n');
  });

  it("of nothing is an empty list for scripts, and a word on stderr for people", async () => {
    const none: Run = async ({ answer }) => {
      await answer.list(view, [], { empty: "nothing here" });
      return "ok";
    };
    const table = await run(command({}, none), ["list"]);
    expect([table.io.out(), table.io.err()]).toEqual(["", "keyctl: nothing here\n"]);
    expect((await run(command({}, none), ["list", "-o", "json"])).io.out()).toBe("[]\n");
    expect((await run(command({}, none), ["list", "-o", "jsonl"])).io.out()).toBe("");
  });

  it("does not carry control characters, CI commands or formulas from outside", async () => {
    const evil: Run = async ({ answer }) => {
      await answer.list(view, [{ name: "=1+1\u001b[31m::set-env\u202e", at: 1 }], { empty: "" });
      return "ok";
    };
    const of = async (format: string, env = {}): Promise<string> =>
      (await run(command({}, evil), ["list", "-o", format], { env })).io.out();
    expect(await of("name")).toBe("=1+1\\u001b[31m::set-env\\u202e\n");
    expect(await of("name", { CI: "true" })).toBe("=1+1\\u001b[31m: :set-env\\u202e\n");
    expect(await of("csv")).toContain("\"'=1+1\\u001b[31m");
    const json = await of("jsonl", { CI: "true" });
    expect(json).not.toContain("::");
    expect(json).not.toContain("\u202e");
    expect(JSON.parse(json)).toEqual({ name: "=1+1\u001b[31m::set-env\u202e", at: 1 });
  });

  it("is coloured on a terminal only, and never against NO_COLOR", async () => {
    const toned = command({}, async ({ answer }) => {
      await answer.list(
        { ...view, columns: [{ title: "S", field: "s", text: () => "revoked", tone: () => "bad" }] },
        rows,
        { empty: "" },
      );
      return "ok";
    });
    const of = async (options: FakeIoOptions): Promise<string> =>
      (await run(toned, ["list"], options)).io.out();
    expect(await of({})).not.toContain("\u001b");
    expect(await of({ terminal: { stdout: true } })).toContain("\u001b[31m");
    expect(await of({ terminal: { stdout: true }, env: { TERM: "dumb" } })).not.toContain("\u001b");
    expect(await of({ env: { CLICOLOR_FORCE: "1" } })).toContain("\u001b[31m");
    expect(await of({ env: { CLICOLOR_FORCE: "1", NO_COLOR: "1" } })).not.toContain("\u001b");
  });

  it("goes to --out-file whole or not at all", async () => {
    const good = await run(command({}, lists), ["list", "-o", "name", "--out-file", "/f"]);
    expect([good.code, good.io.out(), good.written.get("/f")]).toEqual([0, "", "a\nb\n"]);
    const failing: Run = async ({ answer }) => {
      await answer.list(view, rows, { empty: "" });
      throw new KeyctlError("integrity", "broken");
    };
    const bad = await run(command({}, failing), ["list", "--out", "/f"]);
    expect([bad.code, bad.written.size, bad.cleaned]).toEqual([11, 0, ["temporary file"]]);
    const full = await run(command({}, lists), ["list", "--out-file", "/full"]);
    expect([full.code, full.io.err()]).toEqual([10, "keyctl: error: no space left\n"]);
    const many: Run = async ({ talk }) => {
      for (let i = 0; i < 1000; i++) await talk.answer("x".repeat(1000));
      return "ok";
    };
    const unread = await run(command({}, many), ["list", "--out-file", "/unread"]);
    expect([unread.code, unread.io.err()]).toEqual([10, "keyctl: error: no space at all\n"]);
    const silent = await run(
      command({}, async () => await Promise.resolve("ok" as const)),
      ["list", "--out-file", "/f"],
    );
    expect(silent.written.get("/f")).toBe("");
  });

  it("ends quietly when its reader goes away, and says so when the disk is full", async () => {
    const closed = await run(command({}, lists), ["list", "-o", "name"], {
      stdoutFails: { after: 1, how: "closed" },
    });
    expect([closed.code, closed.io.err()]).toEqual([0, ""]);
    const full = await run(command({}, lists), ["list"], { stdoutFails: { after: 0, how: "full" } });
    expect([full.code, full.io.err()]).toEqual([10, "keyctl: error: there is no space left\n"]);
    const help = await run(command({}, lists), ["help"], { stdoutFails: { after: 0, how: "closed" } });
    expect(help.code).toBe(0);
  });

  it("of a mutation that nobody reads does not change how the mutation ended", async () => {
    const pending: Run = async ({ answer }) => {
      await answer.list(view, rows, { empty: "" });
      return "pending";
    };
    const ran = await run(command({ mutation: "yes" }, pending), ["list"], {
      stdoutFails: { after: 0, how: "closed" },
    });
    expect(ran.code).toBe(8);
  });
});

describe("errors", () => {
  const refused = command({}, async () => {
    await Promise.resolve();
    throw new KeyctlError("refused", "too late", { hint: "rotate", operationId: "op" });
  });

  it("are a line and a hint on stderr, and nothing on stdout", async () => {
    const { code, io } = await run(refused, ["list"]);
    expect([code, io.out(), io.err()]).toEqual([7, "", "keyctl: error: too late\nkeyctl: hint: rotate\n"]);
  });

  it("are one JSON object with -o json, also when the flags are wrong", async () => {
    const { io } = await run(refused, ["list", "-o", "json"]);
    expect(JSON.parse(io.err())).toEqual({
      error: { code: "refused", message: "too late", hint: "rotate", retryable: false, operationId: "op" },
    });
    const wrong = await run(refused, ["list", "--nope", "--output", "json"]);
    expect(JSON.parse(wrong.io.err())).toMatchObject({ error: { code: "usage", operationId: null } });
    expect(wrong.code).toBe(2);
  });

  it("keep what was said before them inside the JSON object", async () => {
    const noted = command({}, async ({ talk }) => {
      talk.warn("slow vault");
      await Promise.resolve();
      throw new KeyctlError("conflict", "changed");
    });
    expect(JSON.parse((await run(noted, ["list", "-o", "json"])).io.err())).toMatchObject({
      notes: ["keyctl: warning: slow vault"],
      error: { code: "conflict", retryable: true },
    });
  });

  it("that nobody meant say nothing of what they carry, not even in debug", async () => {
    const broken = command({}, async () => {
      await Promise.resolve();
      throw new TypeError("the plaintext hunter2", { cause: new Error("hunter2 again") });
    });
    const plain = await run(broken, ["list"]);
    expect(plain.code).toBe(1);
    expect(plain.io.err()).toMatch(
      /^keyctl: error: something unexpected happened inside keyctl\nkeyctl: hint: .*report/,
    );
    const debug = await run(broken, ["list"], { env: { KEYCTL_DEBUG: "1" } });
    expect(debug.io.err()).toContain("frame.test.ts");
    expect(debug.io.err()).toContain("caused by");
    expect(plain.io.err() + debug.io.err()).not.toContain("hunter2");
  });

  it("say interrupted after Ctrl-C, and the session is closed", async () => {
    const io = fakeIo();
    const hanging = command({}, async () => {
      io.interrupt();
      return await new Promise<never>(() => undefined);
    });
    const loadServices = async (): Promise<never> => await Promise.reject(new Error("not needed"));
    expect(await runProgram(["list"], io, { commands: [hanging], loadServices, version: "1" })).toBe(130);
    expect(io.err()).toContain("interrupted");
  });
});

describe("the frame", () => {
  it("loads no service for help, version and wrong usage", async () => {
    for (const argv of [
      [],
      ["help"],
      ["--help"],
      ["list", "-h"],
      ["help", "list"],
      ["help", "exit-codes"],
      ["help", "list", "--man"],
      ["-V"],
      ["nope"],
      ["list", "x"],
    ]) {
      expect((await run(command({}, lists), argv)).loads()).toBe(0);
    }
  });

  it("opens one session, names store and vault for a mutation, and closes it", async () => {
    const mutates: Run = async ({ session, place, services }) => {
      expect(await session()).toBe(await session());
      expect(await place()).toBe(await place());
      await services();
      return "ok";
    };
    const ran = await run(command({ mutation: "yes" }, mutates), ["list"]);
    expect([ran.code, ran.closed(), ran.loads()]).toEqual([0, 1, 1]);
    expect(ran.io.err()).toBe("keyctl: store sqlite:/s, vault embedded:/v\n");
    expect((await run(command({}, mutates), ["list"])).io.err()).toBe("");
  });

  it("hands global flags over from before and after the verb, the later ones winning", async () => {
    let seen: CommandContext["globals"] | null = null;
    const looks = command({ mutation: "idempotent" }, async ({ globals, mutationOptions }) => {
      seen = globals;
      expect(mutationOptions()).toEqual({ reason: "why", ticket: null, ifRevision: 3, idempotencyKey: "k" });
      return await Promise.resolve("ok" as const);
    });
    const argv = [
      "--env",
      "dev",
      "--tenant=acme",
      "list",
      "--env",
      "qa",
      "-y",
      "--dry-run",
      "--reason",
      "why",
      "--if-revision",
      "3",
      "--idempotency-key",
      "k",
    ];
    expect((await run(looks, argv)).code).toBe(0);
    expect(seen).toMatchObject({
      env: "qa",
      tenant: "acme",
      yes: true,
      dryRun: true,
      output: null,
      outFile: null,
    });
  });

  it("refuses --dry-run of what changes nothing, and two flags that mean the same and differ", async () => {
    expect((await run(command({}, lists), ["list", "--dry-run"])).code).toBe(2);
    expect((await run(command({}, lists), ["list", "-o", "json", "--format", "csv"])).code).toBe(2);
    expect((await run(command({}, lists), ["list", "-o", "yaml"])).io.err()).toContain(
      "one of table, wide, json",
    );
  });

  it("runs another command line in the same process", async () => {
    const nested = command({}, async ({ runAgain }) => {
      const inner = fakeIo();
      expect(await runAgain(["--version"], inner)).toBe(0);
      expect(inner.out()).toBe("1.2.3\n");
      return "ok";
    });
    expect((await run(nested, ["list"])).code).toBe(0);
  });
});
