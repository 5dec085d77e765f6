import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  changedCall,
  definitionOf,
  expectOneClearMessage,
  expectOneJsonError,
  expectRefused,
  expectSound,
  makeWorld,
  refusals,
  verbTable,
} from "./bad-input-world.ts";
import type { Call, Refusal, World } from "./bad-input-world.ts";

const { usage, notFound, conflict, refused, interrupted } = refusals;

/** Every call in this file must leave the store as it is, so one world serves them all. */
let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  await expectSound(world);
  world.home.remove();
});

const changed = (verb: string, change: (argv: string[]) => string[]): Call =>
  changedCall(world, verb, change);
const all = verbTable(() => true);

describe("the wrong kind", () => {
  const value = { stdin: "a value that is long enough" };
  const rows: [string, string[], Refusal][] = [
    ["create issued", ["create", "n", "--from-file", "-"], { ...usage, message: /makes its own value/ }],
    ["create issued", ["create", "n", "--generate"], { ...usage, message: /makes its own value/ }],
    [
      "create issued",
      ["create", "n", "--provider", "openai"],
      { ...usage, message: /--provider does not go with --kind issued/ },
    ],
    [
      "create provider",
      ["create", "n", "--kind", "provider", "--from-file", "-"],
      { ...usage, message: /needs --provider/ },
    ],
    [
      "create provider",
      ["create", "n", "--kind", "provider", "--provider", "openai", "--generate"],
      { ...usage, message: /made by the provider/ },
    ],
    [
      "create secret",
      ["create", "n", "--kind", "secret", "--from-file", "-"],
      { ...usage, message: /--type is missing/ },
    ],
    [
      "create secret",
      ["create", "n", "--kind", "secret", "--type", "PHI_DATA", "--from-file", "-"],
      { ...usage, message: /--type has a value/ },
    ],
    [
      "create encryption",
      ["create", "n", "--kind", "encryption", "--type", "db-credential"],
      { ...usage, message: /--type has a value/ },
    ],
    [
      "create encryption",
      ["create", "n", "--kind", "encryption", "--type", "PHI_DATA", "--from-file", "-"],
      { ...usage, message: /makes its own value/ },
    ],
    [
      "create encryption",
      ["create", "n", "--kind", "encryption", "--type", "PHI_DATA", "--algorithm", "DES"],
      { ...usage, message: /--algorithm/ },
    ],
    [
      "create of a kind that is none",
      ["create", "n", "--kind", "magic"],
      { ...usage, hint: /issued, provider, secret, encryption/ },
    ],
    [
      "create of a secret into a file",
      ["create", "n", "--kind", "secret", "--type", "db-credential", "--generate", "--out-file", "x"],
      { ...usage, message: /never printed/ },
    ],
    [
      "rotate issued",
      ["rotate", "api", "--yes", "--from-file", "-"],
      { ...usage, message: /makes its own value/ },
    ],
    ["rotate issued", ["rotate", "api", "--yes", "--generate"], { ...usage, message: /makes its own value/ }],
    [
      "rotate provider",
      ["rotate", "openai", "--yes", "--generate"],
      { ...usage, message: /made by the provider/ },
    ],
    ["rotate provider", ["rotate", "openai", "--yes"], { ...usage, message: /no terminal to ask/ }],
    ["rotate secret", ["rotate", "db", "--yes"], { ...usage, message: /no terminal to ask/ }],
    [
      "rotate secret",
      ["rotate", "db", "--yes", "--generate", "--from-file", "-"],
      { ...usage, message: /exclude each other/ },
    ],
    [
      "rotate secret",
      ["rotate", "db", "--yes", "--generate", "--out-file", "x"],
      { ...usage, message: /never printed/ },
    ],
    [
      "rotate encryption",
      ["rotate", "phi", "--yes", "--from-file", "-"],
      { ...usage, message: /makes its own value/ },
    ],
    ["revoke with an upstream", ["revoke", "api", "--upstream-done"], { ...refused }],
    ["list of a kind that is none", ["list", "--kind", "magic"], { ...usage, hint: /issued/ }],
    ["list of a type that is none", ["list", "--type", "magic"], usage],
  ];
  it.each(rows)("%s is refused: %j", async (_what, argv, refusal) => {
    await expectRefused(world, { argv, with: value }, refusal);
  });
});

describe("the wrong state", () => {
  const rows: [string, string[], Refusal][] = [
    [
      "create what exists",
      ["create", "api"],
      { ...conflict, message: /exists already/, hint: /keyctl show prod\/api/ },
    ],
    ["create what is revoked", ["create", "gone"], { ...conflict, message: /exists already/ }],
    [
      "rotate what is revoked",
      ["rotate", "gone", "--yes"],
      { ...refused, message: /no accepted version/, hint: /--replace/ },
    ],
    ["roll back what has one version", ["rollback", "db", "--yes"], refused],
    ["roll back what is revoked", ["rollback", "gone", "--yes"], refused],
    [
      "roll back to a version that was never there",
      ["rollback", "api", "--to-version", "9", "--yes"],
      notFound,
    ],
    ["roll back to the active version", ["rollback", "api", "--to-version", "2", "--yes"], refused],
    [
      "revoke a version that was never there",
      ["revoke", "api", "--version", "9", "--reason", "superseded", "--yes"],
      notFound,
    ],
    ["undo where nothing was revoked", ["revoke", "api", "--undo", "--yes"], refused],
    ["a bundle that is not there", ["audit-verify", "nowhere"], notFound],
    ["a page after a cursor that is none", ["list", "--after", "nonsense"], usage],
  ];
  it.each(rows)("%s: refused, and the store is as before", async (_what, argv, refusal) => {
    await expectRefused(world, { argv }, refusal);
  });

  it("revoking what is revoked is done already", async () => {
    const ran = await world.run({
      argv: ["revoke", "gone", "--reason", "superseded", "--yes", "-o", "json"],
    });
    expect(ran.code, ran.err).toBe(0);
    expect(JSON.parse(ran.out).keys).toMatchObject([{ name: "gone", state: "revoked" }]);
  });

  it("a rollback whose window is over is refused", async () => {
    const { home } = world;
    const now = home.now;
    home.now += 8 * 24 * 3_600_000;
    await expectRefused(world, { argv: ["rollback", "api", "--yes"] }, refused);
    await expectRefused(world, { argv: ["revoke", "gone", "--undo", "--yes"] }, refused);
    home.now = now;
  });
});

describe("no answer where one is needed", () => {
  const asked: [string, string[], string][] = [
    ["rotate", ["rotate", "api"], "keyctl rotate api --yes"],
    [
      "rotate with flags",
      ["rotate", "api", "--grace", "2h", "--reason", "it is time"],
      "keyctl rotate api --grace 2h --reason 'it is time' --yes",
    ],
    ["rollback", ["rollback", "api"], "keyctl rollback api --yes"],
    ["revoke", ["revoke", "api", "--reason", "superseded"], "keyctl revoke api --reason superseded --yes"],
    ["undo", ["revoke", "gone", "--undo"], "keyctl revoke gone --undo --yes"],
    [
      "revoke of several",
      ["revoke", "api", "db", "--reason", "superseded", "--yes"],
      "keyctl revoke api db --reason superseded --confirm 2",
    ],
  ];

  it.each(asked)("%s without a terminal names the exact command", async (_what, argv, command) => {
    const refusal = { ...usage, message: /there is no terminal to ask on/ };
    const ran = await world.run({ argv });
    expectOneClearMessage(ran, refusal);
    expect(ran.err).toContain(`keyctl: hint: ${command}\n`);
    await expectRefused(world, { argv }, refusal);
  });

  it.each(asked)("%s, declined: nothing was done", async (_what, argv, command) => {
    const answer = command.includes("--confirm") ? "3" : false;
    const declined = { ...interrupted };
    const ran = await world.run({ argv, with: { answers: [answer] } });
    expect(ran).toMatchObject({ code: declined.code, out: "" });
    expect(ran.err).toContain("keyctl: error: not confirmed, nothing was done\n");
    const ctrlC = await world.run({ argv, with: { answers: [null] } });
    expect(ctrlC).toMatchObject({ code: 130, out: "" });
  });

  it("a word that is not the one asked for confirms nothing", async () => {
    for (const confirm of ["yes", "api", "3", "2 "]) {
      const argv = ["revoke", "api", "db", "--reason", "superseded", `--confirm=${confirm}`];
      await expectRefused(
        world,
        { argv },
        { ...usage, message: /--confirm does not name/, hint: /--confirm 2$/ },
      );
    }
  });
});

describe("what was seen is not what is", () => {
  const mutations = all.filter(
    ([verb, { name }]) => name === "existing" && definitionOf(verb).mutation !== "no",
  );

  it.each(mutations)("%s refuses a revision that has passed", async (verb) => {
    for (const revision of ["1", "99"]) {
      const call = changed(verb, (words) => [...words, "--if-revision", revision]);
      await expectRefused(world, call, { ...conflict, message: /is at revision/, hint: /keyctl show \S/ });
    }
  });

  it.each(mutations)("%s refuses the hash of another plan", async (verb) => {
    const call = changed(verb, (words) => [
      ...words.filter((word) => word !== "--yes"),
      "--confirm",
      "0".repeat(64),
    ]);
    await expectRefused(world, call, { ...conflict, message: /the plan changed/, hint: /--dry-run/ });
  });

  it.each(mutations)("%s refuses a revision that is no number", async (verb) => {
    for (const revision of ["0", "-1", "1e3", "one", "٣"]) {
      const call = changed(verb, (words) => [...words, `--if-revision=${revision}`]);
      await expectRefused(world, call, usage);
    }
  });
});

describe("revoke of more than was meant", () => {
  const reason = ["--reason", "superseded", "--yes"];
  it.each<[string, string[]]>([
    ["--all without --where-", ["revoke", "--all", ...reason]],
    ["--all with an empty --where-", ["revoke", "--all", "--where-owner=", ...reason]],
    ["nothing", ["revoke", ...reason]],
    ["a name and --all", ["revoke", "api", "--all", "--where-owner", "app", ...reason]],
    ["a name and --leaked", ["revoke", "api", "--leaked", ...reason]],
    ["--leaked without a text", ["revoke", "--leaked", ...reason]],
    ["no reason", ["revoke", "api", "--yes"]],
    ["a reason that is none", ["revoke", "api", "--reason", "boredom", "--yes"]],
    ["--undo of several", ["revoke", "api", "db", "--undo", "--yes"]],
  ])("is usage: %s", async (_what, argv) => {
    await expectRefused(world, { argv }, usage);
  });
});

describe("a plan that was shown before somebody else acted", () => {
  const bulk = ["revoke", "--all", "--where-owner", "app", "--reason", "superseded"];
  const steps: [string, string[], string[]][] = [
    ["rotate", ["rotate", "api"], ["rotate", "api", "--yes"]],
    ["rollback", ["rollback", "api"], ["rotate", "api", "--yes"]],
    ["revoke", ["revoke", "api", "--reason", "superseded"], ["rotate", "api", "--yes"]],
    ["revoke of many", bulk, ["create", "another"]],
    ["revoke of many, one of them gone", bulk, ["revoke", "api", "--reason", "superseded", "--yes"]],
  ];

  it.each(steps)(
    "%s is refused by the hash of that plan, and done by the new one",
    async (_what, planned, meanwhile) => {
      const own = await makeWorld();
      const plan = async (): Promise<string> =>
        JSON.parse(await own.home.ok([...planned, "--dry-run", "-o", "json"])).planHash;
      const old = await plan();
      expect(await plan()).toBe(old);
      await own.home.ok(meanwhile);
      await expectRefused(
        own,
        { argv: [...planned, "--confirm", old] },
        { ...conflict, message: /the plan changed/ },
      );
      const ran = await own.run({ argv: [...planned, "--confirm", await plan()] });
      // 8: a provider's key is still accepted by its provider.
      expect([0, 8], ran.err).toContain(ran.code);
      own.home.remove();
    },
  );
});

describe("a dry run", () => {
  it.each(all)("%s changes nothing, or says that it changes nothing anyway", async (verb) => {
    const call = changed(verb, (words) => [...words, "--dry-run"]);
    const { mutation, options } = definitionOf(verb);
    if (mutation === "no" && options.every(({ name }) => name !== "dry-run")) {
      await expectRefused(world, call, { ...usage, message: /has no --dry-run/ });
      return;
    }
    const ran = await world.run(call);
    expect(ran.code, ran.err).toBe(0);
  });
});

describe("an error in JSON", () => {
  it("is one object also where notes were said before it", async () => {
    const ran = await world.run({ argv: ["-o", "json", "rotate", "nobody", "--yes"] });
    expectOneJsonError(ran, notFound);
    expect(JSON.parse(ran.err).notes).toEqual([expect.stringContaining("store sqlite:")]);
  });
});
