import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** Told by trying: root alone is not enough in every container. */
const mayMount = tryMount();
if (!mayMount) console.log("skipped: a tmpfs cannot be mounted here");

function tryMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), "keyctl-mount-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", place]).status === 0;
  if (mounted) execFileSync("umount", [place]);
  rmSync(place, { recursive: true });
  return mounted;
}

const keyctl = join(import.meta.dirname, "../../bin/keyctl.js");
let disk: string;

function run(args: string[], input = ""): { code: number | null; out: string; err: string } {
  const ran = spawnSync(process.execPath, [keyctl, ...args], {
    input,
    encoding: "utf8",
    env: { ...process.env, KEYCTL_HOME: join(disk, "home") },
  });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), "keyctl-disk-"));
  if (mayMount) execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", disk]);
});

afterEach(() => {
  if (mayMount) execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true, force: true });
});

describe.runIf(mayMount)("on a small tmpfs that fills up", () => {
  it(
    "keeps every key that was handed out, refuses the rest in one sentence, and goes on when there is space again",
    { timeout: 300_000 },
    () => {
      expect(run(["init"]).code).toBe(0);
      const kept = [run(["create", "before"]).out.trim()];
      const ballast = join(disk, "ballast");
      let refusal = "";
      for (let round = 0; round < 60 && refusal === ""; round += 1) {
        try {
          writeFileSync(`${ballast}-${round}`, Buffer.alloc(60_000));
        } catch {
          // As full as it gets: the next write of keyctl fails.
        }
        const made = run(["create", `key-${round}`]);
        if (made.code === 0) kept.push(made.out.trim());
        else {
          expect(made.code).toBe(10);
          refusal = made.err;
        }
      }
      expect(refusal).toMatch(/no space|space is left|full/i);
      expect(refusal).not.toMatch(/\n\s+at /);
      execFileSync("sh", ["-c", `rm -f '${ballast}'-*`]);
      expect(run(["reconcile", "--fix"]).code).toBe(0);
      for (const key of kept) expect(run(["verify"], key).code).toBe(0);
      expect(run(["create", "after"]).code).toBe(0);
      expect(run(["audit-verify", "--state"]).code).toBe(0);
    },
  );
});
