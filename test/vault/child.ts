/**
 * A process of its own for the tests that need one: `node child.ts FOLDER WHAT`. It says on stdout, line by line, what
 * the vault has acknowledged.
 */
import { writeSync } from "node:fs";
import { Secret } from "../../src/core/secret.ts";
import { createIn, placeIn } from "./vault-place.ts";

const [folder = "", what = "", stem = "", count = "0"] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const vault = await createIn(placeIn(folder));
if (what === "create")
  say((await vault.secrets.put("who", Secret.fromUtf8("created"), { tags: {} })).reference);
if (what === "write") {
  for (let index = 0; index < Number(count); index += 1) {
    const value = `${stem} ${index}`;
    const { reference } = await vault.secrets.put(stem, Secret.fromUtf8(value), { tags: {} });
    say(`${reference}\t${value}`);
  }
}
await vault.close();
