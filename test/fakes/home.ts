import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { composeServices } from "../../src/compose.ts";
import { composeKeyring } from "../../src/compose-keyring.ts";
import type { KeyringRequest } from "../../src/compose-keyring.ts";
import type { Session } from "../../src/cli/context.ts";
import { createTalk } from "../../src/cli/talk.ts";
import { readGlobals } from "../../src/cli/global-flags.ts";
import { listCommand } from "../../src/cli/commands/list.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import type { Keyring } from "../../src/library/keyring.ts";
import { runMain } from "../../src/main.ts";
import { fakeIo } from "./io.ts";
import type { FakeIoOptions } from "./io.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** A fresh `KEYCTL_HOME` with the real store and the real vault, on streams that a test can read. */
export interface Home {
  path: string;
  /** What the clock of every further call says. */
  now: number;
  /** Runs one command line in this process. */
  run(argv: readonly string[], options?: FakeIoOptions): Promise<Ran>;
  /** As `run`, and fails unless the exit code is 0; answers stdout. */
  ok(argv: readonly string[], options?: FakeIoOptions): Promise<string>;
  /** What use cases take, over this home; close it. */
  session(observer?: Session["observer"]): Promise<Session>;
  /** The library's keyring over this home, with the same clock; close it. */
  keyring(request?: Partial<KeyringRequest>): Promise<OpenedKeyring>;
  remove(): void;
}

/** A keyring, and what a test has of the program around it. */
export interface OpenedKeyring extends Keyring {
  /** What the keyring does by itself every second. */
  look(): void;
  warnings: string[];
}

let template: Promise<string> | null = null;
afterAll(async () => {
  const made = await template;
  if (made !== null) rmSync(made, { recursive: true, force: true });
  template = null;
});

/** A home that was set up once in this worker: making RSA keys for every test would take most of its time. */
async function readyHome(): Promise<string> {
  template ??= (async () => {
    const made = await makeHome({ init: false });
    await made.ok(["init"]);
    return made.path;
  })();
  return await template;
}

/** Makes the home; with `init` (the default) its store and vault too. */
export async function makeHome(options: { init?: boolean } = {}): Promise<Home> {
  const path = mkdtempSync(join(tmpdir(), "keyctl-home-"));
  if (options.init !== false) cpSync(await readyHome(), path, { recursive: true });
  const io = (more: FakeIoOptions): ReturnType<typeof fakeIo> =>
    fakeIo({
      now: home.now,
      cwd: path,
      homeDirectory: path,
      ...more,
      env: { KEYCTL_HOME: path, ...more.env },
    });
  const home: Home = {
    path,
    now: Date.UTC(2026, 10, 21, 12),
    run: async (argv, more = {}) => {
      const streams = io(more);
      const code = await runMain(argv, streams);
      return { code, out: streams.out(), err: streams.err() };
    },
    ok: async (argv, more = {}) => {
      const ran = await home.run(argv, more);
      if (ran.code !== 0) throw new Error(`keyctl ${argv.join(" ")}: exit ${ran.code}\n${ran.err}`);
      return ran.out;
    },
    session: async (observer) => {
      const streams = { ...io({}), now: () => home.now };
      const talk = createTalk(streams, { json: false, tolerant: false });
      const system = {
        pid: process.pid,
        platform: process.platform,
        uid: process.getuid?.() ?? null,
        tool: "keyctl/test",
        node: "",
        script: "",
        nodeVersion: process.versions.node,
        nodeRange: ">=22",
        signals: process,
      };
      const services = composeServices({
        io: streams,
        talk,
        system,
        ...(observer === undefined ? {} : { observer }),
      });
      const parsed = parseCommandLine(["list"], [listCommand]);
      if (parsed.kind !== "run") throw new Error("list was not understood");
      const place = await services.resolve(readGlobals(listCommand, parsed.flags));
      return await place.openSession({ make: true });
    },
    keyring: async (request) => await openKeyring({ ...io({}), now: () => home.now }, request),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
  return home;
}

async function openKeyring(
  streams: ReturnType<typeof fakeIo>,
  request: Partial<KeyringRequest> = {},
): Promise<OpenedKeyring> {
  const warnings: string[] = [];
  const looks: (() => void)[] = [];
  const { pid, platform } = process;
  const program = {
    io: streams,
    talk: { note: () => undefined, warn: (message: string) => void warnings.push(message) },
    system: { pid, platform, uid: process.getuid?.() ?? null, tool: "keyctl/test" },
    readPassphrase: async () => await Promise.reject(new Error("there is no passphrase in this test")),
    stopwatch: streams,
    every: (_: number, work: () => void) => {
      looks.push(work);
      return () => void looks.splice(0);
    },
  };
  const nothing = { profile: null, store: null, vault: null, tenant: null, env: null, service: null };
  const keyring = await composeKeyring(program, { ...nothing, ...request });
  return { ...keyring, warnings, look: () => looks.forEach((work) => work()) };
}
