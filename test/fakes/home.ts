import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { composeServices } from "../../src/compose.ts";
import type { Session } from "../../src/cli/context.ts";
import { createTalk } from "../../src/cli/talk.ts";
import { readGlobals } from "../../src/cli/global-flags.ts";
import { listCommand } from "../../src/cli/commands/list.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
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
  remove(): void;
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
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
  return home;
}
