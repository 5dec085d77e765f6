import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runMain } from "../../src/main.ts";
import { fakeIo } from "../fakes/io.ts";
import { onTerminal } from "./terminal.ts";
import type { Screen, TerminalOptions } from "./terminal.ts";

const enter = "\r";
const ctrlC = "\u0003";

let template: string;
let home: string;
const fresh = (): string => mkdtempSync(join(tmpdir(), "keyctl-terminal-"));

beforeAll(async () => {
  home = template = fresh();
  await ok(["init"]);
});
beforeEach(() => {
  home = fresh();
  cpSync(template, home, { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
afterAll(() => rmSync(template, { recursive: true, force: true }));

async function typed(argv: readonly string[], options: Omit<TerminalOptions, "home"> = {}): Promise<Screen> {
  return await onTerminal(argv, { home, ...options });
}

/** Without a terminal, in this process, as the user and by the clock of those that have one. */
async function run(argv: readonly string[]): Promise<{ code: number; out: string }> {
  const io = fakeIo({ env: { KEYCTL_HOME: home }, cwd: home, homeDirectory: home, now: Date.now() });
  const code = await runMain(argv, { ...io, login: userInfo().username });
  return { code, out: io.out() };
}

async function ok(argv: readonly string[]): Promise<string> {
  const { code, out } = await run(argv);
  expect(code, argv.join(" ")).toBe(0);
  return out;
}

async function shown(name: string): Promise<string> {
  return await ok(["show", name, "-o", "json"]);
}

describe("rotate on a terminal", () => {
  it("takes Enter for no, and then nothing was done", async () => {
    await ok(["create", "payments"]);
    const before = await shown("payments");
    const question = /rotate prod\/payments\?/;
    for (const types of [enter, `n${enter}`, ctrlC]) {
      const screen = await typed(["rotate", "payments"], { typing: [{ sees: question, types }] });
      expect(screen.text).toContain("y/N");
      expect(screen.text).toContain("nothing was done");
      expect(screen.code).toBe(130);
    }
    expect(await shown("payments")).toBe(before);
  });

  it("shows the new key once it was answered with y, and says that it is the only time", async () => {
    await ok(["create", "payments"]);
    const { text, code } = await typed(["rotate", "payments"], {
      typing: [{ sees: /rotate prod\/payments\?/, types: `y${enter}` }],
    });
    expect(code).toBe(0);
    expect(text).toMatch(/^kc_live\.\w{14}\.\w{39}\r$/m);
    expect(text).toContain("the only time");
    expect(await shown("payments")).toContain('"activeVersion": 2');
  });
});

describe("revoke on a terminal", () => {
  const sees = /revoke 2 keys: type 2 to confirm/;

  beforeEach(async () => {
    await ok(["create", "a"]);
    await ok(["create", "b"]);
  });

  it("wants the number of several keys; a yes is not enough", async () => {
    const argv = ["revoke", "a", "b", "--reason", "superseded"];
    for (const types of [enter, `y${enter}`, `3${enter}`, ctrlC]) {
      expect((await typed(argv, { typing: [{ sees, types }] })).code).toBe(130);
    }
    expect(await shown("a")).toContain('"state": "active"');
    expect((await typed(argv, { typing: [{ sees, types: `2${enter}` }] })).code).toBe(0);
    expect(await ok(["list", "--state", "revoked", "-o", "name"])).toBe("prod/a\nprod/b\n");
  });

  it("asks on the terminal itself when the leaked text is piped into it", async () => {
    const leaked = (await ok(["rotate", "a", "--yes"])).trim();
    const piped = join(home, "job.log");
    // What is piped in must not be taken for the answer.
    writeFileSync(piped, `y\nBearer ${leaked}\ny\n`);
    const question = /revoke prod\/a\?/;
    const no = await typed(["revoke", "--leaked"], { piped, typing: [{ sees: question, types: enter }] });
    expect(no.code).toBe(130);
    expect(await shown("a")).not.toContain("compromised");
    const yes = await typed(["revoke", "--leaked"], {
      piped,
      typing: [{ sees: question, types: `y${enter}` }],
    });
    expect(yes.code).toBe(0);
    expect(yes.text).not.toContain(leaked);
    expect(await shown("a")).toContain('"state": "compromised"');
  });
});

describe("revoke of an encryption key on a terminal", () => {
  it("asks a second question before what the key protects goes dark", async () => {
    await ok(["create", "patients", "--kind", "encryption", "--type", "PHI_DATA"]);
    const argv = ["revoke", "patients", "--reason", "superseded", "-o", "json"];
    const first = { sees: /revoke prod\/patients\?/, types: `y${enter}` };
    const sees = /Type patients, or Enter to leave unwrap working/;
    const left = await typed(argv, { typing: [first, { sees, types: enter }] });
    expect(left.code).toBe(0);
    expect(left.text).toMatch(/"vault": \{\s+"done": 0,\s+"total": 0/);
    await ok(["revoke", "patients", "--undo", "--yes"]);
    const stopped = await typed(argv, { typing: [first, { sees, types: ctrlC }] });
    expect(stopped.code).toBe(130);
    expect(await shown("patients")).toContain('"state": "inactive"');
    const dark = await typed(argv, { typing: [first, { sees, types: `patients${enter}` }] });
    expect(dark.text).toMatch(/"vault": \{\s+"done": 1,\s+"total": 1/);
  });
});

describe("a secret typed on a terminal", () => {
  const value = ["hunter2", "hunter2"].join("-");

  it("is read by create and never stands on the screen", async () => {
    const argv = ["create", "main", "--kind", "provider", "--provider", "openai"];
    const sees = /Value of main/;
    const stopped = await typed(argv, { typing: [{ sees, types: `${value}${ctrlC}` }] });
    expect([stopped.code, stopped.raw.includes(value)]).toEqual([130, false]);
    expect((await run(["show", "main"])).code).toBe(3);
    const { raw, code } = await typed(argv, { typing: [{ sees, types: `${value}${enter}` }] });
    expect(raw).not.toContain(value);
    expect(code).toBe(0);
    expect(await shown("main")).toContain('"state": "active"');
  });

  it("is read by verify and never stands on the screen", async () => {
    const key = (await ok(["create", "payments"])).trim();
    const { raw, code } = await typed(["verify"], { typing: [{ sees: /Key/, types: `${key}${enter}` }] });
    expect(raw).not.toContain(key);
    expect(raw).toContain("accepted: prod/payments version 1");
    expect(code).toBe(0);
  });

  it("is asked twice where a typing error would lock a new vault for ever", async () => {
    const path = join(home, "sealed");
    const typing = [
      { sees: /New passphrase of the vault/, types: `${value}${enter}` },
      { sees: /The same once more/, types: `${value}x${enter}` },
    ];
    const argv = ["init", "--vault-key", "passphrase"];
    const { raw, code } = await typed(argv, { env: { KEYCTL_HOME: path }, typing });
    expect(raw).not.toContain(value);
    expect(raw).toContain("the two passphrases differ");
    expect(code).toBe(2);
    expect(existsSync(join(path, "vault.db"))).toBe(false);
  });
});

describe("colour", () => {
  const escape = "\u001b[";

  it("is used on a terminal, and not where it is not wanted", async () => {
    await ok(["create", "payments"]);
    const list = await typed(["list"]);
    expect(list.raw).toContain(escape);
    expect(list.text).toMatch(/^prod\/payments +issued +kc_live +active/m);
    const failed = await typed(["show", "nobody"]);
    expect(failed.raw).toContain(`${escape}31merror:`);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      expect((await typed(["list"], { env })).raw).not.toContain(escape);
      expect((await typed(["show", "nobody"], { env })).raw).not.toContain(escape);
    }
  });
});
