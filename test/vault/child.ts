/**
 * A process of its own for the tests that need one: `node child.ts FOLDER WHAT …`. It says on stdout, line by line,
 * what the vault has acknowledged.
 */
import { writeSync } from "node:fs";
import type Sqlite from "better-sqlite3";
import type { Random } from "../../src/app/ports.ts";
import { Secret } from "../../src/core/secret.ts";
import { openSqlite } from "../../src/vault/embedded/database.ts";
import { createIn, placeIn, random } from "./vault-place.ts";

const [folder = "", what = "", ...rest] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function create(): Promise<void> {
  const vault = await createIn(placeIn(folder));
  say((await vault.secrets.put("who", Secret.fromUtf8("created"), { tags: {} })).reference);
  await vault.close();
}

async function write(stem: string, count: number): Promise<void> {
  const vault = await createIn(placeIn(folder));
  for (let index = 0; index < count; index += 1) {
    const value = `${stem} ${index}`;
    const { reference } = await vault.secrets.put(stem, Secret.fromUtf8(value), { tags: {} });
    say(`${reference}\t${value}`);
  }
  await vault.close();
}

/** Makes a vault and dies (SIGKILL) at the given one of its steps: each draw of random bytes, each call to SQLite. */
async function dieAt(step: number): Promise<void> {
  let steps = 0;
  const count = (): void => {
    steps += 1;
    if (steps === step) process.kill(process.pid, "SIGKILL");
  };
  const dying: Random = {
    bytes: (length) => {
      count();
      return random.bytes(length);
    },
  };
  const openDatabase = async (path: string): Promise<Sqlite.Database> => {
    count();
    return new Proxy(await openSqlite(path), {
      get: (database, name) => {
        count();
        const member: unknown = Reflect.get(database, name, database);
        return typeof member === "function" ? member.bind(database) : member;
      },
    });
  };
  const vault = await createIn(placeIn(folder), { random: dying, openDatabase });
  await vault.close();
  say(String(steps));
}

if (what === "create") await create();
if (what === "write") await write(rest[0] ?? "", Number(rest[1]));
if (what === "die") await dieAt(Number(rest[0]));
