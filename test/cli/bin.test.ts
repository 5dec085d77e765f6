import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const bin = fileURLToPath(new URL("../../bin/keyctl.js", import.meta.url));
const manifest = fileURLToPath(new URL("../../package.json", import.meta.url));

/** Starts the bin under a Node that says it has this version. */
function startedBy(version: string): { status: number | null; stdout: string; stderr: string } {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
  const argv = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, bin, "--version"];
  return spawnSync(process.execPath, argv, { encoding: "utf8" });
}

describe("the bin", () => {
  it("says what to do when a Node starts it that is too old or was never supported", () => {
    for (const version of ["18.20.8", "20.19.5", "22.22.1", "22.9.0", "23.11.1", "24.14.1", "25.2.0"]) {
      const { status, stdout, stderr } = startedBy(version);
      expect(status, version).toBe(10);
      expect(stdout).toBe("");
      expect(stderr).toBe(
        `keyctl: error: this is Node ${version}, and keyctl needs 22.22.2, 24.15 or 26 and newer\n` +
          "keyctl: hint: npx keyctl uses the Node that came with npm ci; or install Node 24\n",
      );
    }
  });

  it("starts under every Node that package.json names", () => {
    expect(readFileSync(manifest, "utf8")).toContain('"node": "^22.22.2 || ^24.15.0 || >=26"');
    for (const version of ["22.22.2", "22.30.0", "24.15.0", "26.0.0", "30.1.0"]) {
      const { status, stdout, stderr } = startedBy(version);
      expect(stdout, version).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect([status, stderr]).toEqual([0, ""]);
    }
  });
});

describe("a vault's passphrase", () => {
  it("comes through a descriptor, and a wrong one opens nothing", () => {
    const home = mkdtempSync(join(tmpdir(), "keyctl-descriptor-"));
    const run = (line: string, descriptor = "7"): number | null =>
      spawnSync("/bin/sh", ["-c", line, "sh", process.execPath, bin], {
        cwd: home,
        env: { KEYCTL_HOME: home, KEYCTL_PASSPHRASE_FD: descriptor },
      }).status;
    try {
      writeFileSync(join(home, "right"), "correct horse battery\n");
      writeFileSync(join(home, "wrong"), "wrong horse battery\n");
      expect(run('"$@" init --vault-key passphrase 7<right')).toBe(0);
      expect(run('"$@" create payments 7<right')).toBe(0);
      expect(run('"$@" create orders 7<wrong')).toBe(4);
      expect(run('cat right | "$@" create piped 7<&0 </dev/null')).toBe(0);
      // Nothing was given under that number; Node may use it itself, and its pipes would never end.
      for (const descriptor of ["3", "5", "6", "7", "8", "9", "999"])
        expect(run('"$@" create orders', descriptor), descriptor).toBe(3);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
