/**
 * A process of its own that works on the store at the path it is given, for tests of what several processes do to each
 * other. Usage: node child.ts <what> <path> [number]
 */
import { setTimeout as pause } from "node:timers/promises";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { insertPeople } from "./place.ts";
import { auditAppend, idOf, keyRecord, operation, versionRecord } from "./records.ts";
import { openOptions } from "./sqlite-place.ts";

const [what, path = "", number = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ ...openOptions, path, create: true, busyTimeoutMs: 5_000 });

switch (what) {
  case "open":
    process.stdout.write((await store.meta()).uuid);
    break;
  case "die-in-transaction":
    await store.transaction(async (tx) => {
      await insertPeople(tx);
      await tx.insertKey(keyRecord(1));
      await tx.insertVersion(versionRecord(idOf(3, 1), 1));
      await tx.appendAudit("system", [auditAppend(1)]);
      process.kill(process.pid, "SIGKILL");
      await pause(60_000);
    });
    break;
  case "die-after-commit":
    await store.transaction(insertPeople);
    process.kill(process.pid, "SIGKILL");
    await pause(60_000);
    break;
  case "hold-lock":
    await store.transaction(async () => {
      process.stdout.write("held");
      await pause(60_000);
    });
    break;
  case "race": {
    // Each tries to write revision n + 1 over n; the log tells how often it won.
    let won = 0;
    for (let round = 0; round < 25; round += 1) {
      const key = await store.keyById(idOf(3, 1));
      if (key === null) throw new Error("the key is gone");
      const isMine = await store.transaction(async (tx) => {
        const done = await tx.updateKey({ ...key, revision: key.revision + 1 }, key.revision);
        if (done) await tx.appendAudit("system", [auditAppend(round)]);
        return done;
      });
      won += isMine ? 1 : 0;
    }
    process.stdout.write(String(won));
    break;
  }
  case "begin":
    try {
      await store.transaction(async (tx) => await tx.insertOperation(operation(Number(number))));
      process.stdout.write("begun");
    } catch {
      process.stdout.write("refused");
    }
    break;
  default:
    throw new Error("the child was not told what to do");
}
await store.close();
