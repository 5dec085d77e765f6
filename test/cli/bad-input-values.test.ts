import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testValue } from "../../src/app/version-value.ts";
import { Secret } from "../../src/core/secret.ts";
import { expectRefused, expectSound, makeWorld, refusals, storeHash, verbs } from "./bad-input-world.ts";
import type { World } from "./bad-input-world.ts";

const { usage, conflict, refused } = refusals;

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  await expectSound(world);
  world.home.remove();
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
const odd: [string, Uint8Array][] = [
  ["25 KB", text("0123456789abcdef".repeat(1599))],
  ["newlines inside", text("-----BEGIN\nline one\r\nline two\n\n-----END")],
  ["a null byte inside", text("before\u0000after")],
  ["Unicode outside the first plane", text("пароль🔑パスワード")],
  ["both forms of one letter", text("caf\u00e9 cafe\u0301")],
  ["every byte, so no text at all", everyByte],
  ["half a UTF-8 sequence", Uint8Array.of(0xf0, 0x9f, 0x94, 0x20, 0x61, 0x62, 0x63, 0x64, 0xff)],
  ["blanks around it", text("  not trimmed  ")],
  ["what looks like a flag", text("--yes --confirm")],
  ["what looks like JSON", text('{"secret":"value"}\\u0000')],
];

/** Fails unless the newest version of the key holds exactly these bytes. */
async function expectHeld(name: string, bytes: Uint8Array): Promise<void> {
  const session = await world.home.session();
  try {
    const { tenant, env } = session.caller;
    const key = await session.store.keyByName({ tenantId: tenant.id, env, name });
    const version = key === null ? undefined : (await session.store.versions(key.id)).at(-1);
    if (key === null || version === undefined) throw new Error(`no key ${name}`);
    await testValue(session, key, { version, expected: Secret.fromBytes(bytes) });
    const other = Secret.fromBytes(Uint8Array.of(...bytes.subarray(0, 50), 1));
    await expect(testValue(session, key, { version, expected: other })).rejects.toThrow();
  } finally {
    await session.close();
  }
}

describe.each([
  ["secret", ["--kind", "secret", "--type", "db-credential"]],
  ["provider", ["--kind", "provider", "--provider", "openai"]],
] as const)("a %s's value", (kind, flags) => {
  it.each(odd)(
    "with %s is kept byte for byte, by create and by rotate, and never shown",
    async (what, bytes) => {
      const name = `${kind}-${odd.findIndex(([each]) => each === what)}`;
      const create = ["create", name, ...flags, "--from-file", "-", "-o", "json"];
      const created = await world.run({ argv: create, with: { stdin: bytes } });
      expect(created.code, created.err).toBe(0);
      await expectHeld(name, bytes);
      const longer = Uint8Array.of(...bytes, 0x21);
      // One newline at the end is the editor's, not the secret's.
      const stdin = Uint8Array.of(...longer, 0x0a);
      const rotated = await world.run({
        argv: ["rotate", name, "--yes", "--from-file", "-"],
        with: { stdin },
      });
      expect(rotated.code, rotated.err).toBe(0);
      await expectHeld(name, longer);
      const start = Buffer.from(bytes).toString("latin1").slice(0, 8);
      for (const said of [created.out, created.err, rotated.out, rotated.err]) {
        expect(Buffer.from(said).toString("latin1")).not.toContain(start);
      }
    },
  );

  it.each([
    ["nothing", "", /is empty/],
    ["one newline", "\n", /is empty/],
    ["blanks", "          \t\n", /is blank/],
    ["invisible characters", "\u200b\u200b\u200b\u2060\ufeff", /is blank/],
    ["null bytes", "\u0000".repeat(20), /is blank/],
    ["seven bytes", "1234567", /shorter than 8 bytes/],
  ])("that is %s is refused as weak, and nothing is begun", async (_what, stdin, message) => {
    const weak = { ...refused, message, hint: /at least 8 bytes/ };
    await expectRefused(
      world,
      { argv: ["create", "weak", ...flags, "--from-file", "-"], with: { stdin } },
      weak,
    );
    const old = kind === "secret" ? "db" : "openai";
    await expectRefused(world, { argv: ["rotate", old, "--yes", "--from-file", "-"], with: { stdin } }, weak);
  });

  const tooLong = kind === "secret" ? [25 * 1024 + 1] : [];
  it.each(tooLong)(
    "of %i bytes is more than every vault takes: refused before anything is begun",
    async (length) => {
      const stdin = new Uint8Array(length).fill(0x61);
      const large = { ...refused, message: /at most 25600 bytes/ };
      await expectRefused(
        world,
        { argv: ["create", "large", ...flags, "--from-file", "-"], with: { stdin } },
        large,
      );
      await expectRefused(
        world,
        { argv: ["rotate", "db", "--yes", "--from-file", "-"], with: { stdin } },
        large,
      );
    },
  );

  it("larger than 1 MiB is refused: it is the wrong file", async () => {
    const stdin = new Uint8Array((1 << 20) + 1).fill(0x61);
    await expectRefused(
      world,
      { argv: ["create", "large", ...flags, "--from-file", "-"], with: { stdin } },
      { ...refused, message: /more than 1048576 bytes/ },
    );
  });

  it("that nobody gives, without a terminal, is usage", async () => {
    await expectRefused(world, { argv: ["create", "none", ...flags] }, { ...usage, hint: /--from-file/ });
  });
});

describe("what verify is given", () => {
  const own =
    (change: (key: string) => string): (() => string) =>
    () =>
      change(world.second);
  it.each<[string, () => string | Uint8Array]>([
    ["25 KB", () => "x".repeat(25_000)],
    ["every byte", () => everyByte],
    ["a key and a null byte", own((key) => `${key}\u0000`)],
    ["a key and a newline inside", own((key) => key.replace(".", ".\n"))],
    ["a key and another", own((key) => `${key}\n${key}`)],
    ["a key with a look-alike letter", own((key) => key.replace("c", "с"))],
    ["a key in full-width letters", own((key) => key.replace("k", "ｋ"))],
    ["a key in capitals", own((key) => key.toUpperCase())],
    ["a key that is cut", own((key) => key.slice(0, -1))],
    ["a key with blanks around it", own((key) => ` ${key} `)],
    ["a key with a byte order mark", own((key) => `\ufeff${key}`)],
  ])("is not accepted, with one uniform reason: %s", async (_what, stdin) => {
    const presented = stdin();
    const ran = await world.run({ argv: ["verify", "-o", "json"], with: { stdin: presented } });
    expect(ran.code, ran.err).toBe(13);
    expect(JSON.parse(ran.out)).toMatchObject({ valid: false, reason: "invalid", keyId: null, name: null });
    expect(ran.err).toBe("");
  });

  it.each(["", "\n", "\r\n"])("is no key at all when it is empty: %j", async (stdin) => {
    const ran = await world.run({ argv: ["verify"], with: { stdin } });
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain("nothing was read");
  });

  it("is accepted with the newline of an editor or of Windows at its end", async () => {
    for (const end of ["\n", "\r\n"]) {
      const ran = await world.run({ argv: ["verify"], with: { stdin: `${world.second}${end}` } });
      expect(ran.code, ran.err).toBe(0);
    }
  });
});

describe("free text", () => {
  const nasty = "line one\nkeyctl: all is well\u001b[2J\u202e::set-output";

  it("with control characters is kept as it is, and printed without them", async () => {
    const argv = ["create", "noted", "--description", nasty, "--tag", `team=${nasty}`, "--reason", nasty];
    const ran = await world.run({ argv });
    expect(ran.code, ran.err).toBe(0);
    const shown = await world.run({ argv: ["show", "noted"], with: { env: { CI: "true" } } });
    // oxlint-disable-next-line no-control-regex -- what must not reach a terminal
    expect(shown.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]|^keyctl: all/m);
    expect(shown.out).not.toContain("::set-output");
    const json = await world.run({ argv: ["show", "noted", "-o", "json"], with: { env: { CI: "true" } } });
    expect(json.out).not.toContain("::set-output");
    expect(JSON.parse(json.out)).toMatchObject({ description: nasty, tags: { team: nasty } });
  });

  it("of any length is no entry's affair: the log stays whole", async () => {
    const long = "x".repeat(100_000);
    const argv = ["create", "endless", "--description", long, "--reason", long, "--ticket", long];
    const ran = await world.run({
      argv: [...argv, "--scopes", Array.from({ length: 900 }, (_, i) => `scope:${i}`).join(",")],
    });
    expect(ran.code, ran.err).toBe(0);
    await expectSound(world);
  });
});

describe("an idempotency key", () => {
  const key = ["--idempotency-key", "deploy-7"];
  const rows: [string, string[], string[]][] = [
    ["create", ["create", "once", "--tier", "basic"], ["create", "once", "--tier", "premium"]],
    ["rotate", ["rotate", "api", "--yes"], ["rotate", "api", "--grace", "1h", "--yes"]],
    [
      "revoke",
      ["revoke", "once", "--reason", "superseded", "--yes"],
      ["revoke", "api", "--reason", "superseded", "--yes"],
    ],
  ];
  it.each(rows)(
    "of %s answers the same request again, without the secret, and refuses another",
    async (_verb, same, other) => {
      const first = await world.run({ argv: [...same, ...key, "-o", "json"] });
      expect(first.code, first.err).toBe(0);
      const before = storeHash(world);
      const again = await world.run({ argv: [...same, ...key, "-o", "json"] });
      expect(again.code, again.err).toBe(0);
      const { operationId } = JSON.parse(first.out);
      expect(JSON.parse(again.out)).toMatchObject({ replayed: true, operationId });
      expect(JSON.parse(again.out).secret ?? null).toBeNull();
      expect(storeHash(world)).toBe(before);
      await expectRefused(
        world,
        { argv: [...other, ...key] },
        { ...conflict, message: /another request/, hint: /a new one/ },
      );
    },
  );
});

describe("a database whose values somebody changed", () => {
  const tables = ["keys", "key_versions", "operations", "audit_heads", "vault_references"];
  const value = { INTEGER: 9e15, TEXT: "\u0000{[", BLOB: Buffer.alloc(3) } as const;
  const tried = ["show", "rotate", "revoke"];

  it.each(tables)(
    "%s: each column in turn is met with an answer or a refusal, never an unexpected failure",
    async (table) => {
      const columns = columnsOf(world, table);
      expect(columns.length).toBeGreaterThan(2);
      for (const { name, type } of columns) {
        for (const verb of tried) {
          const spoilt = await makeWorld();
          if (setAll(spoilt, `update "${table}" set "${name}" = ?`, value[type])) {
            const call = verbs[verb]?.good(spoilt);
            if (call === undefined) throw new Error(`no row for ${verb}`);
            const ran = await spoilt.run(call);
            expect([0, 3, 6, 7, 8, 10, 11], `${table}.${name} ${verb}: ${ran.err}`).toContain(ran.code);
            expect(ran.err).not.toMatch(/\n\s+at /);
          }
          spoilt.home.remove();
        }
      }
    },
  );
});

interface ColumnOfTable {
  name: string;
  type: "INTEGER" | "TEXT" | "BLOB";
}

function columnsOf({ home }: World, table: string): ColumnOfTable[] {
  const database = new Database(join(home.path, "store.db"), { readonly: true });
  const columns = database
    .prepare<[string], ColumnOfTable>("select name, type from pragma_table_info(?)")
    .all(table);
  database.close();
  return columns;
}

/** Past checks, foreign keys and triggers, as somebody with the file would; false for a column that must differ per row. */
function setAll({ home }: World, sql: string, value: number | string | Buffer): boolean {
  const database = new Database(join(home.path, "store.db"));
  database.pragma("ignore_check_constraints = on");
  database.pragma("foreign_keys = off");
  for (const name of database
    .prepare("select name from sqlite_schema where type = 'trigger'")
    .pluck()
    .all()) {
    database.exec(`drop trigger "${String(name)}"`);
  }
  try {
    database.prepare(sql).run(value);
    return true;
  } catch {
    return false;
  } finally {
    database.close();
  }
}
