import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Database } from "better-sqlite3";
import type { Session } from "../../src/cli/context.ts";
import { listCommand } from "../../src/cli/commands/list.ts";
import { readGlobals } from "../../src/cli/global-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { createTalk } from "../../src/cli/talk.ts";
import { composeServices } from "../../src/compose.ts";
import { fakeIo } from "../fakes/io.ts";

/** A `KEYCTL_HOME` of a benchmark's own, with the real store, vault and clock, owned by whoever runs it. */
export interface BenchHome {
  path: string;
  /** What use cases take; close it. */
  session(): Promise<Session>;
  /** The store's file without keyctl: for rows that would take too long to make one by one. Close it. */
  database(): Database;
  remove(): void;
}

/** Makes the home below the system's temporary directory (`TMPDIR` chooses another disk). */
export async function makeBenchHome(): Promise<BenchHome> {
  const path = mkdtempSync(join(tmpdir(), "keyctl-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  const home: BenchHome = {
    path,
    session: async () => await openSession(path),
    database: () => {
      const database = new Sqlite(join(path, "store.db"));
      database.pragma("synchronous = off");
      database.pragma("foreign_keys = off");
      return database;
    },
    remove: () => {
      process.off("exit", remove);
      remove();
    },
  };
  await (await home.session()).close();
  return home;
}

async function openSession(path: string): Promise<Session> {
  const io = {
    ...fakeIo({ env: { KEYCTL_HOME: path }, cwd: path, homeDirectory: path }),
    login: userInfo().username,
    now: () => Date.now(),
  };
  const { pid, platform, execPath } = process;
  const system = { pid, platform, uid: process.getuid?.() ?? null, tool: "keyctl/bench" };
  const talk = createTalk(io, { json: false, tolerant: false });
  const services = composeServices({
    io,
    talk,
    system: { ...system, node: execPath, script: "", nodeVersion: "", nodeRange: "", signals: process },
  });
  const parsed = parseCommandLine(["list"], [listCommand]);
  if (parsed.kind !== "run") throw new Error("list was not understood");
  const place = await services.resolve(readGlobals(listCommand, parsed.flags));
  return await place.openSession({ make: true });
}
