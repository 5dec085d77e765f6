import { describe, expect, it, afterAll, beforeAll } from "vitest";
import { allOptions } from "../../src/cli/global-flags.ts";
import { commands } from "../../src/cli/tree.ts";
import {
  expectOneClearMessage,
  expectOneJsonError,
  expectRefused,
  expectSound,
  makeWorld,
  refusals,
  verbTable,
  verbs,
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

const all = verbTable(() => true);
const definitionOf = (verb: string) => {
  const found = commands.find(({ name }) => name === verb);
  if (found === undefined) throw new Error(`no verb ${verb}`);
  return found;
};

/** The good call with its words changed. */
function changed(verb: string, change: (argv: string[]) => string[]): Call {
  const call = verbs[verb]?.good(world);
  if (call === undefined) throw new Error(`no row for ${verb}`);
  return { ...call, argv: change([...call.argv]) };
}

it("every verb of the command tree has a row", () => {
  expect(Object.keys(verbs).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

it("every verb's row says whether it takes a name and a store, as its definition does", () => {
  for (const [verb, row] of all) {
    const takesName = definitionOf(verb).arguments.some(({ name }) => name === "NAME");
    expect(takesName, verb).toBe(row.name !== "none");
  }
});

describe("a secret on the command line", () => {
  const secret = ["hunter2", "hunter2"].join("-");
  const flags = ["--secret", "--value", "--password", "--passphrase", "--token", "--api-key", "--plaintext"];

  it.each(all)(
    "%s refuses every flag in which people put one, says why, and does not repeat it",
    async (verb) => {
      const known = new Set(allOptions(definitionOf(verb)).map(({ name }) => `--${name}`));
      for (const flag of flags.filter((each) => !known.has(each))) {
        const why = {
          ...usage,
          message: /is refused: other users .* can read a command line/,
          hint: /--from-file/,
        };
        for (const argv of [[`${flag}=${secret}`], [flag, secret]]) {
          const call = changed(verb, (words) => [...words, ...argv]);
          await expectRefused(world, call, why);
          expect((await world.run(call)).err).not.toContain(secret);
        }
      }
    },
  );

  const fixed = all.filter(([verb]) => definitionOf(verb).arguments.at(-1)?.variadic !== true);
  it.each(fixed)("%s refuses one word too many, and does not repeat it", async (verb) => {
    const takesSecret = definitionOf(verb).options.some(({ name }) => name === "from-file");
    const missing = definitionOf(verb).arguments.length - verbsWords(verb);
    const call = changed(verb, (words) => [...words, ...Array.from({ length: missing + 1 }, () => secret)]);
    await expectRefused(world, call, {
      ...usage,
      message: /there are more$/,
      ...(takesSecret ? { hint: /a secret never goes on the command line/ } : {}),
    });
    expect((await world.run(call)).err).not.toContain(secret);
  });

  it("the passphrase of a vault is no flag of init", async () => {
    const argv = ["init", "--vault-key", "passphrase", "--passphrase", secret];
    await expectRefused(world, { argv }, { ...usage, message: /--passphrase is refused/ });
  });
});

/** How many positional words the good call has. */
function verbsWords(verb: string): number {
  const words = verbs[verb]?.good(world).argv.slice(1) ?? [];
  return words.filter((word) => !word.startsWith("-")).length;
}

describe("a flag that is not understood", () => {
  it.each(all)("%s suggests the flag that was meant", async (verb) => {
    for (const [typed, meant] of [
      ["--tenat", "--tenant"],
      ["--dryrun", "--dry-run"],
      ["--out-flie", "--out-file"],
    ] as const) {
      const call = changed(verb, (words) => [...words, typed]);
      await expectRefused(world, call, {
        ...usage,
        message: /has no flag/,
        hint: new RegExp(`did you mean ${meant}\\?`),
      });
    }
  });

  it.each(all)("%s points to its help where nothing is near", async (verb) => {
    const call = changed(verb, (words) => [...words, "--frobnicate-it"]);
    await expectRefused(world, call, { ...usage, hint: new RegExp(`keyctl ${verb} --help$`) });
  });

  it.each(all)("%s refuses a value of -o that is none", async (verb) => {
    const ran = await world.run(changed(verb, (words) => [...words, "-o", "yaml"]));
    expectOneClearMessage(ran, { ...usage, hint: /table, wide, json/ });
  });
});

describe("an empty value", () => {
  const unset = { ...usage, message: /is empty/, hint: /variable of the script unset/ };

  it.each(all)("%s takes no flag with an empty value: a script's variable is unset", async (verb) => {
    for (const option of allOptions(definitionOf(verb))) {
      if (option.value === undefined) continue;
      const flag = `--${option.name}`;
      for (const value of ["", "  "]) {
        const call = changed(verb, (words) => [...withoutFlag(words, flag), `${flag}=${value}`]);
        await expectRefused(world, call, unset);
      }
    }
  });

  it.each(all.filter(([verb]) => definitionOf(verb).arguments.length > 0))(
    "%s takes no empty word",
    async (verb) => {
      await expectRefused(
        world,
        changed(verb, ([word = verb]) => [word, ""]),
        unset,
      );
    },
  );
});

function withoutFlag(words: string[], flag: string): string[] {
  const at = words.indexOf(flag);
  return at < 0 ? words : words.toSpliced(at, 2);
}

describe("a verb that is not there", () => {
  it.each([
    ["lst", "list"],
    ["roate", "rotate"],
    ["ls", "list"],
    ["get", "show"],
    ["rm", "revoke"],
    ["disable", "revoke"],
    ["scan", "leak-scan"],
    ["audit-exprot", "audit-export"],
  ])("%s is answered with %s", async (typed, meant) => {
    await expectRefused(
      world,
      { argv: [typed] },
      { ...usage, hint: new RegExp(`did you mean keyctl ${meant}\\?`) },
    );
  });

  it("that looks like a secret is not repeated", async () => {
    const token = ["kc_live", "000M9ODf6X0fx1", "x".repeat(39)].join(".");
    const ran = await world.run({ argv: [token] });
    expectOneClearMessage(ran, usage);
    expect(ran.err).not.toContain("000M9");
  });
});

const existing = verbTable(({ name }) => name === "existing");
const named = verbTable(({ name }) => name !== "none");

/** The good call with another name in it. */
function withName(verb: string, name: string): Call {
  return changed(verb, ([word = verb, , ...rest]) => [word, ...rest, "--", name]);
}

describe("a name", () => {
  const bad: [string, string, RegExp][] = [
    ["a path upwards", "../../etc/passwd", /more than three parts/],
    ["a path upwards of three parts", "../etc/passwd", /the tenant starts with "\."/],
    ["an absolute path", "/etc/passwd", /the tenant is empty/],
    ["an empty part", "prod/", /the key's name is empty/],
    ["a newline", "api\nkeyctl: all is well", /U\+000A as character 4/],
    ["a null byte", "api\u0000", /U\+0000 as character 4/],
    ["an escape sequence", "api\u001b[2J", /U\+001B as character 4/],
    ["a reversal of what is read", "api\u202etxt", /U\+202E as character 4/],
    ["an invisible character", "a\u200bpi", /U\+200B as character 2/],
    ["a Cyrillic letter", "аpi", /U\+0430 as character 1, which looks like the letter a and is another/],
    ["a Greek letter", "apι", /U\+03B9 as character 3, which looks like the letter i/],
    ["a full-width letter", "ａpi", /U\+FF41 as character 1, which looks like the letter a/],
    ["an accented letter", "café", /U\+00E9 as character 4, which looks like the letter e/],
    ["an emoji", "api🔑", /U\+1F511 as character 4/],
    ["half a character", "api\ud83d", /U\+D83D as character 4/],
    ["a blank", "my api", /U\+0020 as character 3/],
    ["a dot in front", ".hidden", /starts with "\."/],
    ["a dash in front", "-rf", /starts with "-"/],
    ["a quote and a command", "api'; drop table keys; --", /"'" as character 4/],
    ["a wildcard", "api*", /"\*" as character 4/],
    ["a backslash", "prod\\api", /"\\" as character 5/],
    ["64 characters", "x".repeat(64), /64 characters; at most 63/],
    ["a hundred thousand characters", "x".repeat(100_000), /100000 characters is too long/],
  ];

  it.each(named)(
    "%s takes none with path, control or look-alike characters, and shows none",
    async (verb) => {
      for (const [what, name, message] of bad) {
        const ran = await world.run(withName(verb, name));
        expectOneClearMessage(ran, {
          ...usage,
          message,
          hint: /NAME is name, env\/name or tenant\/env\/name/,
        });
        expect(ran.err.length, what).toBeLessThan(600);
        await expectRefused(world, withName(verb, name), usage);
      }
    },
  );

  it.each(existing)("%s of one that does not exist says so and where it looked", async (verb) => {
    for (const name of ["nobody", "staging/api", "default/staging/api"]) {
      await expectRefused(world, withName(verb, name), {
        ...notFound,
        message: /^no key .* in environment (?:prod|staging)$/,
        hint: /keyctl list/,
      });
    }
    await expectRefused(world, withName(verb, "acme/prod/api"), { ...notFound, message: /no tenant acme/ });
  });

  it.each(existing)("%s by an id that does not exist, or is none, says so", async (verb) => {
    const byId = (id: string): Call =>
      changed(verb, ([word = verb, , ...rest]) => [word, ...rest, "--id", id]);
    await expectRefused(world, byId("0199aaaa-0000-7000-8000-000000000000"), notFound);
    await expectRefused(world, byId("000M9ODf6X0fx1"), notFound);
    for (const id of ["api", "../x", "000M9ODf6X0fx1\n", "0199aaaa", "аaaaaaaaaaaaaa"]) {
      await expectRefused(world, byId(id), {
        ...usage,
        message: /--id takes a key's UUID or the 14-character id/,
      });
    }
  });

  it.each(existing)("%s finds it in any case, because names are compared without", async (verb) => {
    const call = withName(verb, "API");
    const argv =
      definitionOf(verb).mutation === "no"
        ? call.argv
        : [call.argv[0] ?? "", "--dry-run", ...call.argv.slice(1)];
    expect((await world.run({ ...call, argv })).code).toBe(0);
  });

  it("that differs only in case is taken", async () => {
    await expectRefused(
      world,
      { argv: ["create", "API"] },
      { ...conflict, message: /prod\/api exists already/ },
    );
  });
});

const inAStore = verbTable(({ store }) => store !== "own");

describe("a tenant or an environment", () => {
  it.each(inAStore)("%s says that a tenant does not exist, and where its name came from", async (verb) => {
    const flag = changed(verb, (words) => [...words, "--tenant", "acme"]);
    await expectRefused(world, flag, { ...notFound, message: /no tenant acme .*--tenant/ });
    const call = changed(verb, (words) => words);
    const byVariable = { ...call, with: { ...call.with, env: { KEYCTL_TENANT: "acme" } } };
    await expectRefused(world, byVariable, { ...notFound, message: /no tenant acme .*KEYCTL_TENANT/ });
  });

  it.each(inAStore)("%s takes none with path or control characters", async (verb) => {
    for (const flag of ["--tenant", "--env"]) {
      for (const name of ["../x", "pro\nd", "prоd", "\u001b[2J", "x".repeat(64)]) {
        const call = changed(verb, (words) => [...words, `${flag}=${name}`]);
        await expectRefused(world, call, usage);
      }
    }
  });

  it.each(inAStore)("%s says that a profile does not exist", async (verb) => {
    await expectRefused(
      world,
      changed(verb, (words) => [...words, "--profile", "nothing"]),
      notFound,
    );
  });

  it.each(inAStore)("%s refuses a store or a vault of a form that it does not know", async (verb) => {
    for (const url of ["store.db", "mysql://host/db", "sqlite:", "file:///etc/passwd"]) {
      await expectRefused(
        world,
        changed(verb, (words) => [...words, "--store", url]),
        usage,
      );
    }
    for (const url of ["vault.db", "embedded:", "http://vault"]) {
      await expectRefused(
        world,
        changed(verb, (words) => [...words, "--vault", url]),
        usage,
      );
    }
  });
});

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
      await expectRefused(world, call, { ...conflict, message: /is at revision/, hint: /keyctl show api/ });
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

describe("a dry run", () => {
  it.each(all)("%s changes nothing, or says that it changes nothing anyway", async (verb) => {
    const call = changed(verb, (words) => [...words, "--dry-run"]);
    if (definitionOf(verb).mutation === "no") {
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
