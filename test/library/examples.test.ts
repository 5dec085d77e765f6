import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../../src/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/library.md"), "utf8");

/** Fenced blocks of one language, in the order of the page. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, code]) => code ?? "",
  );
}

const [setUp = ""] = blocks("sh");
const programs = blocks("ts").map((code, number) => ({
  code,
  number,
  title: code.includes("createServer")
    ? "a server"
    : (/keyring\.(?!close)(\w+)/.exec(code)?.[1] ?? `program ${number}`),
  prints: blocks("text")[number] ?? "",
}));

let folder: string;

/** A user's project: the built package below node_modules, and a `keyctl` on the PATH. */
beforeAll(() => {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("npm run build comes first");
  folder = mkdtempSync(join(tmpdir(), "keyctl-examples-"));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/keyctl"));
  symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  mkdirSync(join(folder, "bin"));
  const script = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "bin/keyctl.js")}" "$@"\n`;
  writeFileSync(join(folder, "bin/keyctl"), script);
  chmodSync(join(folder, "bin/keyctl"), 0o755);
  for (const { code, number } of programs) writeFileSync(join(folder, `example-${number}.mts`), code);
  const ran = run("sh", ["-ec", setUp]);
  if (ran.status !== 0) throw new Error(ran.err);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, argv: string[]): { status: number | null; out: string; err: string } {
  const env = {
    PATH: [join(folder, "bin"), dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    HOME: folder,
    KEYCTL_HOME: join(folder, "home"),
  };
  const { status, stdout, stderr } = spawnSync(command, argv, { cwd: folder, env, encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

describe("the examples of docs/library.md", () => {
  for (const { title, number, prints } of programs) {
    it(`print what the page says: ${title}`, () => {
      const ran = run(process.execPath, [`example-${number}.mts`]);
      expect({ ...ran, err: ran.status === 0 ? "" : ran.err }).toEqual({ status: 0, out: prints, err: "" });
    });
  }

  it("are typed as the package says, under the strictest rules", () => {
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
    const files = programs.map(({ number }) => `example-${number}.mts`);
    const where = ["--module", "nodenext", "--target", "es2024", "--types", "node"];
    const ran = run(process.execPath, [
      join(root, "node_modules/typescript/bin/tsc"),
      ...options,
      ...where,
      ...files,
    ]);
    expect(ran.out).toBe("");
    expect(ran.status).toBe(0);
  });

  it("show every export, and every method of a keyring", async () => {
    const methods = readFileSync(join(root, "src/library/keyring.ts"), "utf8")
      .split("export interface Keyring {")[1]
      ?.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm);
    const code = programs.map((program) => program.code).join("");
    const names = [
      ...Object.keys(library),
      ...[...(methods ?? [])].map(([, name]) => `keyring.${name ?? ""}`),
    ];
    expect(names.length).toBeGreaterThan(12);
    expect(names.filter((name) => !code.includes(name))).toEqual([]);
  });
});

describe("importing the package", () => {
  it("opens nothing, reads no variable, and lets the process end", () => {
    const program = `
      const read = [];
      // Node's own loader reads some: ours are those with our code on the stack.
      const note = (name) => new Error().stack.includes("/dist/") && read.push(name);
      process.env = new Proxy({ ...process.env }, { get: (env, name) => (note(name), env[name]) });
      // Node's own module opens stderr.
      await import("node:util");
      const { readdirSync } = await import("node:fs");
      const files = () => readdirSync("/proc/self/fd").length;
      const resources = () => process.getActiveResourcesInfo().join();
      const before = [process.platform === "linux" ? files() : 0, resources()];
      const keyctl = await import("keyctl");
      const after = [process.platform === "linux" ? files() : 0, resources()];
      console.log(JSON.stringify({ read, before, after, exports: Object.keys(keyctl).sort() }));`;
    writeFileSync(join(folder, "import.mjs"), program);
    const ran = run(process.execPath, ["import.mjs"]);
    const said = JSON.parse(ran.out) as {
      read: string[];
      before: unknown;
      after: unknown;
      exports: string[];
    };
    expect(said.read).toEqual([]);
    expect(said.after).toEqual(said.before);
    expect(said.exports).toEqual(["KeyctlError", "Secret", "isKeyctlError", "openKeyring"]);
  });
});
