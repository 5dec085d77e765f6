import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Probe {
  /** Where the file would lie. */
  path: string;
  code: string;
  /** The rule that must stop it; null where the direction is allowed. */
  stoppedBy: string | null;
}

const use = (module: string): string => `import { thing } from "${module}";\n\nexport const used = thing;\n`;
const imports = "eslint(no-restricted-imports)";
const globals = "eslint(no-restricted-globals)";
const properties = "eslint(no-restricted-properties)";

/** Every room, with imports that it must not and one that it may make. */
const rooms: Readonly<Record<string, { mayNot: string[]; may: string[] }>> = {
  core: {
    mayNot: [
      "../app/ports.ts",
      "../audit/entry.ts",
      "../leak/scanner.ts",
      "../store/sqlite.ts",
      "../cli/io.ts",
      "../compose.ts",
      "node:fs",
      "node:fs/promises",
      "node:child_process",
      "node:os",
      "node:net",
      "node:https",
      "node:process",
    ],
    may: ["./errors.ts", "node:crypto"],
  },
  audit: {
    mayNot: [
      "../app/ports.ts",
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../files/walk.ts",
      "../cli/io.ts",
      "../compose.ts",
      "node:fs",
    ],
    may: ["../core/errors.ts"],
  },
  leak: {
    mayNot: [
      "../app/ports.ts",
      "../store/sqlite.ts",
      "../files/walk.ts",
      "../cli/io.ts",
      "../main.ts",
      "node:fs/promises",
    ],
    may: ["../core/errors.ts"],
  },
  "leak/rules": {
    mayNot: [
      "../../app/ports.ts",
      "../../store/sqlite.ts",
      "../../files/walk.ts",
      "../../cli/io.ts",
      "../../config/settings.ts",
      "../../compose.ts",
    ],
    may: ["../../core/errors.ts"],
  },
  app: {
    mayNot: [
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../files/walk.ts",
      "../config/settings.ts",
      "../cli/io.ts",
      "../compose.ts",
      "node:fs",
      "node:os",
    ],
    may: ["../core/errors.ts", "../audit/entry.ts", "../leak/scanner.ts"],
  },
  store: {
    mayNot: [
      "../vault/limits.ts",
      "../files/walk.ts",
      "../config/settings.ts",
      "../app/create-key.ts",
      "../audit/entry.ts",
      "../leak/scanner.ts",
      "../cli/io.ts",
      "../compose.ts",
    ],
    may: ["../core/errors.ts", "../app/ports.ts", "node:fs"],
  },
  "store/sqlite": {
    mayNot: [
      "../../vault/limits.ts",
      "../../files/walk.ts",
      "../../app/create-key.ts",
      "../../cli/io.ts",
      "../../audit/merkle.ts",
      "../../leak/scanner.ts",
      "../../compose.ts",
    ],
    may: ["../../core/errors.ts", "../../app/ports.ts", "../migrate.ts"],
  },
  "vault/embedded": {
    mayNot: [
      "../../store/sqlite.ts",
      "../../files/walk.ts",
      "../../app/create-key.ts",
      "../../cli/io.ts",
      "../../audit/merkle.ts",
      "../../leak/scanner.ts",
      "../../compose.ts",
    ],
    may: ["../../core/errors.ts", "../../app/ports.ts", "../limits.ts"],
  },
  files: {
    mayNot: [
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../config/settings.ts",
      "../app/create-key.ts",
      "../audit/entry.ts",
      "../cli/io.ts",
    ],
    may: ["../core/errors.ts", "../app/ports.ts", "node:fs"],
  },
  config: {
    mayNot: [
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../files/walk.ts",
      "../app/create-key.ts",
      "../cli/io.ts",
    ],
    may: ["../core/errors.ts", "node:path"],
  },
  cli: {
    mayNot: [
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../files/walk.ts",
      "../config/settings.ts",
      "../compose.ts",
    ],
    may: ["../core/errors.ts", "../app/ports.ts"],
  },
  library: {
    mayNot: [
      "../store/sqlite.ts",
      "../vault/limits.ts",
      "../files/walk.ts",
      "../config/settings.ts",
      "../cli/io.ts",
      "../compose.ts",
      "../main.ts",
    ],
    may: ["../core/errors.ts", "../app/ports.ts", "../leak/redact.ts"],
  },
  "cli/commands": {
    mayNot: [
      "../../store/sqlite.ts",
      "../../vault/limits.ts",
      "../../files/walk.ts",
      "../../config/settings.ts",
      "../../compose.ts",
    ],
    may: ["../../core/errors.ts", "../../app/show-key.ts"],
  },
};

const directions: Probe[] = Object.entries(rooms).flatMap(([room, { mayNot, may }]) => {
  const probe = (module: string, i: number, stoppedBy: string | null): Probe => ({
    path: `src/${room}/probe-${stoppedBy === null ? "good" : "bad"}-${i}.ts`,
    code: use(module),
    stoppedBy,
  });
  return [
    ...mayNot.map((module, i) => probe(module, i, imports)),
    ...may.map((module, i) => probe(module, i, null)),
  ];
});

/** Clock, randomness, process and console, where they must come in as arguments. */
const surroundings: Probe[] = [
  ...["core", "audit", "leak", "app"].flatMap((room): Probe[] => [
    { path: `src/${room}/clock.ts`, code: "export const at = Date.now();\n", stoppedBy: properties },
    { path: `src/${room}/chance.ts`, code: "export const chance = Math.random();\n", stoppedBy: properties },
  ]),
  ...["core", "audit", "leak", "app", "store", "vault", "files", "config", "cli", "library"].flatMap(
    (room): Probe[] => [
      { path: `src/${room}/surroundings.ts`, code: "export const home = process.env;\n", stoppedBy: globals },
      { path: `src/${room}/talking.ts`, code: 'console.error("here");\n', stoppedBy: "eslint(no-console)" },
    ],
  ),
  { path: "src/main.ts", code: "export const home = process.env;\n", stoppedBy: null },
];

/** What loses a secret or an error without a sound. */
const habits: Probe[] = [
  {
    path: "src/app/any.ts",
    code: "export const loose: any = 1;\n",
    stoppedBy: "typescript(no-explicit-any)",
  },
  {
    path: "src/app/bang.ts",
    code: "export const sure = (x: string | null): string => x!;\n",
    stoppedBy: "typescript(no-non-null-assertion)",
  },
  { path: "src/app/default.ts", code: "export default 1;\n", stoppedBy: "import(no-default-export)" },
  {
    path: "src/app/equal.ts",
    code: "export const same = (a: number, b: number): boolean => a == b;\n",
    stoppedBy: "eslint(eqeqeq)",
  },
];

const probes = [...directions, ...surroundings, ...habits];
/** The rules that stopped each file. */
const stopped = new Map<string, string[]>();

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyctl-lint-"));
  copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const { path, code } of probes) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
  for (const { filename, code } of await lint()) {
    stopped.set(filename, [...(stopped.get(filename) ?? []), code]);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One run of the linter over all probes, with the repository's own rules. */
async function lint(): Promise<{ filename: string; code: string }[]> {
  const oxlint = join(root, "node_modules/.bin/oxlint");
  const report = await new Promise<string>((resolve, reject) => {
    // It ends with 1 because it finds something.
    execFile(oxlint, ["--format", "json", "src"], { cwd: folder, maxBuffer: 1 << 26 }, (error, stdout) => {
      if (stdout === "") reject(error ?? new Error("the linter said nothing"));
      else resolve(stdout);
    });
  });
  return JSON.parse(report).diagnostics;
}

describe("the linter guards the rooms", () => {
  it.each(probes.filter(({ stoppedBy }) => stoppedBy !== null))(
    "$path is stopped: $code",
    ({ path, stoppedBy }) => {
      expect(stopped.get(path) ?? []).toContain(stoppedBy);
    },
  );

  it.each(probes.filter(({ stoppedBy }) => stoppedBy === null))("$path is let through: $code", ({ path }) => {
    expect(stopped.get(path) ?? []).toEqual([]);
  });

  it("knows every room that there is", () => {
    const found = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const known = new Set(Object.keys(rooms).map((room) => room.split("/")[0]));
    expect(found.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });
});
