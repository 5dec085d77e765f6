import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  changedCall,
  definitionOf,
  expectOneClearMessage,
  expectRefused,
  expectSound,
  makeWorld,
  refusals,
  verbTable,
  verbs,
} from "./bad-input-world.ts";
import type { Call, World } from "./bad-input-world.ts";

const { usage, notFound, conflict } = refusals;

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
        // The world has an api in prod, which is named then.
        hint: name === "nobody" ? /keyctl list/ : /it is in prod: keyctl show prod\/api$/,
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
    const [, name = ""] = verbs[verb]?.good(world).argv ?? [];
    const call = withName(verb, name.toUpperCase());
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

  // init makes the profile that it is given.
  const usesProfile = inAStore.filter(([verb]) => verb !== "init");
  it.each(usesProfile)("%s says that a profile does not exist", async (verb) => {
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
