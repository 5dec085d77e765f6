import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { Check } from "../../src/app/check.ts";
import type { DoctorDeps } from "../../src/app/doctor.ts";
import { doctorCommand } from "../../src/cli/commands/doctor.ts";
import { readGlobals } from "../../src/cli/global-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { composeDoctor } from "../../src/compose-doctor.ts";
import type { Home } from "../fakes/home.ts";
import { fakeIo } from "../fakes/io.ts";
import type { FakeIoOptions } from "../fakes/io.ts";

/** Our own `bin/keyctl.js`. */
export const script = fileURLToPath(new URL("../../bin/keyctl.js", import.meta.url));

/** Every name below a folder with its content, permissions and times, as text that a test can compare. */
export function snapshot(folder: string): string[] {
  const { mode, uid, mtimeNs, ctimeNs } = lstatSync(folder, { bigint: true });
  const own = `${folder} ${mode.toString(8)} ${uid} ${mtimeNs} ${ctimeNs}`;
  const below = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return snapshot(path);
    const found = lstatSync(path, { bigint: true });
    const content = entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
    const hash = createHash("sha256").update(content).digest("hex");
    return [`${path} ${found.mode.toString(8)} ${found.uid} ${found.mtimeNs} ${found.ctimeNs} ${hash}`];
  });
  return [own, ...below].toSorted();
}

export interface Diagnosis {
  code: number;
  ok: boolean;
  checks: Check[];
  err: string;
}

/** What `keyctl doctor -o json` answers in a home; fails when anything in the home was touched, or a line has no cure. */
export async function diagnose(
  home: Home,
  argv: readonly string[] = [],
  options: FakeIoOptions = {},
): Promise<Diagnosis> {
  const before = snapshot(home.path);
  const { code, out, err } = await home.run(["doctor", "-o", "json", ...argv], options);
  expect(snapshot(home.path), "doctor changed something").toEqual(before);
  const { ok, checks }: { ok: boolean; checks: Check[] } = JSON.parse(out);
  for (const { status, cure, message } of checks) {
    expect(cure === null, message).toBe(status === "ok");
    expect(message).not.toMatch(/\.$|\n/);
  }
  expect(ok).toBe(checks.every(({ status }) => status !== "fail"));
  expect(code).toBe(ok ? 0 : 11);
  expect(err).not.toMatch(/\n\s+at /);
  return { code, ok, checks, err };
}

/** The lines of one sort. */
export function linesOf({ checks }: Diagnosis, id: string): Check[] {
  return checks.filter((check) => check.id === id);
}

/** The only line of its sort. */
export function lineOf(diagnosis: Diagnosis, id: string): Check {
  const [line, ...more] = linesOf(diagnosis, id);
  if (line === undefined || more.length > 0) {
    throw new Error(
      `${more.length + (line ? 1 : 0)} lines ${id} in\n${JSON.stringify(diagnosis.checks, null, 2)}`,
    );
  }
  return line;
}

/** Changes the home's store behind keyctl, and leaves no log beside it. */
export function alterStore(home: Home, ...statements: string[]): void {
  const database = new Database(join(home.path, "store.db"));
  try {
    for (const statement of statements) database.exec(statement);
    database.pragma("wal_checkpoint(truncate)");
  } finally {
    database.close();
  }
}

/** What doctor looks through in this home, with some of it replaced; `uid` is also who opens the vault. */
export function depsOf(home: Home, set: Partial<DoctorDeps> = {}): DoctorDeps {
  const io = fakeIo({
    env: { KEYCTL_HOME: home.path },
    cwd: home.path,
    homeDirectory: home.path,
    now: home.now,
  });
  const { pid, platform, versions } = process;
  const uid = set.uid === undefined ? (process.getuid?.() ?? null) : set.uid;
  const system = {
    pid,
    platform,
    uid,
    tool: "keyctl/1.2.3",
    node: "",
    script,
    nodeVersion: versions.node,
    nodeRange: ">=22",
    signals: process,
  };
  const parsed = parseCommandLine(["doctor"], [doctorCommand]);
  if (parsed.kind !== "run") throw new Error("doctor was not understood");
  const random = { bytes: (count: number) => new Uint8Array(count) };
  return { ...composeDoctor({ io, system, random }, readGlobals(doctorCommand, parsed.flags)), ...set };
}
