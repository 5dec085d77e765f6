import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctor } from "../../src/app/doctor.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { depsOf, diagnose, lineOf, script } from "./doctor-world.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
  await home.ok(["create", "payments"]);
});
afterEach(() => home.remove());

const inHome = (name: string): string => join(home.path, name);

describe("a log too long to be read whole", () => {
  const tenantLine = async () =>
    (await doctor(depsOf(home, { entriesMax: 1 }))).find(({ id }) => id === "audit.tenant");

  it("is judged by its end, its newest checkpoint and what was seen", async () => {
    expect(await tenantLine()).toMatchObject({
      status: "ok",
      message: expect.stringContaining("keyctl audit-verify reads all"),
    });
    const [name = ""] = readdirSync(inHome("checkpoints"));
    writeFileSync(join(inHome("checkpoints"), name), "nonsense");
    expect(await tenantLine()).toMatchObject({ status: "fail" });
  });
});

describe("the program", () => {
  it("that a Node runs which it is not made for failed", async () => {
    const program = { version: "1.2.3", script, nodeVersion: "20.19.5", nodeRange: "^24.15.0" };
    const checks = await doctor(depsOf(home, { program }));
    expect(checks.find(({ id }) => id === "node")).toMatchObject({ status: "fail", cure: "install Node 24" });
    expect(checks.find(({ id }) => id === "program")?.message).toBe(`1.2.3, ${script}`);
  });

  it("is told from others of its name on the PATH, by what a shell would run", async () => {
    const [foreign, own, copy] = ["foreign", "own", "copy"].map((name) => inHome(name));
    for (const folder of [foreign, own, copy]) mkdirSync(folder ?? "");
    writeFileSync(join(foreign ?? "", "keyctl"), "\u007fELF", { mode: 0o755 });
    symlinkSync(script, join(own ?? "", "keyctl"));
    mkdirSync(join(copy ?? "", "bin"));
    writeFileSync(join(copy ?? "", "bin/keyctl.js"), "", { mode: 0o755 });
    symlinkSync(join(copy ?? "", "bin/keyctl.js"), join(copy ?? "", "keyctl"));
    const on = async (...folders: (string | undefined)[]) =>
      lineOf(await diagnose(home, [], { env: { PATH: folders.join(":") } }), "path");
    expect(await on(foreign, own)).toMatchObject({
      status: "warn",
      message: `a shell runs ${foreign}/keyctl, another program: Linux's keyutils has one of this name`,
      cure: expect.stringContaining(script),
    });
    expect(await on(copy, own)).toMatchObject({
      status: "warn",
      message: expect.stringContaining("another copy"),
    });
    expect(await on(own, foreign)).toMatchObject({
      status: "ok",
      message: `a shell runs ${own}/keyctl, which is this keyctl; ${foreign}/keyctl is another program`,
    });
    // What cannot be run is passed over, and so is a folder that is not there.
    chmodSync(join(foreign ?? "", "keyctl"), 0o644);
    expect((await on(foreign, "/no/such", own)).status).toBe("ok");
    expect((await on()).message).toMatch(/^has no keyctl/);
    writeFileSync(join(foreign ?? "", "keyctl"), `#!/bin/sh\nexec node ../lib/keyctl/bin/keyctl.js "$@"\n`);
    chmodSync(join(foreign ?? "", "keyctl"), 0o755);
    expect((await on(foreign)).status).toBe("ok");
  });
});
