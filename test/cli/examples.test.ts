import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import type { Outcome } from "../../src/cli/exit-codes.ts";
import { commands } from "../../src/cli/tree.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

/** What differs from running in a home in use and ending well. */
interface Row {
  home?: "none" | "new" | "used";
  outcome?: Outcome;
  /** Why it is not run here. */
  elsewhere?: string;
}

const rows: Readonly<Record<string, Row>> = {
  "keyctl init": { home: "none" },
  "KEYCTL_PASSPHRASE_FILE=pass.txt keyctl init --vault-key passphrase": { home: "none" },
  "keyctl init --profile lab --env dev": { home: "none" },
  "keyctl demo": { elsewhere: "a process of its own: scripts/demo.txtar" },
  "keyctl demo --keep": { elsewhere: "it leaves a folder behind" },
  "keyctl create payments --scopes read,write --expires 90d": { home: "new" },
  "keyctl create openai-main --kind provider --provider openai --from-file key.txt": { home: "new" },
  "keyctl create orders-db --kind secret --type db-credential --generate": { home: "new" },
  // The id belongs to nobody's key here.
  "keyctl show --id 000M9ODf6X0fx1 -o json": { outcome: "not-found" },
  // Nobody has this id here either.
  "keyctl audit-erase --actor 0192f0c1-0000-7000-8000-00000000000a --confirm 0192f0c1-0000-7000-8000-00000000000a":
    { outcome: "not-found" },
  "keyctl verify --scopes orders:write -o json --from-file key.txt": { outcome: "not-valid" },
  "keyctl leak-scan job.log": { outcome: "managed-leak" },
  "kubectl logs deploy/api | keyctl leak-scan - --format json": { outcome: "managed-leak" },
  // The fingerprint is another key's: that is what it is for.
  "keyctl audit-verify audit-2026 --fingerprint 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08":
    { outcome: "integrity" },
};

const examples = commands.flatMap((command) => command.examples.map((example) => example.command));
const made: Home[] = [];

afterAll(() => {
  process.chdir(tmpdir());
  for (const home of made) home.remove();
});

/** A folder to type the example in, with the files and keys that examples speak of. */
async function prepare(row: Row, example: string): Promise<{ home: Home; files: Record<string, string> }> {
  const home = await makeHome({ init: row.home !== "none" });
  made.push(home);
  process.chdir(home.path);
  const files = { "pass.txt": "correct horse battery\n", "key.txt": "", "job.log": "" };
  files["key.txt"] = ["not", "a", "key", "of", "ours"].join("-");
  if (example.includes("profile use lab")) await home.ok(["init", "--profile", "lab"]);
  if (row.home === undefined || row.home === "used") {
    files["key.txt"] = (await home.ok(["create", "payments", "--owner", "user:42"])).trim();
    await home.ok(["rotate", "payments", "--yes"]);
    await home.ok(["create", "orders-db", "--kind", "secret", "--type", "db-credential", "--generate"]);
    files["job.log"] = `Authorization: Bearer ${files["key.txt"]}\n`;
    if (example.startsWith("keyctl resume"))
      await home.ok(["suspend", "payments", "--reason", "odd traffic"]);
    if (example.startsWith("keyctl restore")) await home.ok(["delete", "payments", "--yes"]);
    if (example.includes("keyctl exec")) {
      for (const program of ["deploy.sh", "psql"])
        writeFileSync(join(home.path, program), "#!/bin/sh\nexit 0\n", { mode: 0o700 });
    }
    if (example.includes("tenant delete acme")) await home.ok(["tenant", "create", "acme"]);
    if (example.includes("actor grant mia") || example.includes("actor revoke mia"))
      await home.ok(["actor", "add", "mia"]);
    if (example.includes("audit-verify audit-2026"))
      await home.ok(["audit-export", "--format", "bundle", "--out", join(home.path, "audit-2026")]);
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home.path, name), text);
  return { home, files };
}

/** An example as a shell would take it apart: variables before it, a file or a pipe into it. */
function takeApart(example: string): { env: Record<string, string>; argv: string[]; input: string | null } {
  const piped = example.includes(" | ");
  const [line = "", file] = example.slice(piped ? example.indexOf(" | ") + 3 : 0).split(" < ");
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
  const start = words.indexOf("keyctl");
  const env = Object.fromEntries(
    words
      .slice(0, start)
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  return { env, argv: words.slice(start + 1), input: file ?? (piped ? "job.log" : null) };
}

describe("an example of a command's help can be typed", () => {
  const here = examples.filter((example) => rows[example]?.elsewhere === undefined);

  it.each(here)("%s", async (example) => {
    const row = rows[example] ?? {};
    const { home, files } = await prepare(row, example);
    const { env, argv, input } = takeApart(example);
    const stdin = Object.entries(files).find(([name]) => name === input)?.[1] ?? "";
    const { code, err } = await home.run(argv, { env: { PATH: home.path, ...env }, stdin, files });
    expect(code, err).toBe(exitCodes[row.outcome ?? "ok"].code);
  });
});

it("no row stands for an example that is gone", () => {
  expect(Object.keys(rows).filter((example) => !examples.includes(example))).toEqual([]);
});
