import { hash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { ruleOf } from "../leak/scan-text.ts";
import { findNeedles, needlesOf } from "../e2e/canary-needles.ts";
import type { Needle } from "../e2e/canary-needles.ts";
import { runProcess } from "../e2e/canary-process.ts";
import type { ProcessOptions, Ran } from "../e2e/canary-process.ts";

/** Where a stream, a command line or a file said something. */
interface Said {
  where: string;
  bytes: Uint8Array;
}

interface Step {
  argv: string[];
  stdin?: string;
  /** The exit code; 0 where it is not named. */
  code?: number;
  /** The secret that stdout is there to show; taken out before the search. */
  shows?: string;
}

const random = (count: number): Uint8Array => randomBytes(count);
/** Readable, so that it would survive any text encoding. */
const word = (what: string): string => `${what}-${randomBytes(18).toString("hex")}`;

const secrets: Record<string, string> = {
  passphrase: word("passphrase"),
  "provider value": exampleOf(ruleOf("openai-project-key"), random).token,
  "provider value 2": word("second value of the provider"),
  "secret value": word("password with ümlauts & blanks"),
  "secret value 2": `${word("line one")}\n${word("line two")}`,
  "weak value": `!${randomBytes(3).toString("hex")}`,
  "leaked token": exampleOf(ruleOf("github-personal-access-token"), random).token,
  "mistyped value": word("on-the-command-line"),
};

let folder = "";
let home = "";
let outside = "";
const said: Said[] = [];
const ran = new Set<string>();
const madeInTemp: string[] = [];
/** Files by path and content: what did not change is searched once. */
const seen = new Set<string>();

/** Runs one command line with the debug log, and keeps all that it said and left. */
async function run(step: Step, more: ProcessOptions = {}): Promise<Ran> {
  const env = {
    KEYCTL_DEBUG: "1",
    KEYCTL_PASSPHRASE_FILE: join(outside, "passphrase"),
    TMPDIR: join(folder, "tmp"),
    ...more.env,
  };
  const commandLine = step.argv.join(" ");
  const options: ProcessOptions = {
    ...more,
    env,
    ...(step.stdin === undefined ? {} : { stdin: step.stdin }),
    started: ({ pid }) => {
      const path = `/proc/${String(pid)}/cmdline`;
      if (existsSync(path))
        said.push({ where: `the process list during ${commandLine}`, bytes: readFileSync(path) });
    },
  };
  const result = await runProcess(home, step.argv, options);
  const [verb = "", second = ""] = step.argv.filter((each) => !each.startsWith("-"));
  for (const name of [verb, `${verb} ${second}`]) ran.add(name);
  expect(result.code, `${commandLine}: ${result.err}`).toBe(step.code ?? 0);
  const shown = step.shows === undefined ? result.out : result.out.replace(step.shows, "");
  if (step.shows !== undefined) expect(result.out).toContain(step.shows);
  said.push({ where: `stdout of ${commandLine}`, bytes: Buffer.from(shown) });
  said.push({ where: `stderr of ${commandLine}`, bytes: Buffer.from(result.err) });
  searchFiles(`after ${commandLine}`);
  return result;
}

/** Everything below the home, with databases, write-ahead logs and leftovers, as it is now. */
function searchFiles(when: string): void {
  for (const path of filesBelow(home)) {
    const bytes = readFileSync(path);
    const content = `${path} ${hash("sha256", bytes)}`;
    if (!seen.has(content)) said.push({ where: `${path} ${when}`, bytes });
    seen.add(content);
  }
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** An issued key that a command printed, alone on stdout or as the field `secret`. */
async function issued(name: string, argv: string[]): Promise<string> {
  const asJson = argv.includes("json");
  const { out } = await run({ argv });
  const key: string = asJson ? JSON.parse(out).secret : out.trim();
  secrets[name] = key;
  // It was shown where it should be: once. What else was said then is searched like all the rest.
  const last = said.findLastIndex(({ where }) => where === `stdout of ${argv.join(" ")}`);
  const entry = said[last];
  if (entry !== undefined)
    entry.bytes = Buffer.from(Buffer.from(entry.bytes).toString("utf8").replace(key, ""));
  return key;
}

let held: Database.Database[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyctl-canary-"));
  home = join(folder, "home");
  outside = join(folder, "outside");
  for (const name of ["home", "outside", "tmp"]) mkdirSync(join(folder, name));
  const watcher = watch(join(folder, "tmp"), (_event, name) => madeInTemp.push(String(name)));
  writeFileSync(join(outside, "passphrase"), secrets["passphrase"] ?? "", { mode: 0o600 });
  await everyVerb();
  watcher.close();
}, 240_000);
afterAll(() => {
  for (const database of held) database.close();
  rmSync(folder, { recursive: true, force: true });
});

const given = (name: string): string => secrets[name] ?? "";

async function everyVerb(): Promise<void> {
  await run({ argv: ["init", "--vault-key", "passphrase"] });
  // With a reader open, the write-ahead logs stay: they are searched too.
  held = ["store.db", "vault.db"].map((name) => new Database(join(home, name), { readonly: true }));
  for (const database of held) database.prepare("select count(*) from sqlite_schema").get();
  const first = await issued("issued key", ["create", "api"]);
  const second = await issued("issued key 2", ["rotate", "api", "--yes", "-o", "json"]);
  await run({ argv: ["rotate", "api", "--yes", "--out-file", join(outside, "third.key")] });
  const third = readFileSync(join(outside, "third.key"), "utf8").trim();
  secrets["issued key 3"] = third;
  await values();
  await opening();
  await reading(first, second);
  await leaking(first, third);
  await mistakes(third);
}

async function values(): Promise<void> {
  const provider = ["--kind", "provider", "--provider", "openai", "--from-file", "-"];
  const secret = ["--kind", "secret", "--type", "db-credential"];
  await run({ argv: ["create", "openai", ...provider], stdin: given("provider value") });
  await run({
    argv: ["rotate", "openai", "--yes", "--from-file", "-", "-o", "json"],
    stdin: given("provider value 2"),
  });
  await run({
    argv: ["create", "db", ...secret, "--from-file", "-", "-o", "json"],
    stdin: given("secret value"),
  });
  writeFileSync(join(outside, "value"), given("secret value 2"), { mode: 0o600 });
  await run({ argv: ["rotate", "db", "--yes", "--from-file", join(outside, "value")] });
  await run({ argv: ["create", "drawn", ...secret, "--generate", "-o", "json"] });
  await run({ argv: ["create", "phi", "--kind", "encryption", "--type", "PHI_DATA"] });
  await run({ argv: ["rollback", "db", "--yes"] });
  await run({ argv: ["rollback", "openai", "--yes", "-o", "json"] });
}

/** Given to where they were told to go; a program that has them prints them in every form that it can. */
async function opening(): Promise<void> {
  await run({ argv: ["reveal", "db", "--stdout"], shows: given("secret value") });
  await run({ argv: ["reveal", "openai", "--stdout", "-o", "json"], shows: given("provider value") });
  await run({ argv: ["reveal", "db", "--out-file", join(outside, "revealed")] });
  await run({ argv: ["reveal", "db"], code: 2 });
  await run({ argv: ["reveal", "db", "--version", "9", "--stdout", "-o", "json"], code: 3 });
  const line =
    'env; env >&2; for v in "$DB" "$AI"; do printf "%s" "$v" | base64; printf "x%s" "$v" | base64 -w 0; printf "%s" "$v" | od -An -v -tx1 | tr -d " \\n"; done; tr "\\0" " " < /proc/$PPID/cmdline';
  await run({ argv: ["exec", "-e", "DB=db", "-e", "AI=openai", "--", "sh", "-c", line] });
  await run({ argv: ["exec", "-e", "DB=db", "--dry-run", "-o", "json", "--", "true"] });
  await run({ argv: ["exec", "-e", "DB=db", "-o", "json", "--", "no-such-program"], code: 127 });
}

async function reading(first: string, second: string): Promise<void> {
  for (const output of ["wide", "json", "jsonl", "csv", "name"]) await run({ argv: ["list", "-o", output] });
  await run({ argv: ["show", "api", "--wide"] });
  await run({ argv: ["show", "openai", "-o", "json", "--wide"] });
  await run({ argv: ["verify"], stdin: second });
  await run({ argv: ["status"] });
  await run({ argv: ["verify", "-o", "json"], stdin: `${first.slice(0, -1)}!`, code: 13 });
  await run({ argv: ["verify", "-o", "json"], stdin: given("secret value"), code: 13 });
}

async function leaking(first: string, third: string): Promise<void> {
  const log = `deploying with ${first}\n\u001b[31mtoken=${given("leaked token")}\u001b[0m\nnext ${third}\n${given("provider value")}\n`;
  for (const format of ["text", "json", "jsonl"])
    await run({ argv: ["leak-scan", "-", "--format", format], stdin: log, code: 21 });
  writeFileSync(join(outside, "job.log"), log);
  await run({ argv: ["leak-scan", join(outside, "job.log")], code: 21 });
  await run({ argv: ["revoke", "--leaked", "--dry-run", "-o", "json"], stdin: log });
  await run({ argv: ["revoke", "--leaked", "--confirm", "2", "-o", "json"], stdin: log, code: 8 });
  await run({ argv: ["revoke", "db", "--reason", "superseded", "--yes"] });
  await run({ argv: ["revoke", "db", "--undo", "--yes"] });
  await changing();
  await run({ argv: ["reconcile", "--fix"] });
  await run({ argv: ["audit-list", "-o", "json"] });
  // The provider still accepts what leaked.
  await run({ argv: ["status", "-o", "json"], code: 8 });
  await run({ argv: ["audit-export"] });
  await run({ argv: ["audit-export", "--format", "csv", "--out", join(home, "log.csv")] });
  await run({
    argv: ["audit-export", "--format", "bundle", "--with-personal", "--out", join(home, "bundle")],
  });
  await run({ argv: ["audit-verify", "--state", "-o", "json"] });
  await run({ argv: ["audit-verify", join(home, "bundle")] });
  await teaming();
  await erasing();
  await run({ argv: ["profile", "list", "-o", "json"] });
  await run({ argv: ["profile", "use", "default"] });
  await run({ argv: ["completion", "bash"] });
  await run({ argv: ["__complete"], stdin: "reveal\n\n" });
  await run({ argv: ["doctor"] });
  await run({ argv: ["doctor", "-o", "json"] });
}

/** A tenant with a secret in it, people who come and go, and its end. */
async function teaming(): Promise<void> {
  await run({ argv: ["tenant", "create", "acme"] });
  const create = [
    "create",
    "acme/prod/db",
    "--kind",
    "secret",
    "--type",
    "db-credential",
    "--from-file",
    "-",
  ];
  await run({ argv: create, stdin: given("secret value") });
  await run({ argv: ["tenant", "list"] });
  await run({ argv: ["tenant", "show", "acme", "-o", "json"] });
  await run({ argv: ["actor", "add", "mia", "--tenant", "acme"] });
  await run({ argv: ["actor", "grant", "mia", "operator", "--yes", "--tenant", "acme", "-o", "json"] });
  await run({ argv: ["actor", "list", "--tenant", "acme", "-o", "json"] });
  await run({ argv: ["actor", "revoke", "mia", "--yes", "--tenant", "acme"] });
  await run({ argv: ["tenant", "delete", "acme", "--confirm", "acme", "-o", "json"] });
}

/** Erases whoever runs this from the log. */
async function erasing(): Promise<void> {
  const argv = ["audit-erase", "--actor", userInfo().username];
  const { out } = await run({ argv: [...argv, "--dry-run", "-o", "json"] });
  await run({ argv: [...argv, "--confirm", JSON.parse(out).actor] });
}

/** Suspended, resumed, deleted, restored, updated and purged: the value goes through the vault and nowhere else. */
async function changing(): Promise<void> {
  const reason = ["--reason", "a test"];
  await run({ argv: ["resume", "db", ...reason, "--yes"] });
  await run({ argv: ["update", "db", "--tag", "a=b", "-o", "json"] });
  await run({ argv: ["suspend", "db", ...reason, "-o", "json"] });
  await run({ argv: ["delete", "db", "--yes", "-o", "json"] });
  await run({ argv: ["restore", "db", "--yes"] });
  await run({ argv: ["resume", "db", ...reason, "--yes", "-o", "json"] });
  await run({ argv: ["delete", "drawn", "--purge", "--confirm", "drawn", "-o", "json"] });
}

/** What a person gets wrong, with a secret in hand. */
async function mistakes(third: string): Promise<void> {
  const secret = ["--kind", "secret", "--type", "db-credential", "--from-file", "-"];
  for (const json of [[], ["-o", "json"]]) {
    await run({ argv: ["create", "db", ...secret, ...json], stdin: given("secret value"), code: 6 });
    await run({ argv: ["create", "weak", ...secret, ...json], stdin: given("weak value"), code: 7 });
    await run({
      argv: ["create", "new", "--from-file", "-", ...json],
      stdin: given("secret value"),
      code: 2,
    });
    await run({ argv: ["rotate", "nobody", "--yes", "--from-file", "-", ...json], stdin: third, code: 3 });
    await run({
      argv: ["rotate", "phi", "--yes", "--from-file", "-", ...json],
      stdin: given("secret value 2"),
      code: 2,
    });
  }
  const wrong = join(outside, "wrong");
  writeFileSync(wrong, word("another passphrase"), { mode: 0o600 });
  await run({ argv: ["verify"], stdin: third, code: 4 }, { env: { KEYCTL_PASSPHRASE_FILE: wrong } });
  await refusedOnTheCommandLine();
}

/** The shell that did this knows the value already: what keyctl says about it must not repeat it. */
async function refusedOnTheCommandLine(): Promise<void> {
  const value = given("mistyped value");
  for (const argv of [
    ["create", "db2", "--kind", "secret", `--secret=${value}`],
    ["create", "db2", value],
    ["create", `db2/${value}/x/y`],
    ["verify", value],
    ["show", "--id", value],
    [value],
    ["create", "db2", "--kind", value],
    ["create", "db2", "--kind", "secret", "--type", value],
    ["create", "db2", "--kind", "secret", "--type", "db-credential", "--from-file", value],
    ["list", "--tag", value],
    ["list", "--after", value],
    ["audit-list", "--since", value],
    ["rotate", "api", "--grace", value],
  ]) {
    const env = { KEYCTL_DEBUG: "1" };
    const forms = [argv, [...argv, "-o", "json"]];
    for (const result of await Promise.all(
      forms.map(async (form) => await runProcess(home, form, { env })),
    )) {
      expect(result.code, argv.join(" ")).toBeGreaterThan(0);
      const where = `what is said of ${argv[0] ?? ""} with a secret on the command line`;
      said.push({ where, bytes: Buffer.from(result.out + result.err) });
    }
  }
  searchFiles("after secrets on the command line");
}

function allNeedles(): Needle[] {
  return Object.entries(secrets).flatMap(([name, secret]) => needlesOf(name, secret));
}

describe("a known secret", () => {
  it("was in every verb's hands", () => {
    // The demo works in a home of its own with keys that it makes itself.
    const expected = commands.map(({ name }) => name).filter((name) => name !== "demo");
    expect(expected.filter((name) => !ran.has(name))).toEqual([]);
    expect(said.length).toBeGreaterThan(200);
  });

  it("stands nowhere that it should not: output, errors, debug log, process list, database, log, vault, exports, leftovers", () => {
    const needles = allNeedles();
    const found = said.flatMap(({ where, bytes }) =>
      findNeedles(bytes, needles).map((what) => `${what} in ${where}`),
    );
    expect(found).toEqual([]);
  });

  it("is looked for in files that are really there, with their write-ahead logs", () => {
    const names = new Set(said.map(({ where }) => where.split(" after ")[0]?.replace(`${home}/`, "")));
    for (const name of [
      "store.db",
      "store.db-wal",
      "vault.db",
      "vault.db-wal",
      "log.csv",
      "bundle/entries.jsonl",
      "bundle/personal.jsonl",
    ]) {
      expect([...names]).toContain(name);
    }
  });

  it("goes through no temporary file", () => {
    // The folder of pipes is gone before anything is written into them, and what is written is on no disk.
    // SQLite keeps pages that a statement changes in files without a name; they are the database's pages, searched above.
    expect(madeInTemp.filter((name) => !/^(?:#|etilqs_|keyctl-pipe-)/.test(name))).toEqual([]);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
    expect(filesBelow(folder).filter((path) => path.endsWith(".tmp"))).toEqual([]);
  });

  it("would be found: the search sees each secret in each form", () => {
    for (const needle of allNeedles()) {
      const hay = Buffer.concat([randomBytes(100), needle.bytes, randomBytes(100)]);
      expect(findNeedles(hay, allNeedles())).toContain(`${needle.secret}: ${needle.how}`);
    }
    const around = Buffer.concat([Buffer.from("xx"), Buffer.from(given("secret value")), Buffer.from("yyy")]);
    expect(findNeedles(Buffer.from(around.toString("base64")), allNeedles()).length).toBeGreaterThan(0);
  });
});

describe("files that hold secrets, sealed or not", () => {
  it("are readable by their owner only", () => {
    for (const path of [...filesBelow(home), join(outside, "third.key")]) {
      expect(statSync(path).mode & 0o077, path).toBe(0);
    }
  });
});
