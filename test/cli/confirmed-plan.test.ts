import { describe, expect, it } from "vitest";
import { runMain } from "../../src/main.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { fakeIo } from "../fakes/io.ts";

/** A person at a terminal who types `answer`, and what somebody else does while they think. */
async function whileAsked(
  home: Home,
  argv: readonly string[],
  asked: { answer: string; meanwhile: () => Promise<unknown> },
): Promise<{ code: number; err: string }> {
  const env = { KEYCTL_HOME: home.path };
  const io = fakeIo({ env, cwd: home.path, homeDirectory: home.path, now: home.now, answers: [] });
  const think = async (): Promise<string> => {
    await asked.meanwhile();
    return asked.answer;
  };
  const prompter = await io.openPrompter();
  if (prompter === null) throw new Error("no terminal");
  const openPrompter = async (): Promise<typeof prompter> =>
    await Promise.resolve({ ...prompter, confirm: async () => (await think()) === "y", text: think });
  return { code: await runMain(argv, { ...io, openPrompter }), err: io.err() };
}

describe("what changes while a person thinks", () => {
  it("does not add keys to those that were agreed to", async () => {
    const home = await makeHome();
    try {
      for (const name of ["a", "b"]) await home.ok(["create", name, "--owner", "user:42"]);
      const argv = ["revoke", "--all", "--where-owner", "user:42", "--reason", "superseded"];
      const meanwhile = async (): Promise<unknown> => await home.ok(["create", "c", "--owner", "user:42"]);
      const { code, err } = await whileAsked(home, argv, { answer: "2", meanwhile });
      expect(code, err).toBe(0);
      expect(await home.ok(["list", "--state", "revoked", "-o", "name"])).toBe("prod/a\nprod/b\n");
      expect(await home.ok(["list", "--state", "active", "-o", "name"])).toBe("prod/c\n");
    } finally {
      home.remove();
    }
  });

  it("does not save a key from its revoke: a version that came between is denied too", async () => {
    const home = await makeHome();
    try {
      await home.ok(["create", "a"]);
      let next = "";
      const meanwhile = async (): Promise<void> => {
        next = await home.ok(["rotate", "a", "--yes"]);
      };
      const argv = ["revoke", "a", "--reason", "superseded"];
      expect((await whileAsked(home, argv, { answer: "y", meanwhile })).code).toBe(0);
      expect((await home.run(["verify"], { stdin: next })).code).toBe(13);
    } finally {
      home.remove();
    }
  });

  it("does nothing when the answer is no", async () => {
    const home = await makeHome();
    try {
      await home.ok(["create", "a"]);
      const meanwhile = async (): Promise<void> => await Promise.resolve();
      const argv = ["revoke", "a", "--reason", "superseded"];
      expect((await whileAsked(home, argv, { answer: "n", meanwhile })).code).toBe(130);
      expect(await home.ok(["show", "a", "-o", "json"])).toContain('"state": "active"');
    } finally {
      home.remove();
    }
  });
});
