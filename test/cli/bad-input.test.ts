import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allOptions } from "../../src/cli/global-flags.ts";
import { commands } from "../../src/cli/tree.ts";
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

const { usage } = refusals;

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

/** A verb's own words: one, or two. */
function nameOf(verb: string): string[] {
  return verb.split(" ");
}

/** How many positional words the good call has. */
function verbsWords(verb: string): number {
  const words = verbs[verb]?.good(world).argv.slice(nameOf(verb).length) ?? [];
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
    // A flag that exec does not know was mostly meant for the program that it runs.
    const help = verb === "exec" ? /stand behind --/ : new RegExp(`keyctl ${verb} --help$`);
    await expectRefused(world, call, { ...usage, hint: help });
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

  const worded = all.filter(([verb]) =>
    definitionOf(verb).arguments.some(({ verbatim }) => verbatim !== true),
  );
  it.each(worded)("%s takes no empty word", async (verb) => {
    const needed = definitionOf(verb).arguments.filter(({ required }) => required).length;
    const empty = Array.from({ length: Math.max(1, needed) }, () => "");
    await expectRefused(
      world,
      changed(verb, () => [...nameOf(verb), ...empty]),
      unset,
    );
  });
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
    ["get", "reveal"],
    ["rm", "delete"],
    ["disable", "suspend"],
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
