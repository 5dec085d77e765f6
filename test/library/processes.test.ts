import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startChild } from "../e2e/child-process.ts";
import { withSession } from "../e2e/invariants.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

interface Program {
  ask(asked: Record<string, unknown>): Promise<unknown>;
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** A program with a keyring over this home, in a process of its own, with a clock that it is told. */
async function startProgram(): Promise<Program> {
  const login = await withSession(home, async ({ caller }) => await Promise.resolve(caller.actor.login));
  const path = fileURLToPath(new URL("keyring-child.ts", import.meta.url));
  const child = spawn(process.execPath, [path, home.path, login, String(home.now)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null");
  const ended = once(child, "close");
  await answer();
  return {
    ask: async (asked) => {
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      return await answer();
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

it("a revoke by one process is seen by another within five seconds", async () => {
  const issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
  const program = await startProgram();
  try {
    expect(await program.ask({ verify: issued })).toMatchObject({ valid: true });
    const revoke = await startChild(home, ["revoke", "orders", "--reason", "key-compromise", "--yes"]);
    expect(await revoke.ended).toMatchObject({ code: 0 });
    expect(await program.ask({ verify: issued, now: home.now + 4_999 })).toMatchObject({ valid: true });
    expect(await program.ask({ verify: issued, now: home.now + 5_000 })).toMatchObject({
      valid: false,
      reason: "compromised",
    });
  } finally {
    await program.end();
  }
});

it("a program that is killed loses what it had not written, and breaks nothing", async () => {
  const issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
  const program = await startProgram();
  await program.ask({ verify: issued, times: 300, flush: true });
  await program.ask({ verify: issued, times: 200 });
  await program.kill();
  const rows = await withSession(home, async ({ store, caller }) => {
    let count = 0;
    const log = caller.tenant.id;
    for await (const { seq } of store.auditEntries({ log, operation: "usage.batch" })) {
      count += (await store.usageEvents({ log, seq })).length;
    }
    return count;
  });
  expect(rows).toBe(300);
  expect((await home.run(["audit-verify", "--state"])).code).toBe(0);
});
