import { createHash } from "node:crypto";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { CommandDefinition } from "../../src/cli/command.ts";
import { composeServices } from "../../src/compose.ts";
import { runProgram } from "../../src/cli/program.ts";
import { commands } from "../../src/cli/tree.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, Ran } from "../fakes/home.ts";
import { fakeIo } from "../fakes/io.ts";
import type { FakeIoOptions } from "../fakes/io.ts";

/** One call of the command line, and what goes in with it. */
export interface Call {
  argv: readonly string[];
  with?: FakeIoOptions;
}

/** A home with a key of each kind, and calls of every verb that succeed in it. */
export interface World {
  home: Home;
  /** The issued key's first version and the one that replaced it. */
  first: string;
  second: string;
  run(call: Call): Promise<Judged>;
}

/** How a call ended, and the status with which its verb tells every failure of its own, if it has one. */
export interface Judged extends Ran {
  ownFailure?: number;
}

export const providerValue = ["sk", "proj", "not", "a", "real", "one"].join("-");
export const secretValue = "correct horse battery staple";

interface Template {
  home: Home;
  first: string;
  second: string;
}

let template: Promise<Template> | null = null;

/** Makes what the verbs' good calls need, by `ok`, which runs one command line with this input and answers stdout. */
export async function fillHome(
  ok: (argv: readonly string[], stdin: string) => Promise<string>,
): Promise<{ first: string; second: string }> {
  const say = async (line: string): Promise<string> => (await ok(line.split(" "), "")).trim();
  const first = await say("create api --scopes read");
  const second = await say("rotate api --yes");
  const given = async (line: string, value: string): Promise<unknown> =>
    await ok([...line.split(" "), "--from-file", "-"], value);
  await given("create openai --kind provider --provider openai", providerValue);
  await given("create db --kind secret --type db-credential", secretValue);
  await say("create phi --kind encryption --type PHI_DATA");
  await say("create gone");
  await say("revoke gone --reason superseded --yes");
  await say("create paused");
  await say("suspend paused --reason test");
  await say("create thrown-away");
  await say("delete thrown-away --yes");
  await say("tenant create spare");
  await say("actor add mia --role operator");
  return { first, second };
}

/** Made once in a worker: the RSA key of an encryption key takes most of a test's time. */
async function templateHome(): Promise<Template> {
  template ??= (async () => {
    const home = await makeHome();
    process.once("exit", () => home.remove());
    return { home, ...(await fillHome(async (argv, stdin) => await home.ok(argv, { stdin }))) };
  })();
  return await template;
}

/** A fresh copy of that home. */
export async function makeWorld(): Promise<World> {
  const { home: from, first, second } = await templateHome();
  const home = await makeHome({ init: false });
  cpSync(from.path, home.path, { recursive: true });
  home.now = from.now + 1000;
  return {
    home,
    first,
    second,
    run: async ({ argv, with: options }) => judged(argv, await home.run(argv, options)),
  };
}

function judged([verb]: readonly string[], ran: Ran): Judged {
  const ownFailure = commands.find(({ name }) => name === verb)?.ownFailure;
  return ownFailure === undefined ? ran : { ...ran, ownFailure };
}

/** As `home.run`, on a store that waits a moment only for locks, or that may not grow. */
export async function runLimited(
  { home }: World,
  call: Call,
  limits: { busyTimeoutMs?: number; pagesMax?: number },
): Promise<Judged> {
  const io = fakeIo({
    now: home.now,
    cwd: home.path,
    homeDirectory: home.path,
    ...call.with,
    env: { KEYCTL_HOME: home.path, ...call.with?.env },
  });
  const { pid, platform } = process;
  const system = {
    pid,
    platform,
    uid: process.getuid?.() ?? null,
    tool: "keyctl/test",
    node: "",
    script: "",
    nodeVersion: process.versions.node,
    nodeRange: ">=22",
    signals: process,
  };
  const code = await runProgram(call.argv, io, {
    commands,
    version: "test",
    loadServices: async (streams, talk) =>
      await Promise.resolve(composeServices({ io: streams, talk, system, limits })),
  });
  return judged(call.argv, { code, out: io.out(), err: io.err() });
}

/** The id of the actor who made a home. */
function actorIdIn({ path }: Pick<Home, "path">): string {
  const database = new Database(join(path, "store.db"), { readonly: true });
  try {
    return String(database.prepare("select actor_id from memberships where role = 'owner'").pluck().get());
  } finally {
    database.close();
  }
}

/** What a verb needs, and a call of it that succeeds. */
export interface VerbRow {
  good: (world: World) => Call;
  /** Takes NAME; `new` when the name must be free. */
  name: "none" | "existing" | "new";
  /** `own`: what is wrong with this home does not stop it, because it has one of its own or says what is wrong. */
  store: "needed" | "made" | "helpful" | "own";
  vault: "needed" | "helpful" | "none";
  /** That the vault did not answer is an entry of the log. */
  tellsVault?: true;
}

/** Every verb; the suite fails for one that has no row here. */
export const verbs: Readonly<Record<string, VerbRow>> = {
  init: { good: () => ({ argv: ["init"] }), name: "none", store: "made", vault: "needed" },
  "profile list": {
    good: () => ({ argv: ["profile", "list"] }),
    name: "none",
    store: "own",
    vault: "none",
  },
  "profile use": {
    good: () => ({ argv: ["profile", "use", "default"] }),
    name: "none",
    store: "own",
    vault: "none",
  },
  demo: { good: () => ({ argv: ["demo"] }), name: "none", store: "own", vault: "none" },
  create: { good: () => ({ argv: ["create", "new"] }), name: "new", store: "made", vault: "needed" },
  list: { good: () => ({ argv: ["list"] }), name: "none", store: "needed", vault: "none" },
  show: { good: () => ({ argv: ["show", "api"] }), name: "existing", store: "needed", vault: "none" },
  verify: {
    good: ({ second }) => ({ argv: ["verify"], with: { stdin: second } }),
    name: "none",
    store: "needed",
    vault: "needed",
  },
  reveal: {
    good: () => ({ argv: ["reveal", "db", "--stdout"] }),
    name: "existing",
    store: "needed",
    vault: "needed",
    tellsVault: true,
  },
  exec: {
    good: () => ({ argv: ["exec", "-e", "DB=db", "--", "true"] }),
    name: "none",
    store: "needed",
    vault: "needed",
    tellsVault: true,
  },
  rotate: {
    good: () => ({ argv: ["rotate", "api", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "needed",
  },
  rollback: {
    good: () => ({ argv: ["rollback", "api", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "needed",
  },
  update: {
    good: () => ({ argv: ["update", "api", "--tag=a=b"] }),
    name: "existing",
    store: "needed",
    vault: "needed",
  },
  delete: {
    good: () => ({ argv: ["delete", "api", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "none",
  },
  restore: {
    good: () => ({ argv: ["restore", "thrown-away", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "none",
  },
  suspend: {
    good: () => ({ argv: ["suspend", "api", "--reason=a test"] }),
    name: "existing",
    store: "needed",
    vault: "none",
  },
  resume: {
    good: () => ({ argv: ["resume", "paused", "--reason=a test", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "needed",
  },
  revoke: {
    good: () => ({ argv: ["revoke", "api", "--reason", "superseded", "--yes"] }),
    name: "existing",
    store: "needed",
    vault: "none",
  },
  status: { good: () => ({ argv: ["status"] }), name: "none", store: "needed", vault: "none" },
  reconcile: {
    good: () => ({ argv: ["reconcile", "--fix"] }),
    name: "none",
    store: "needed",
    vault: "needed",
  },
  completion: {
    good: () => ({ argv: ["completion", "bash"] }),
    name: "none",
    store: "own",
    vault: "none",
  },
  doctor: { good: () => ({ argv: ["doctor"] }), name: "none", store: "own", vault: "none" },
  "audit-list": { good: () => ({ argv: ["audit-list"] }), name: "none", store: "needed", vault: "none" },
  "audit-export": {
    good: () => ({ argv: ["audit-export"] }),
    name: "none",
    store: "needed",
    vault: "needed",
  },
  "audit-verify": {
    good: () => ({ argv: ["audit-verify", "--state"] }),
    name: "none",
    store: "needed",
    vault: "needed",
  },
  "audit-erase": {
    good: ({ home }) => {
      const id = actorIdIn(home);
      return { argv: ["audit-erase", `--actor=${id}`, `--confirm=${id}`] };
    },
    name: "none",
    store: "needed",
    vault: "none",
  },
  "tenant create": {
    good: () => ({ argv: ["tenant", "create", "acme"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "tenant list": { good: () => ({ argv: ["tenant", "list"] }), name: "none", store: "needed", vault: "none" },
  "tenant show": {
    good: () => ({ argv: ["tenant", "show", "spare"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "tenant delete": {
    good: () => ({ argv: ["tenant", "delete", "spare", "--confirm=spare"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "actor add": {
    good: () => ({ argv: ["actor", "add", "kim"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "actor list": { good: () => ({ argv: ["actor", "list"] }), name: "none", store: "needed", vault: "none" },
  "actor grant": {
    good: () => ({ argv: ["actor", "grant", "mia", "auditor", "--yes"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "actor revoke": {
    good: () => ({ argv: ["actor", "revoke", "mia", "--yes"] }),
    name: "none",
    store: "needed",
    vault: "none",
  },
  "leak-scan": {
    good: () => ({ argv: ["leak-scan", "-"], with: { stdin: "nothing to see here\n" } }),
    name: "none",
    store: "helpful",
    vault: "helpful",
  },
};

/** The verbs as a table for `it.each`. */
export function verbTable(choose: (row: VerbRow) => boolean): [string, VerbRow][] {
  return Object.entries(verbs).filter(([, row]) => choose(row));
}

/** The definition of a verb, which must be in the tree. */
export function definitionOf(verb: string): CommandDefinition {
  const found = commands.find(({ name }) => name === verb);
  if (found === undefined) throw new Error(`no verb ${verb}`);
  return found;
}

/** A verb's good call with its words changed; what stands behind `--` is another program's. */
export function changedCall(world: World, verb: string, change: (argv: string[]) => string[]): Call {
  const call = verbs[verb]?.good(world);
  if (call === undefined) throw new Error(`no row for ${verb}`);
  const cut = call.argv.indexOf("--");
  const at = cut < 0 ? call.argv.length : cut;
  return { ...call, argv: [...change(call.argv.slice(0, at)), ...call.argv.slice(at)] };
}

/** Everything the store holds, or all but the log, as one hash: nothing half done means that it is as before. */
export function storeHash({ home }: World, withLog = true): string {
  const path = join(home.path, "store.db");
  const database = new Database(path, { readonly: true });
  try {
    const tables = database
      .prepare("select name from sqlite_schema where type = 'table' order by name")
      .pluck()
      .all();
    const hash = createHash("sha256");
    for (const table of tables.map(String).filter((name) => withLog || !name.startsWith("audit_"))) {
      const rows = database.prepare(`select * from "${table}"`).all();
      hash.update(`${table}\n${JSON.stringify(rows)}\n`);
    }
    return hash.digest("hex");
  } finally {
    database.close();
  }
}

/** Nothing waits, no operation is open, and log, keys and vault agree. */
export async function expectSound({ home }: World): Promise<void> {
  const reconciled = await home.run(["reconcile", "-o", "json"]);
  expect(reconciled.code, reconciled.err).toBe(0);
  expect(JSON.parse(reconciled.out)).toMatchObject({ operations: [], drift: [], queue: { due: 0 } });
  const verdict = await home.run(["audit-verify", "--state", "-o", "json"]);
  expect(verdict.code, verdict.err).toBe(0);
  expect(JSON.parse(verdict.out)).toMatchObject({ integrity: "ok", differences: [] });
}

export interface Refusal {
  code: number;
  /** The error's name, as `-o json` has it. */
  name: string;
  message?: RegExp;
  hint?: RegExp;
}

export const refusals = {
  usage: { code: 2, name: "usage" },
  notFound: { code: 3, name: "not-found" },
  unauthenticated: { code: 4, name: "unauthenticated" },
  conflict: { code: 6, name: "conflict" },
  refused: { code: 7, name: "refused" },
  unavailable: { code: 10, name: "unavailable" },
  integrity: { code: 11, name: "integrity" },
  interrupted: { code: 130, name: "interrupted" },
} as const;

// oxlint-disable-next-line no-control-regex -- what must not reach a terminal
const untidy = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

/** One error line and one hint on stderr, in the house style, nothing on stdout, never a stack trace. */
export function expectOneClearMessage(ran: Judged, refusal: Refusal): void {
  expect(ran.code, ran.err).toBe(ran.ownFailure ?? refusal.code);
  expect(ran.out).toBe("");
  expect(ran.err).not.toMatch(/\n\s+at /);
  expect(ran.err).not.toMatch(untidy);
  const lines = ran.err.trimEnd().split("\n");
  const errors = lines.filter((line) => line.startsWith("keyctl: error: "));
  expect(errors, ran.err).toHaveLength(1);
  const message = (errors[0] ?? "").slice("keyctl: error: ".length);
  expect(message).not.toMatch(/\.$/);
  if (refusal.message !== undefined) expect(message).toMatch(refusal.message);
  const hints = lines.filter((line) => line.startsWith("keyctl: hint: "));
  expect(hints, ran.err).toHaveLength(1);
  if (refusal.hint !== undefined) expect(hints[0]).toMatch(refusal.hint);
  // Besides these two there is only talk of where a mutation works.
  for (const line of lines) expect(line).toMatch(/^keyctl: /);
}

/** stderr is one JSON object and nothing else. */
export function expectOneJsonError(ran: Judged, refusal: Refusal): void {
  expect(ran.code, ran.err).toBe(ran.ownFailure ?? refusal.code);
  expect(ran.out).toBe("");
  const { error } = JSON.parse(ran.err);
  expect(error).toMatchObject({ code: refusal.name, message: expect.any(String), hint: expect.any(String) });
  expect(Object.keys(error).toSorted()).toEqual(["code", "hint", "message", "operationId", "retryable"]);
  if (refusal.message !== undefined) expect(error.message).toMatch(refusal.message);
  if (refusal.hint !== undefined) expect(error.hint).toMatch(refusal.hint);
}

/** The same call with its errors in JSON. */
export function inJson(call: Call): Call {
  const cut = call.argv.indexOf("--");
  return { ...call, argv: call.argv.toSpliced(cut < 0 ? call.argv.length : cut, 0, "-o", "json") };
}

/** By a role, a policy, or a row or vault that was changed: what the log tells of. */
export function isTold({ code }: Refusal): boolean {
  return [5, 7, 11].includes(code);
}

/** Refused in words and in JSON, and the store holds what it held; an attempt that the log tells of adds to the log alone. */
export async function expectRefused(world: World, call: Call, refusal: Refusal): Promise<void> {
  const store = join(world.home.path, "store.db");
  const withLog = !isTold(refusal);
  const before = existsSync(store) ? storeHash(world, withLog) : null;
  expectOneClearMessage(await world.run(call), refusal);
  expectOneJsonError(await world.run(inJson(call)), refusal);
  if (before !== null) expect(storeHash(world, withLog), "the store changed").toBe(before);
}
