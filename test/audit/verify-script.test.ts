import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bundleFiles as files } from "../../src/audit/bundle.ts";
import { fingerprint } from "../../src/audit/public-key.ts";
import { sampleBundle, textOf } from "./sample-bundle.ts";
import type { BundleContent } from "./sample-bundle.ts";
import { newSigner } from "./sample-log.ts";
import { tamperedBundles } from "./tampered.ts";

const runs = (command: string, args: string[]): boolean => spawnSync(command, args).status === 0;
// The interpreter itself: a version manager's wrapper in PATH would cost more than the checks.
const findPython = "import sys; assert sys.version_info >= (3, 8); print(sys.executable)";
const python = spawnSync("python3", ["-c", findPython], { encoding: "utf8" }).stdout?.trim() ?? "";
const hasPython = python !== "";
const hasOpenssl = runs("openssl", ["version"]);
const hasShell = runs("sh", ["-c", "command -v sha256sum && command -v base64"]);
if (!hasPython || !hasOpenssl)
  console.log("skipped: verify.py (python3 3.8 or newer, or openssl, is not there)");
if (!hasShell || !hasOpenssl)
  console.log("skipped: VERIFY.md by hand (sha256sum, base64 or openssl is not there)");

const root = mkdtempSync(join(tmpdir(), "keyctl-bundle-"));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const signer = newSigner();
const known = fingerprint(signer.spkiDer);
let count = 0;

function unpack(content: BundleContent): string {
  count += 1;
  const folder = join(root, String(count));
  mkdirSync(folder);
  for (const [name, bytes] of content) writeFileSync(join(folder, name), bytes);
  return folder;
}

interface Answer {
  status: number | null;
  said: string;
  complained: string;
}

/** Runs our own copy of the script on a folder, as a sceptic would. */
const script = join(root, "own-verify.py");
function verify(folder: string, ...flags: string[]): Answer {
  const { status, stdout, stderr } = spawnSync(python, [script, folder, ...flags], { encoding: "utf8" });
  return { status, said: stdout, complained: stderr };
}

writeFileSync(script, textOf(sampleBundle(signer, { size: 0 }), files.script));

describe.runIf(hasPython && hasOpenssl)("verify.py", () => {
  it("accepts a bundle, and says what to compare when it was given no fingerprint", () => {
    const folder = unpack(sampleBundle(signer, { size: 12 }));
    const inside = spawnSync(python, ["verify.py"], { cwd: folder, encoding: "utf8" });
    expect(inside.status).toBe(0);
    expect(inside.stdout).toContain("12 of 12 entries");
    expect(inside.stdout).toContain(`consistent with the key inside: compare ${known}`);
    expect(inside.stderr).toBe("");
  });

  it("accepts a bundle signed by the key that was named, typed with colons and capitals", () => {
    const folder = unpack(
      sampleBundle(signer, { size: 12, shows: (seq) => seq % 3 === 0, withPersonal: true }),
    );
    const typed = known.toUpperCase().replace(/(..)(?!$)/gu, "$1:");
    const answer = verify(folder, "--fingerprint", typed);
    expect(answer).toMatchObject({ status: 0, complained: "" });
    expect(answer.said).toContain("4 of 12 entries");
    expect(answer.said).toContain("what was left out is not shown");
    expect(answer.said).toContain("ok: signed by the key that you named");
  });

  it("accepts logs of every small size", () => {
    for (const size of [0, 1, 2, 3, 4, 7, 8]) {
      expect(verify(unpack(sampleBundle(signer, { size }))), `${size} entries`).toMatchObject({ status: 0 });
    }
  });

  it("refuses another key, and a fingerprint that is none", () => {
    const folder = unpack(sampleBundle(signer, { size: 3 }));
    const other = verify(folder, "--fingerprint", "ab".repeat(32));
    expect(other).toMatchObject({ status: 1, said: "" });
    expect(other.complained).toBe(`not ok: signed by another key: its fingerprint is ${known}\n`);
    expect(verify(folder, "--fingerprint", "zz").complained).toContain("64 hexadecimal digits");
    expect(verify(folder, "--fingerprint").status).toBe(1);
    expect(verify(join(root, "nothing-here"))).toMatchObject({
      status: 1,
      complained: "not ok: SHA256SUMS is missing\n",
    });
  });

  it("refuses every forgery with one sentence and no traceback", () => {
    for (const [name, content] of tamperedBundles(signer)) {
      const answer = verify(unpack(content));
      expect(answer.status, name).toBe(1);
      expect(answer.said, name).toBe("");
      expect(answer.complained, name).toMatch(/^not ok: [\x20-\x7e]{5,200}\n$/u);
    }
  });

  it("does not follow a link out of the folder", () => {
    const folder = unpack(sampleBundle(signer, { size: 3 }));
    unlinkSync(join(folder, files.guide));
    symlinkSync("/etc/hostname", join(folder, files.guide));
    expect(verify(folder)).toMatchObject({
      status: 1,
      complained: "not ok: VERIFY.md is not a plain file\n",
    });
  });

  it("says so when openssl is not there", () => {
    const folder = unpack(sampleBundle(signer, { size: 3 }));
    const { status, stderr } = spawnSync(python, [script, folder], {
      encoding: "utf8",
      env: { PATH: "/nonexistent" },
    });
    expect(status).toBe(1);
    expect(stderr).toBe("not ok: the openssl command is needed, and not there\n");
  });
});

describe("VERIFY.md", () => {
  it("names the fingerprint, and says what a filter does not prove", () => {
    const whole = textOf(sampleBundle(signer, { size: 3 }), files.guide);
    const filtered = textOf(sampleBundle(signer, { size: 3, shows: () => true }), files.guide);
    expect(whole).toContain(known);
    expect(whole).toContain("Nothing was filtered out");
    expect(filtered).toContain("not that nothing was left out");
    expect(textOf(sampleBundle(signer, { size: 3, withPersonal: true }), files.guide)).toContain(
      "personal.jsonl",
    );
  });

  it.runIf(hasShell && hasOpenssl)("can be followed by hand to the letter", () => {
    const bundle = sampleBundle(signer, { size: 3 });
    const folder = unpack(bundle);
    const commands = textOf(bundle, files.guide).match(/^ {4}.*$/gmu) ?? [];
    const pick = (word: string): string => commands.find((line) => line.includes(word))?.trim() ?? "false";
    const shell = (command: string): string => {
      const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: folder, encoding: "utf8" });
      expect(status, `${command}: ${stderr}`).toBe(0);
      return stdout;
    };
    expect(shell(pick("--check"))).toContain("entries.jsonl: OK");
    shell(pick("head -n 3"));
    shell(pick("base64 -d"));
    expect(shell(pick("openssl dgst"))).toBe("Verified OK\n");
    expect(shell(pick("openssl pkey"))).toContain(known);
    const leaf = Buffer.from(bundle.get(files.leaves)?.subarray(0, 32) ?? []).toString("hex");
    expect(shell(pick("printf"))).toContain(leaf);
  });
});
