import { spawnSync } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askedFor } from "../../src/cli/completion/asked-for.ts";
import { bashScript } from "../../src/cli/completion/bash.ts";
import { fishScript } from "../../src/cli/completion/fish.ts";
import { powershellScript } from "../../src/cli/completion/powershell.ts";
import { zshScript } from "../../src/cli/completion/zsh.ts";
import { commands } from "../../src/cli/tree.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
const secret = ["kc", "this", "is", "not", "for", "completion"].join("-");

beforeAll(async () => {
  home = await makeHome();
  await home.ok(["create", "payments", "--owner", "user:42"]);
  await home.ok(["create", "payroll", "--owner", "user:tester"]);
  await home.ok(["create", "orders-db", "--kind", "secret", "--type", "db-credential", "--from-file", "-"], {
    stdin: secret,
  });
  await home.ok(["create", "staging/payslip"]);
});
afterAll(() => home.remove());

/** What a shell is told for a line whose last word is at the cursor. */
async function asked(
  words: readonly string[],
  of: Home = home,
  env: Record<string, string> = {},
): Promise<string[]> {
  const ran = await of.run(["__complete"], { stdin: words.map((word) => `${word}\n`).join(""), env });
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return ran.out.split("\n").slice(0, -1);
}

/** The words alone, without what is said of them. */
async function offered(...words: string[]): Promise<string[]> {
  return (await asked(words)).map((line) => line.split("\t")[0] ?? "");
}

describe("a shell is offered", () => {
  it("commands, with their summaries, and help", async () => {
    expect(await asked(["sho"])).toEqual(["show\tshow one key and its versions, metadata only"]);
    expect(await offered("")).toEqual(expect.arrayContaining(["create", "list", "help"]));
    expect(await offered("")).not.toContain("__complete");
    expect(await offered("help", "exit")).toEqual(["exit-codes"]);
    expect(await offered("help", "rota")).toEqual(["rotate"]);
    expect(await offered("help", "tenant", "")).toEqual(["create", "list", "show", "delete"]);
    expect(await offered("help", "tenant", "list", "")).toEqual([]);
    expect(await offered("help", "rotate", "")).toEqual([]);
  });

  it("flags of the command, and choices of a flag", async () => {
    expect(await offered("rotate", "payments", "--gr")).toEqual(["--grace"]);
    expect(await offered("--prof")).toEqual(["--profile"]);
    expect(await offered("list", "--kind", "")).toEqual(["issued", "provider", "secret", "encryption"]);
    expect(await offered("audit-list", "--operation", "key.rev")).toEqual([
      "key.reveal",
      "key.revoke",
      "key.revoke-undo",
    ]);
    expect(await offered("audit-export", "--operation=actor")).toContain("--operation=actor.add");
    expect(await offered("list", "--kind=se")).toEqual(["--kind=secret"]);
    expect(await offered("list", "-o", "js")).toEqual(["json", "jsonl"]);
    expect(await offered("completion", "")).toEqual(["bash", "zsh", "fish", "powershell"]);
    expect(await offered("list", "--forma")).toEqual([]);
  });

  it("names of keys in the environment and tenant of the line", async () => {
    expect(await offered("show", "pay")).toEqual(["payments", "payroll"]);
    expect(await offered("show", "")).toEqual(["orders-db", "payments", "payroll"]);
    expect(await offered("--env", "staging", "show", "")).toEqual(["payslip"]);
    expect(await offered("show", "--env=staging", "p")).toEqual(["payslip"]);
    expect(await offered("show", "staging/")).toEqual(["staging/payslip"]);
    expect(await offered("show", "default/staging/pay")).toEqual(["default/staging/payslip"]);
    expect(await offered("revoke", "payments", "payr")).toEqual(["payroll"]);
    expect(await offered("show", "payments", "")).toEqual([]);
    expect(await offered("create", "pay")).toEqual([]);
    expect(await offered("exec", "-e", "TOKEN=pay")).toEqual(["TOKEN=payments", "TOKEN=payroll"]);
  });

  it("environments, tenants, actors and profiles", async () => {
    expect(await offered("list", "--env", "")).toEqual(["prod", "staging"]);
    expect(await offered("list", "--tenant", "")).toEqual(["default"]);
    expect(await offered("audit-list", "--actor", "te")).toEqual(["tester"]);
    expect(await offered("--profile", "")).toEqual(["default"]);
    expect(await offered("profile", "")).toEqual(expect.arrayContaining(["list", "use"]));
    expect(await offered("profile", "use", "de")).toEqual(["default"]);
  });

  it("its own files where files are meant, and nothing of another program", async () => {
    expect(await offered("create", "x", "--from-file", "")).toEqual([":files"]);
    expect(await offered("leak-scan", "lo")).toEqual([":files"]);
    expect(await offered("audit-verify", "")).toEqual([":folders"]);
    expect(await offered("exec", "-e", "A=payments", "--", "")).toEqual([":files"]);
  });

  it("nothing where nothing can be known", async () => {
    for (const words of [
      ["nope", ""],
      ["show", "a/b/c/d"],
      ["show", "../"],
      ["create", "x", "--ticket", ""],
      ["--nope=x"],
    ])
      expect(await offered(...words)).toEqual([]);
  });
});

describe("completing", () => {
  it("says nothing and succeeds without a store, with a broken one, an unknown profile or tenant, and on a terminal", async () => {
    const none = await makeHome({ init: false });
    expect(await asked(["show", ""], none)).toEqual([]);
    expect(readdirSync(none.path)).toEqual([]);
    writeFileSync(join(none.path, "store.db"), "not a database");
    expect(await asked(["show", ""], none)).toEqual([]);
    writeFileSync(join(none.path, "config.json"), "{");
    expect(await asked(["show", ""], none)).toEqual([]);
    none.remove();
    expect(await asked(["--profile", "nope", "show", ""])).toEqual([]);
    expect(await asked(["show", ""], home, { KEYCTL_TENANT: "nope" })).toEqual([]);
    const ran = await home.run(["__complete"], { terminal: { stdin: true } });
    expect(ran).toEqual({ code: 0, out: "", err: "" });
    expect(await home.run(["__complete"], { stdin: "no line end" })).toEqual({ code: 0, out: "", err: "" });
  });

  it("writes nothing: neither to the store nor to the log", async () => {
    const size = async (): Promise<number> => {
      const session = await home.session();
      const head = await session.store.auditHead(session.caller.tenant.id);
      await session.close();
      expect(head.size).toBeGreaterThan(0);
      return head.size;
    };
    const before = [await size(), statSync(join(home.path, "vault.db")).mtimeMs];
    for (const words of [
      ["show", ""],
      ["list", "--tenant", ""],
      ["audit-list", "--actor", ""],
    ])
      await asked(words);
    expect([await size(), statSync(join(home.path, "vault.db")).mtimeMs]).toEqual(before);
  });

  it("writes nothing for a stranger either, whom every other verb tells to the log", async () => {
    const copy = await makeHome();
    await copy.ok(["create", "payments"]);
    const database = new Database(join(copy.path, "store.db"));
    const entries = database.prepare("select count(*) from audit_entries").pluck();
    const before = Number(entries.get());
    database.exec("delete from memberships");
    expect(await asked(["show", ""], copy)).toEqual([]);
    database.exec("update actors set login = 'somebody-else'");
    expect(await asked(["show", ""], copy)).toEqual([]);
    expect(entries.get()).toBe(before);
    expect((await copy.run(["list"])).code).toBe(5);
    expect(entries.get()).toBe(before + 1);
    database.close();
    copy.remove();
  });

  it("leaves a store of an older release as it is, and does not wait for a locked one", async () => {
    const copy = await makeHome();
    await copy.ok(["create", "payments"]);
    const database = new Database(join(copy.path, "store.db"));
    const schema = database.prepare("select schema_version from meta").pluck();
    const latest = Number(schema.get());
    database.exec(`update meta set schema_version = ${latest - 1}`);
    expect(await asked(["show", ""], copy)).toEqual([]);
    expect(schema.get()).toBe(latest - 1);
    database.exec(`update meta set schema_version = ${latest}`);
    expect(await asked(["show", ""], copy)).toEqual(["payments"]);
    // Who writes does not keep a reader waiting.
    database.exec("begin immediate");
    expect(await asked(["show", ""], copy)).toEqual(["payments"]);
    database.close();
    copy.remove();
  });

  it("needs no vault", async () => {
    const copy = await makeHome();
    await copy.ok(["create", "payments"]);
    writeFileSync(join(copy.path, "vault.db"), "");
    writeFileSync(join(copy.path, "unlock.key"), "");
    expect(await asked(["show", ""], copy)).toEqual(["payments"]);
    copy.remove();
  });

  it("shows a user its own keys, an auditor no key, and nobody what needs quoting", async () => {
    const copy = await makeHome();
    for (const [name, owner] of [
      ["mine", "user:tester"],
      ["theirs", "user:42"],
    ] as const)
      await copy.ok(["create", name, "--owner", owner]);
    const change = (sql: string): void => {
      const database = new Database(join(copy.path, "store.db"));
      database.exec(sql);
      database.close();
    };
    change("update keys set name = 'a;$(touch x)', name_folded = 'a;$(touch x)' where name = 'theirs'");
    expect(await asked(["show", ""], copy)).toEqual(["mine"]);
    change("update keys set name = 'theirs', name_folded = 'theirs' where name like 'a;%'");
    expect(await asked(["show", ""], copy)).toEqual(["mine", "theirs"]);
    change("update memberships set role = 'user'");
    expect(await asked(["show", ""], copy)).toEqual(["mine"]);
    expect(await asked(["audit-list", "--actor", ""], copy)).toEqual([]);
    change("update memberships set role = 'auditor'");
    expect(await asked(["show", ""], copy)).toEqual([]);
    expect(await asked(["list", "--env", ""], copy)).toEqual([]);
    copy.remove();
  });

  it("is bounded: two hundred names of a store with more", async () => {
    const copy = await makeHome();
    await copy.ok(["create", "first"]);
    const database = new Database(join(copy.path, "store.db"));
    const columns = database.prepare("select name from pragma_table_info('keys')").pluck().all().map(String);
    const values = columns.map((column) =>
      column === "id"
        ? "id || n"
        : column === "name" || column === "name_folded"
          ? "'key-' || printf('%04d', n)"
          : column,
    );
    database.exec(
      `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1000)
       insert into keys (${columns.join(", ")}) select ${values.join(", ")} from keys, numbers`,
    );
    database.close();
    expect(await asked(["show", ""], copy)).toHaveLength(200);
    expect(await asked(["show", "key-0999"], copy)).toEqual(["key-0999"]);
    copy.remove();
  });

  it("never shows a secret, whatever is asked", async () => {
    for (const words of [
      ["reveal", ""],
      ["exec", "-e", "A="],
      ["show", secret.slice(0, 5)],
      ["create", "x", "--from-file", ""],
    ])
      expect((await asked(words)).join("\n")).not.toContain(secret.slice(0, 7));
  });

  it("understands any words without failing", () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("--", "-", "-o", "--env", "--env=", "show", "help", "exec"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        expect(askedFor(words, commands).want.kind).toMatch(
          /^(first-word|second-word|help-topic|flag|value|nothing)$/,
        );
      }),
    );
  });
});

/** Shells of this machine that can read a script without running it. */
const shells = [
  { shell: "bash", argv: ["-n"], script: bashScript },
  { shell: "zsh", argv: ["-n"], script: zshScript },
  { shell: "fish", argv: ["--no-execute"], script: fishScript },
].filter(({ shell }) => spawnSync(shell, ["--version"]).error === undefined);

describe("the scripts", () => {
  it.each(["bash", "zsh", "fish", "powershell"])(
    "for %s are printed, name the way in, and hold no path",
    async (shell) => {
      const script = await home.ok(["completion", shell]);
      expect(script).toContain(`keyctl completion ${shell}`);
      expect(script).toContain(
        "keyctl __complete 2>/dev/null".slice(0, shell === "powershell" ? 0 : undefined),
      );
      expect(script).not.toContain(home.path);
      expect(JSON.parse(await home.ok(["completion", shell, "-o", "json"]))).toEqual({ shell, script });
    },
  );

  it("are refused for another shell, which is not repeated", async () => {
    const ran = await home.run(["completion", "tcsh"]);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain("one of bash, zsh, fish, powershell");
  });

  it.each(shells)("for $shell are understood by it", ({ shell, argv, script }) => {
    const path = join(home.path, `completion.${shell}`);
    writeFileSync(path, script);
    expect(spawnSync(shell, [...argv, path], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("for the shells that are not here have every bracket and quote closed", () => {
    for (const script of [powershellScript, zshScript, fishScript]) {
      const code = script.replaceAll(/^\s*#.*$/gm, "").replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "");
      for (const [open, close] of [
        ["{", "}"],
        ["(", ")"],
        ["[", "]"],
      ] as const)
        expect(code.split(open).length, open).toBe(code.split(close).length);
      expect(code).not.toMatch(/['"]/);
    }
  });
});
