import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/** Runs a line of a program that has imported the library under a Node which says that it is this version. */
function under(version: string, line: string): string {
  const index = new URL("../../src/index.ts", import.meta.url).href;
  const script = `Object.defineProperty(process.versions, "node", { value: "${version}" });
    const { openKeyring, isKeyctlError } = await import(${JSON.stringify(index)});
    ${line}`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(ran.stderr).toBe("");
  return ran.stdout;
}

it("a Node in which the database's driver would crash is told so before anything is opened", () => {
  const line = `await openKeyring({ home: "/nowhere" }).catch((error) =>
    console.log(isKeyctlError(error), error.code, error.message));`;
  expect(under("20.19.5", line)).toMatch(/^true unavailable this is Node 20\.19\.5, and keyctl needs \^22\./);
  expect(under("24.21.0", line)).toMatch(/^true unavailable no store at /);
});
