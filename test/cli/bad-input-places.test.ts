import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  expectOneClearMessage,
  expectOneJsonError,
  expectSound,
  inJson,
  isTold,
  makeWorld,
  refusals,
  runLimited,
  storeHash,
  verbTable,
} from "./bad-input-world.ts";
import type { Refusal, VerbRow, World } from "./bad-input-world.ts";

const { unavailable, integrity, refused, unauthenticated } = refusals;

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.home.remove());

const inHome = (name: string): string => join(world.home.path, name);
const here = verbTable(({ store }) => store !== "own");
const asksVault = ({ vault }: VerbRow): boolean => vault === "needed";

function halve(name: string): void {
  truncateSync(inHome(name), Math.floor(statSync(inHome(name)).size / 2));
}

function replaceBytes(name: string, at: number, bytes: number[]): void {
  const content = readFileSync(inHome(name));
  content.set(bytes, at);
  writeFileSync(inHome(name), content);
}

function otherDatabase(name: string): void {
  rmSync(inHome(name));
  const database = new Database(inHome(name));
  database.exec("create table keys (id text); insert into keys values ('mine')");
  database.close();
}

const damages: [string, (name: string) => void][] = [
  ["cut in half", halve],
  ["a text file", (name) => writeFileSync(inHome(name), "not a database\n".repeat(5000))],
  ["somebody else's database", otherDatabase],
  ["another magic", (name) => replaceBytes(name, 0, [0x58, 0x58])],
  ["a page size that is none", (name) => replaceBytes(name, 16, [3, 7])],
  [
    "a first page of zeros",
    (name) =>
      replaceBytes(
        name,
        0,
        Array.from({ length: 4096 }, () => 0),
      ),
  ],
];

describe.each(damages)("a store that is %s", (_what, damage) => {
  it.each(here)("stops %s with what to do about it, and is not made worse", async (_verb, row) => {
    const call = row.good(world);
    damage("store.db");
    const before = readFileSync(inHome("store.db"));
    const refusal: Refusal = {
      ...integrity,
      message: /the store .* is damaged/,
      hint: /restore it from a backup/,
    };
    expectOneClearMessage(await world.run(call), refusal);
    expectOneJsonError(await world.run(inJson(call)), refusal);
    expect(readFileSync(inHome("store.db")).equals(before)).toBe(true);
  });
});

describe("a store that is emptied", () => {
  it.each(verbTable(({ store }) => store === "needed" || store === "helpful"))(
    "stops %s: it does not pass for one without keys",
    async (_verb, row) => {
      const call = row.good(world);
      truncateSync(inHome("store.db"), 0);
      const refusal = { ...integrity, message: /is empty/, hint: /restore it from a backup, or keyctl init/ };
      expectOneClearMessage(await world.run(call), refusal);
      expect(statSync(inHome("store.db")).size).toBe(0);
    },
  );

  it.each(verbTable(({ store }) => store === "made"))(
    "becomes a new one by %s, which says so",
    async (_verb, row) => {
      const call = row.good(world);
      truncateSync(inHome("store.db"), 0);
      const ran = await world.run(call);
      expect(ran.code, ran.err).toBe(0);
      expect(ran.err).toMatch(/made a new store at sqlite:/);
    },
  );
});

describe("a store that is not there", () => {
  it.each(verbTable(({ store }) => store === "needed"))("stops %s, and none is made", async (_verb, row) => {
    const call = row.good(world);
    rmSync(inHome("store.db"));
    const refusal = {
      ...unavailable,
      message: /^no store at .*; profile default was chosen because/,
      hint: /keyctl init/,
    };
    expectOneClearMessage(await world.run(call), refusal);
    expectOneJsonError(await world.run(inJson(call)), refusal);
    expect(() => statSync(inHome("store.db"))).toThrow();
  });

  it("does not stop leak-scan, which says what it does without", async () => {
    rmSync(inHome("store.db"));
    const ran = await world.run({ argv: ["leak-scan", "-"], with: { stdin: "nothing\n" } });
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/keys of ours are not recognised: no store at/);
  });
});

describe("a store that another process holds", () => {
  it.each(here)("makes %s wait, then say so, and changes nothing", async (verb, row) => {
    const call = row.good(world);
    const before = storeHash(world);
    const other = new Database(inHome("store.db"));
    other.pragma("locking_mode = exclusive");
    other.exec("begin exclusive");
    const limits = { busyTimeoutMs: 20 };
    const ran = await runLimited(world, call, limits);
    const inWords = await runLimited(world, inJson(call), limits);
    other.close();
    if (verb === "leak-scan") {
      expect(ran.code, ran.err).toBe(0);
      expect(ran.err).toMatch(/not recognised: the store is locked/);
      return;
    }
    const refusal = { ...unavailable, message: /locked by another process/, hint: /try again/ };
    expectOneClearMessage(ran, refusal);
    expectOneJsonError(inWords, refusal);
    expect(JSON.parse(inWords.err).error.retryable).toBe(true);
    expect(storeHash(world)).toBe(before);
  });

  const writes = here.filter(
    ([verb]) =>
      !["list", "show", "status", "audit-list", "audit-verify", "leak-scan", "init"].includes(verb) &&
      !["tenant list", "tenant show", "actor list"].includes(verb),
  );
  it.each(writes)("for writing only makes %s wait all the same", async (verb, row) => {
    const call = row.good(world);
    const before = storeHash(world);
    const other = new Database(inHome("store.db"));
    other.exec("begin immediate");
    const ran = await runLimited(world, call, { busyTimeoutMs: 20 });
    other.close();
    expectOneClearMessage(ran, { ...unavailable, message: /locked by another process/ });
    expect(storeHash(world), verb).toBe(before);
    expect((await world.run(call)).code, "and once it is free it is done").toBe(0);
  });
});

const lost: [string, () => void, Refusal][] = [
  [
    "a vault that is gone",
    () => rmSync(inHome("vault.db")),
    { ...unavailable, hint: /restore the vault file/ },
  ],
  ...damages
    .slice(0, 2)
    .map(([what, damage]): [string, () => void, Refusal] => [
      `a vault that is ${what}`,
      () => damage("vault.db"),
      { ...integrity, message: /the vault .* is damaged/, hint: /restore the vault file from a backup/ },
    ]),
  [
    "an unlock key that is gone",
    () => rmSync(inHome("unlock.key")),
    { ...unavailable, hint: /restore it from its backup/ },
  ],
  [
    "an unlock key that others can read",
    () => chmodSync(inHome("unlock.key"), 0o644),
    { ...refused, message: /can be read by others/, hint: /chmod 600/ },
  ],
  [
    "an unlock key that is none",
    () => writeFileSync(inHome("unlock.key"), "hello\n"),
    { ...integrity, message: /is not an unlock key/, hint: /restore/ },
  ],
  [
    "an unlock key of another vault",
    () =>
      writeFileSync(inHome("unlock.key"), `keyctl-unlock-v1\n${Buffer.alloc(32, 7).toString("base64")}\n`),
    { ...unauthenticated, message: /is not that of the vault/ },
  ],
];

describe.each(lost)("%s", (_what, lose, refusal) => {
  const files = (): [string, Buffer][] =>
    ["vault.db", "unlock.key"].map((name) => [name, readFileSync(inHome(name))]);

  it.each(here.filter(([, row]) => asksVault(row)))(
    "stops %s before anything is begun",
    async (_verb, row) => {
      const call = row.good(world);
      const hash = (): string => storeHash(world, row.tellsVault !== true && !isTold(refusal));
      const before = hash();
      const kept = files();
      lose();
      expectOneClearMessage(await world.run(call), refusal);
      expectOneJsonError(await world.run(inJson(call)), refusal);
      expect(hash()).toBe(before);
      // With the file back, nothing was lost.
      for (const [name, bytes] of kept) writeFileSync(inHome(name), bytes);
      chmodSync(inHome("unlock.key"), 0o600);
      await expectSound(world);
    },
  );

  it.each(here.filter(([, row]) => !asksVault(row)))("does not stop %s", async (_verb, row) => {
    const call = row.good(world);
    lose();
    const ran = await world.run(call);
    expect(ran.code, ran.err).toBe(0);
  });

  it("does not stop a revoke whose enforcer it is: the store denies at once, the rest is queued (8)", async () => {
    const kept = files();
    lose();
    const argv = ["revoke", "db", "--reason", "superseded", "--yes", "-o", "json"];
    const ran = await world.run({ argv });
    expect(ran.code, ran.err).toBe(8);
    expect(JSON.parse(ran.out)).toMatchObject({ vault: { done: 0, total: 1, pending: 1 } });
    for (const [name, bytes] of kept) writeFileSync(inHome(name), bytes);
    chmodSync(inHome("unlock.key"), 0o600);
    world.home.now += 3_600_000;
    expect((await world.run({ argv: ["reconcile", "--fix"] })).code).toBe(0);
    await expectSound(world);
  });

  it("leaves leak-scan its work, and it says that our own keys were not recognised", async () => {
    const text = `see ${world.second}\n`;
    lose();
    const ran = await world.run({ argv: ["leak-scan", "-", "-o", "json"], with: { stdin: text } });
    expect(ran.code, ran.err).toBe(20);
    expect(JSON.parse(ran.out)).toMatchObject({
      coverage: { managed: "none" },
      findings: [{ fingerprint: null }],
    });
    const strict = await world.run({
      argv: ["leak-scan", "-", "--require-managed"],
      with: { stdin: "nothing\n" },
    });
    expect(strict.code, strict.err).toBe(22);
  });
});

describe("a home in which nothing can be made", () => {
  it.each(verbTable(({ store }) => store === "made"))("stops %s with the path", async (_verb, row) => {
    writeFileSync(inHome("a-file"), "");
    const env = { KEYCTL_HOME: inHome("a-file/home") };
    const call = { ...row.good(world), with: { env } };
    const refusal = { ...unavailable, message: /a-file\/home/, hint: /path|permissions/ };
    expectOneClearMessage(await world.run(call), refusal);
    expectOneJsonError(await world.run(inJson(call)), refusal);
  });

  it("is told also where only the vault cannot be made", async () => {
    writeFileSync(inHome("a-file"), "");
    const argv = [
      "init",
      "--store",
      `sqlite:${inHome("other.db")}`,
      "--vault",
      `embedded:${inHome("a-file/vault.db")}`,
    ];
    expectOneClearMessage(await world.run({ argv }), unavailable);
  });
});

describe("an --out-file that is no file", () => {
  const places: [string, () => string, RegExp][] = [
    ["a device", () => deviceLink(), /a device, a pipe or a link/],
    ["a folder", () => world.home.path, /it is a folder|exists already/],
    ["in a folder that is not there", () => inHome("nowhere/answer"), /its folder does not exist/],
    ["below a file", () => inHome("unlock.key/answer"), /its folder is not a folder/],
    ["with a null byte", () => inHome("a\u0000b"), /cannot be written/],
  ];
  const writers: [string, string[]][] = [
    ["list", ["list"]],
    ["audit-export", ["audit-export"]],
    ["show", ["show", "api"]],
    ["create", ["create", "new"]],
    ["rotate", ["rotate", "api", "--yes"]],
  ];

  /** A link to a device: what must not be replaced by a file, without a device of this machine being at stake. */
  function deviceLink(): string {
    const link = inHome("null");
    symlinkSync("/dev/null", link);
    return link;
  }

  it.each(places)("is refused: %s; it is left as it is and no key is made", async (_what, place, message) => {
    const path = place();
    for (const [verb, argv] of writers) {
      const ran = await world.run({ argv: [...argv, "--out-file", path] });
      expect([6, 10], `${verb}: ${ran.err}`).toContain(ran.code);
      if (ran.code === 10) expectOneClearMessage(ran, { ...unavailable, message });
      expect(ran.out).toBe("");
    }
    expect(readdirSync(world.home.path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const { out } = await world.run({ argv: ["list", "-o", "json"] });
    const [api, ...rest] = JSON.parse(out);
    expect(api).toMatchObject({ name: "api", activeVersion: 2, state: "active" });
    expect(rest.filter((key: { activeVersion: number | null }) => key.activeVersion !== null)).toHaveLength(
      3,
    );
    await expectSound(world);
  });
});
