import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// oxlint-disable-next-line no-control-regex -- readline rings it where a word cannot be completed further
const bell = /\u0007/;

describe("completion in a real bash", () => {
  let folder = "";
  const environment = (): Record<string, string> => ({
    PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    HOME: folder,
    KEYCTL_HOME: join(folder, "home"),
    INPUTRC: "/dev/null",
  });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "keyctl-bash-"));
    mkdirSync(join(folder, "bin"));
    const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
    writeFileSync(
      join(folder, "run.mjs"),
      `process.exitCode = await (await import("${main}")).runProcess();\n`,
    );
    writeFileSync(
      join(folder, "bin", "keyctl"),
      `#!/bin/sh\nexec "${process.execPath}" "${folder}/run.mjs" "$@"\n`,
    );
    chmodSync(join(folder, "bin", "keyctl"), 0o700);
    // A store that knows the user of this machine: its actor is who runs the process.
    for (const name of ["payments", "payroll", "staging/payslip"]) {
      const ran = spawnSync(join(folder, "bin", "keyctl"), ["create", name], { env: environment() });
      expect(ran.status, String(ran.stderr)).toBe(0);
    }
    writeFileSync(join(folder, "my file.txt"), "");
    writeFileSync(join(folder, "evil$(touch x).txt"), "");
    writeFileSync(
      join(folder, "rc"),
      `eval "$(keyctl completion bash)"\nkeyctl() { printf '<%s>' "$@"; echo; }\nPS1='> '\n`,
    );
  });

  // A shell that ends may still write its history.
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

  /** Types, and goes on when the screen shows what is waited for; answers the words that the command then gets. */
  async function typed(...steps: readonly [types: string, sees: RegExp][]): Promise<string> {
    const pty = spawn("bash", ["--noprofile", "--rcfile", join(folder, "rc"), "-i"], {
      cols: 200,
      cwd: folder,
      env: environment(),
    });
    const left: [string, RegExp][] = [...steps, ["\n", /^(?:<.*>)\r?$/m]];
    return await new Promise((resolve, reject) => {
      let screen = "";
      let read = 0;
      let awaited = /> $/;
      pty.onData((data) => {
        screen += data;
        const found = awaited.exec(screen.slice(read));
        if (found === null) return;
        const next = left.shift();
        if (next === undefined) {
          resolve(found[0].trim());
          pty.kill();
          return;
        }
        read = screen.length;
        awaited = next[1];
        pty.write(next[0]);
      });
      pty.onExit(() => reject(new Error(`bash ended; on its screen stood:\n${screen}`)));
    });
  }

  it("completes commands and names of keys", async () => {
    expect(await typed(["keyctl sho\t", /show $/], ["payr\t", /payroll $/])).toBe("<show><payroll>");
    expect(await typed(["keyctl show staging/\t", /payslip $/])).toBe("<show><staging/payslip>");
  });

  it("lists what is possible where several names begin so", async () => {
    expect(await typed(["keyctl show pay\t", bell], ["\t", /payments +payroll/])).toBe("<show><pay>");
  });

  it("completes values behind = as bash takes words apart", async () => {
    expect(await typed(["keyctl list --kind=sec\t", /secret $/])).toBe("<list><--kind=secret>");
    expect(await typed(["keyctl show --env=staging pays\t", /payslip $/])).toBe(
      "<show><--env=staging><payslip>",
    );
    expect(await typed(["keyctl exec -e TOKEN=payr\t", /payroll $/])).toBe("<exec><-e><TOKEN=payroll>");
  });

  it("completes files quoted, and never runs what their names say", async () => {
    expect(await typed(["keyctl create x --from-file my\t", /txt $/])).toBe(
      "<create><x><--from-file><my file.txt>",
    );
    expect(await typed(["keyctl create x --from-file=my\t", /txt $/])).toBe(
      "<create><x><--from-file=my file.txt>",
    );
    expect(await typed(["keyctl leak-scan ev\t", /txt $/])).toBe("<leak-scan><evil$(touch x).txt>");
    expect(await typed(["keyctl exec -e A=payroll -- cat my\t", /txt $/])).toContain(
      "<--><cat><my file.txt>",
    );
    expect(readdirSync(folder)).not.toContain("x");
  });

  it("never runs what stands in the line that is typed", async () => {
    expect(await typed(["keyctl show '$(touch x)' pay\t", /pay/])).toBe("<show><$(touch x)><pay>");
    expect(await typed(["keyctl show pay`touch x`\t", /x`/], ["\u0015keyctl show pay", /pay$/])).toBe(
      "<show><pay>",
    );
    expect(readdirSync(folder)).not.toContain("x");
  });
});
