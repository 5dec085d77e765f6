import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandLine, quoted } from "../../src/cli/command-line.ts";
import { confirmDanger } from "../../src/cli/danger.ts";
import type { Danger } from "../../src/cli/danger.ts";
import { Flags } from "../../src/cli/flags.ts";
import { fromFileOption, readPipedSecret, readSecret, readStdin } from "../../src/cli/secret-input.ts";
import { assertFormatShowsSecret, deliverSecret } from "../../src/cli/secret-output.ts";
import { createAnswer } from "../../src/cli/render/answer.ts";
import type { OutputFormat } from "../../src/cli/render/view.ts";
import { createTalk } from "../../src/cli/talk.ts";
import { Secret } from "../../src/core/secret.ts";
import { fakeIo } from "../fakes/io.ts";
import type { FakeIo, FakeIoOptions } from "../fakes/io.ts";

const planHash = "0123456789abcdef";
const moderate: Danger = { class: "moderate", question: "rotate prod/a", word: "a" };
const severe: Danger = {
  class: "severe",
  question: "revoke 3 keys",
  word: "3",
  alsoAccepted: ["three"],
  planHash,
};

async function asked(
  danger: Danger,
  flags: { yes?: boolean; confirm?: string },
  answers?: FakeIoOptions["answers"],
): Promise<FakeIo> {
  const io = fakeIo(answers === undefined ? {} : { answers });
  const talk = createTalk(io, { json: false, tolerant: false });
  const globals = { yes: flags.yes ?? false, confirm: flags.confirm ?? null };
  await confirmDanger(
    { io, talk, argv: ["rotate", "prod/a", "--yes", "--reason", "it's time"], globals },
    danger,
  );
  return io;
}

describe("a dangerous command", () => {
  it("asks nothing when it is mild", async () => {
    for (const mild of ["none", "mild"] as const) {
      expect((await asked({ ...moderate, class: mild }, { confirm: "whatever" })).questions).toEqual([]);
      expect((await asked({ ...moderate, class: mild }, {})).questions).toEqual([]);
    }
  });

  it("asks y/N when it is moderate, unless --yes or the name is given", async () => {
    expect((await asked(moderate, {}, [true])).questions).toEqual(["rotate prod/a?"]);
    expect((await asked(moderate, { yes: true })).questions).toEqual([]);
    expect((await asked(moderate, { confirm: "a" })).questions).toEqual([]);
    await expect(asked(moderate, {}, [false])).rejects.toMatchObject({ code: "interrupted" });
    await expect(asked(moderate, {}, [null])).rejects.toMatchObject({ code: "interrupted" });
  });

  it("wants the word itself when it is severe; --yes is not enough", async () => {
    expect((await asked(severe, { yes: true }, ["3"])).questions).toEqual([
      "revoke 3 keys: type 3 to confirm",
    ]);
    await expect(asked(severe, {}, ["2"])).rejects.toMatchObject({ code: "interrupted" });
    for (const confirm of ["3", "three", planHash]) await asked(severe, { confirm });
    await expect(asked(severe, { yes: true })).rejects.toMatchObject({ code: "usage" });
  });

  it("without a terminal names the exact command to run", async () => {
    await expect(asked(moderate, {})).rejects.toMatchObject({
      code: "usage",
      hint: `keyctl rotate prod/a --reason 'it'\\''s time' --yes`,
    });
    await expect(asked(severe, {})).rejects.toMatchObject({
      hint: `keyctl rotate prod/a --reason 'it'\\''s time' --confirm 3`,
    });
  });

  it("is a conflict when the plan's hash is another's, and wrong usage for another word", async () => {
    await expect(asked(severe, { confirm: "f".repeat(16) })).rejects.toMatchObject({ code: "conflict" });
    await expect(asked(severe, { confirm: "4" })).rejects.toMatchObject({ code: "usage" });
    await expect(asked(moderate, { yes: true, confirm: "b" })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("a command that is shown to be typed again", () => {
  it("leaves flags out with their values and puts the new ones before --", () => {
    const change = { without: ["--yes", "--confirm"], add: ["--yes"] };
    expect(commandLine(["a", "--confirm", "x", "--confirm=y", "b"], change)).toBe("keyctl a b --yes");
    expect(commandLine(["a", "--", "--yes"], change)).toBe("keyctl a --yes -- --yes");
  });

  it("is quoted so that a shell reads it back and nothing is run", () => {
    expect(quoted("a b")).toBe("'a b'");
    expect(quoted("$(rm)")).toBe("'$(rm)'");
    expect(quoted("")).toBe("''");
    fc.assert(
      fc.property(fc.string(), (word) => /^(?:[\w@%+=:,./-]+|'(?:[^']|'\\'')*')$/.test(quoted(word))),
    );
  });
});

describe("a secret that comes in", () => {
  const read = async (options: FakeIoOptions, path?: string): Promise<Secret> => {
    const io = fakeIo(options);
    const flags = new Flags([fromFileOption], new Map(path === undefined ? [] : [["from-file", path]]));
    return await readSecret(
      { io, talk: createTalk(io, { json: false, tolerant: false }), flags },
      "the value",
    );
  };
  const text = (secret: Secret): string => Buffer.from(secret.reveal()).toString("latin1");

  it("loses one newline at its end and nothing else", async () => {
    expect(text(await read({ stdin: "ab\n" }, "-"))).toBe("ab");
    expect(text(await read({ stdin: "ab\r\n" }, "-"))).toBe("ab");
    expect(text(await read({ stdin: "ab\n\n" }, "-"))).toBe("ab\n");
    expect(text(await read({ stdin: " a\nb\r" }, "-"))).toBe(" a\nb\r");
    expect(text(await read({ stdin: "\n" }, "-"))).toBe("");
    expect(text(await read({ stdin: new Uint8Array([0, 255, 10]) }, "-"))).toBe("\u0000\u00ff");
    expect(text(await read({ files: { f: "from file\n" } }, "f"))).toBe("from file");
  });

  it("is asked for on a terminal, and refused without one", async () => {
    expect(text(await read({ answers: ["typed"] }))).toBe("typed");
    await expect(read({})).rejects.toMatchObject({
      code: "usage",
      hint: expect.stringContaining("--from-file -"),
    });
  });

  it("comes from a pipe without a flag where the verb says so", async () => {
    const piped = async (options: FakeIoOptions): Promise<string> => {
      const io = fakeIo(options);
      const from = {
        io,
        talk: createTalk(io, { json: false, tolerant: false }),
        flags: new Flags([fromFileOption], new Map()),
      };
      return text(await readPipedSecret(from, "the key"));
    };
    expect(await piped({ stdin: "key\n" })).toBe("key");
    expect(await piped({ terminal: { stdin: true }, answers: ["typed"] })).toBe("typed");
  });

  it("has a bound", async () => {
    await expect(readStdin(fakeIo({ stdin: "12345" }), 4)).rejects.toMatchObject({ code: "refused" });
  });
});

describe("a secret that is shown once", () => {
  const deliver = async (format: OutputFormat, options: FakeIoOptions = {}, version = 2): Promise<FakeIo> => {
    const io = fakeIo(options);
    const talk = createTalk(io, { json: format === "json", tolerant: true });
    const answer = createAnswer({ io, talk, format, toStdout: true });
    await deliverSecret(
      { io, talk, answer },
      { keyPath: "prod/a", version, secret: Secret.fromUtf8("s3cret"), json: { name: "a" } },
    );
    await talk.flush();
    return io;
  };

  it("is all of stdout, or a field of the JSON", async () => {
    const plain = await deliver("table");
    expect([plain.out(), plain.err()]).toEqual(["s3cret\n", ""]);
    expect(JSON.parse((await deliver("json")).out())).toEqual({ name: "a", secret: "s3cret" });
    expect((await deliver("jsonl")).out()).toBe('{"name":"a","secret":"s3cret"}\n');
  });

  it("comes with a warning on a terminal", async () => {
    expect((await deliver("table", { terminal: { stdout: true } })).err()).toContain("the only time");
  });

  it("that cannot be written is told as indeterminate, with the way out", async () => {
    for (const how of ["closed", "full"] as const) {
      await expect(deliver("table", { stdoutFails: { after: 0, how } })).rejects.toMatchObject({
        code: "indeterminate",
        message: "version 2 of prod/a is active, its secret was not delivered",
        hint: "keyctl rollback prod/a, or keyctl rotate prod/a",
      });
    }
    await expect(deliver("json", { stdoutFails: { after: 0, how: "full" } }, 1)).rejects.toMatchObject({
      hint: "keyctl rotate prod/a",
    });
  });

  it("refuses beforehand a format that would lose it", () => {
    const context = (
      format: OutputFormat,
      outFile: string | null,
    ): Parameters<typeof assertFormatShowsSecret>[0] => {
      const io = fakeIo();
      const talk = createTalk(io, { json: false, tolerant: true });
      const globals = {
        profile: null,
        store: null,
        vault: null,
        auth: null,
        tenant: null,
        env: null,
        yes: false,
        confirm: null,
        dryRun: false,
      };
      return {
        answer: createAnswer({ io, talk, format, toStdout: true }),
        globals: { ...globals, output: format, outFile },
      };
    };
    expect(() => assertFormatShowsSecret(context("name", null))).toThrow("shown only once");
    expect(() => assertFormatShowsSecret(context("csv", null))).toThrow("shown only once");
    assertFormatShowsSecret(context("csv", "/f"));
    assertFormatShowsSecret(context("table", null));
  });
});
