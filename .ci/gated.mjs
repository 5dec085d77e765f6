// Reads vitest's JSON reports, prints what ran, and fails when a test was skipped whose tool is on this machine.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const has = (command) => {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** A skipped test may stay skipped only while its reason holds; anything else must have run. */
const gates = [
  { words: /python|verify\.py/i, present: has("python3") && has("openssl") },
  { words: /wycheproof|vectors|published/i, present: existsSync("../shared/vectors") },
  // Root may write everywhere: .ci/run gives these a run of their own as another user.
  { words: /write permission/i, present: process.getuid?.() !== 0 },
  // .ci/run lets every user reach the checkout.
  { words: /may only be read/i, present: true },
  { words: /git/i, present: has("git") },
  { words: /needs jq/, present: has("jq") },
  { words: /needs sqlite3/, present: has("sqlite3") },
  { words: /needs bash/, present: has("bash") },
  // The suite tries the mount itself: a skip means that it could not be done.
  { words: /tmpfs/i, present: false },
];

let passed = 0;
let failed = 0;
let skipped = 0;
const bad = [];
for (const path of process.argv.slice(2)) {
  for (const file of JSON.parse(readFileSync(path, "utf8")).testResults) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed += 1;
      else if (test.status === "failed") failed += 1;
      else {
        skipped += 1;
        const gate = gates.find(({ words }) => words.test(test.fullName) || words.test(file.name));
        const verdict =
          gate === undefined ? "no known reason" : gate.present ? "its tool is here" : "its tool is not here";
        console.log(`skipped, ${verdict}: ${test.fullName}`);
        if (gate === undefined || gate.present) bad.push(test.fullName);
      }
    }
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
if (bad.length > 0 || failed > 0) process.exit(1);
