import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";
import {
  expectOneClearMessage,
  expectSound,
  fillHome,
  makeWorld,
  refusals,
  runLimited,
  storeHash,
  verbTable,
  verbs,
} from "../cli/bad-input-world.ts";
import type { World } from "../cli/bad-input-world.ts";
import { okProcess, program, runProcess } from "../e2e/canary-process.ts";
import type { Ran } from "../e2e/canary-process.ts";

const { unavailable } = refusals;
const isRoot = process.getuid?.() === 0;
/** Nobody, on every system that has it. */
const nobody = 65_534;

/** A home that this user's processes made, as `bad-input-world.ts` has it; its login is the real one. */
let template = "";
let key = "";
beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), "keyctl-space-"));
  await okProcess(template, ["init"]);
  ({ second: key } = await fillHome(async (argv, stdin) => await okProcess(template, argv, { stdin })));
});
afterAll(() => rmSync(template, { recursive: true, force: true }));

let home = "";
/** A copy for each test, which must leave no operation open. */
function ownHome(): void {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "keyctl-space-"));
    cpSync(template, home, { recursive: true });
  });
  afterEach(() => {
    const store = new Sqlite(join(home, "store.db"), { fileMustExist: true });
    const open = store.prepare("select count(*) from operations where status = 'open'").pluck().get();
    store.close();
    rmSync(home, { recursive: true, force: true });
    expect(open, "open operations").toBe(0);
  });
}

function argvOf(verb: string, path = home): readonly string[] {
  const stand = { second: key, home: { path } };
  const call = verbs[verb]?.good(Object.assign(Object.create(null), stand));
  if (call === undefined) throw new Error(`no row for ${verb}`);
  return call.argv;
}

const inputOf = (verb: string): string => (verb === "verify" ? key : "nothing to see\n");
const answering = commands.map(({ name }) => name).filter((name) => name !== "demo");
/** These need nothing of a home to be written, or read. */
const atRest = new Set(["leak-scan", "completion", "profile list", "profile use"]);

function expectNoTrace(ran: Ran): void {
  expect(ran.err).not.toMatch(/\n\s+at |node:internal|Error:/);
  expect(ran.signal).toBeNull();
}

const hasFull = statSync("/dev/full", { throwIfNoEntry: false })?.isCharacterDevice() ?? false;
if (!hasFull) it("skipped: this system has no /dev/full", () => undefined);

describe.runIf(hasFull)("an answer for which there is no space", () => {
  ownHome();

  // What exec runs has an output of its own.
  it.each(answering.filter((verb) => verb !== "exec"))(
    "of %s is told with its exit code, never with a stack trace",
    async (verb) => {
      const full = openSync("/dev/full", constants.O_WRONLY);
      const ran = await runProcess(home, argvOf(verb), { stdin: inputOf(verb), stdout: full });
      closeSync(full);
      expectNoTrace(ran);
      const handsOut = verb === "create" || verb === "rotate";
      expect(ran.code, ran.err).toBe(handsOut ? 12 : 10);
      expect(ran.err).toMatch(
        handsOut ? /is active, its secret was not delivered/ : /there is no space left/,
      );
    },
  );
});

describe("a reader that goes away", () => {
  ownHome();

  function piped(argv: readonly string[], reader: string, main: string): { code: string; err: string } {
    const script = `{ "$0" "$@"; echo "code $?" >&2; } | ${reader}`;
    const ran = spawnSync("/bin/sh", ["-c", script, process.execPath, main, ...argv], {
      input: key,
      encoding: "utf8",
      cwd: home,
      env: { PATH: process.env["PATH"] ?? "", KEYCTL_HOME: home, HOME: home },
    });
    return { code: /code (\d+)\n$/.exec(ran.stderr)?.[1] ?? "", err: ran.stderr };
  }

  it.each(answering)("changes nothing about %s, but for a key that is shown once", async (verb) => {
    const { code, err } = piped(argvOf(verb), "true", await program());
    expect(err).not.toMatch(/\n\s+at |EPIPE|node:internal/);
    if (verb === "create" || verb === "rotate") {
      expect(code, err).toBe("12");
      expect(err).toMatch(/is active, its secret was not delivered\nkeyctl: hint: .*keyctl rotate prod\//);
    } else expect(code, err).toBe("0");
  });

  it("leaves a key that counts to the rotate that the hint names", async () => {
    const { code, err } = piped(["create", "lost"], "true", await program());
    expect(code, err).toBe("12");
    const next = (await okProcess(home, ["rotate", "prod/lost", "--yes"])).trim();
    await okProcess(home, ["verify"], { stdin: next });
  });
});

describe("a store that may not grow", () => {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(() => world.home.remove());

  const writing = verbTable(({ store }) => store !== "own").filter(
    ([verb]) => !["init", "list", "show", "status", "audit-list", "leak-scan"].includes(verb),
  );

  it.each(writing)("stops %s with what to do, and nothing is half done", async (verb, row) => {
    const pages = Math.ceil(statSync(join(world.home.path, "store.db")).size / 8192);
    const call = row.good(world);
    const before = storeHash(world);
    // Long text fills the last pages at once; SQLite's own limit acts as a full disk does.
    const isMutation = commands.find(({ name }) => name === verb)?.mutation !== "no";
    const argv = isMutation
      ? [...call.argv, "--reason", verb === "revoke" ? "superseded" : "x".repeat(90_000)]
      : call.argv;
    const ran = await runLimited(world, { ...call, argv }, { pagesMax: pages });
    // What was erased stays erased; that the files could not be cleaned for want of space is said, and is still to do.
    const isHalf = verb === "audit-erase" && ran.code === 8;
    if (isHalf) expect(ran.err).toMatch(/no space left for the store[^]*may still hold what was erased/);
    else if (ran.code !== 0) {
      expectOneClearMessage(
        { ...ran, out: "" },
        { ...unavailable, message: /no space left for the store/, hint: /free some disk space/ },
      );
      expect(storeHash(world)).toBe(before);
    }
    expect((await world.run(call)).code, "with space again").toBe(0);
    await expectSound(world);
  });

  it("is noticed: some of these do need more pages", async () => {
    const pages = Math.ceil(statSync(join(world.home.path, "store.db")).size / 8192);
    const long = ["--description", "x".repeat(90_000), "--reason", "x".repeat(90_000)];
    const ran = await runLimited(world, { argv: ["create", "new", ...long] }, { pagesMax: pages });
    expectOneClearMessage(ran, { ...unavailable, message: /no space left/ });
  });
});

/** Root ignores modes, so these run as another user, who must be able to reach this checkout and its Node. */
const look = `require("node:fs").accessSync(${JSON.stringify(import.meta.dirname)})`;
const mayBeTried =
  !isRoot || spawnSync(process.execPath, ["-e", look], { uid: nobody, cwd: "/" }).status === 0;
if (!mayBeTried)
  console.log("skipped: a home that may only be read: another user cannot reach this checkout");

describe.runIf(mayBeTried)("a home that may only be read", () => {
  ownHome();

  const modes = (folder: number, file: number): void => {
    for (const name of ["store.db", "vault.db", "unlock.key"]) {
      if (isRoot) chownSync(join(home, name), nobody, nobody);
      chmodSync(join(home, name), name === "unlock.key" ? 0o400 : file);
    }
    for (const name of ["", "checkpoints"]) {
      if (isRoot) chownSync(join(home, name), nobody, nobody);
      chmodSync(join(home, name), folder);
    }
  };
  // Root ignores modes, so the process is another user's.
  const asUser = isRoot ? { uid: nobody } : {};

  it.each(answering)("stops %s with the cure where it has to write, and nothing changes", async (verb) => {
    const before = readFileSync(join(home, "store.db"));
    modes(0o500, 0o400);
    const ran = await runProcess(home, argvOf(verb), { stdin: inputOf(verb), ...asUser });
    modes(0o700, 0o600);
    expectNoTrace(ran);
    if (atRest.has(verb)) expect(ran.code, ran.err).toBe(0);
    else if (verb === "doctor") {
      expect(ran.code, ran.err).toBe(11);
      expect(ran.out).toMatch(/^fail .*unlock key|^fail .*store/m);
    } else {
      const ownFailure = commands.find(({ name }) => name === verb)?.ownFailure;
      expectOneClearMessage(
        { ...ran, code: ran.code ?? -1, ...(ownFailure === undefined ? {} : { ownFailure }) },
        { ...unavailable, message: /may not be read or written/, hint: /permissions/ },
      );
    }
    expect(readFileSync(join(home, "store.db")).equals(before)).toBe(true);
  });

  // Only root can run keyctl as somebody else; as anybody else there is nothing to try.
  const others = isRoot ? ["list", "create", "revoke", "leak-scan"] : [];
  it.each(others)("whose files belong to somebody else stops %s likewise", async (verb) => {
    const ran = await runProcess(template, argvOf(verb, template), {
      stdin: inputOf(verb),
      uid: nobody,
      cwd: "/",
    });
    expectNoTrace(ran);
    if (verb === "leak-scan") expect(ran.code, ran.err).toBe(0);
    else expectOneClearMessage({ ...ran, code: ran.code ?? -1 }, unavailable);
  });
});
