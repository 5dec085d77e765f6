/**
 * A program that uses the library, in a process of its own: one line of JSON comes in, one goes out.
 * `{"now": ms}` sets its clock, `{"verify": key, "times": n}` answers the last verification, `{"flush": true}` writes.
 */
import { createInterface } from "node:readline";
import { userInfo } from "node:os";
import { composeKeyring } from "../../src/compose-keyring.ts";

interface Asked {
  now?: number;
  verify?: string;
  times?: number;
  flush?: boolean;
}

const [home = "", login = userInfo().username, startAt = "0"] = process.argv.slice(2);
let now = Number(startAt);
const { pid, platform } = process;
const keyring = await composeKeyring(
  {
    io: { env: { KEYCTL_HOME: home }, cwd: home, homeDirectory: home, login, now: () => now },
    talk: { note: () => undefined, warn: () => undefined },
    system: { pid, platform, uid: process.getuid?.() ?? null, tool: "keyctl/test" },
    readPassphrase: async () => await Promise.reject(new Error("there is no passphrase in this test")),
    stopwatch: { now: () => now },
    every: () => () => undefined,
  },
  { profile: null, store: null, vault: null, tenant: null, env: null, service: null },
);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line) as Asked;
  now = asked.now ?? now;
  let answer: unknown = null;
  for (let done = 0; asked.verify !== undefined && done < (asked.times ?? 1); done += 1) {
    answer = await keyring.verify(asked.verify);
  }
  if (asked.flush === true) await keyring.flush();
  console.log(JSON.stringify(answer));
}
await keyring.close();
