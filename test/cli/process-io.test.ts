import { spawnSync } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processIo } from "../../src/cli/process-io.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyctl-io-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const child = fileURLToPath(new URL("write-child.ts", import.meta.url));

describe("the process's streams", () => {
  it("tell of a closed pipe and of a full disk as what they are", () => {
    const closed = spawnSync("/bin/sh", ["-c", '"$0" "$1" 2>&3 | true', process.execPath, child], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    expect(String(closed.output[3])).toBe("OutputClosed");
    const full = spawnSync("/bin/sh", ["-c", '"$0" "$1" > /dev/full', process.execPath, child], {
      encoding: "utf8",
    });
    expect(full.stderr).toBe("unavailable: there is no space left");
  });
});

describe("a file that the user names", () => {
  it("is read whole, up to its bound", async () => {
    const io = processIo(process);
    await writeFile(join(folder, "f"), "content");
    expect(Buffer.from(await io.readFile(join(folder, "f"), 7)).toString()).toBe("content");
    await expect(io.readFile(join(folder, "f"), 6)).rejects.toMatchObject({ code: "refused" });
  });

  it("that is missing, a folder or unreadable is told apart, and its name not repeated", async () => {
    const io = processIo(process);
    for (const [path, code] of [
      [join(folder, "nothing"), "not-found"],
      [folder, "usage"],
      [join(folder, "x".repeat(300)), "unavailable"],
    ] as const) {
      await expect(io.readFile(path, 10)).rejects.toMatchObject({
        code,
        message: expect.not.stringContaining(folder),
      });
    }
  });
});

describe("a descriptor that the user names", () => {
  it("is read and stays open; one that was not given is not found", async () => {
    const io = processIo(process);
    await writeFile(join(folder, "d"), "content");
    const file = await open(join(folder, "d"));
    try {
      expect(Buffer.from(await io.readFile(`/dev/fd/${file.fd}`, 10)).toString()).toBe("content");
      expect((await file.stat()).size).toBe(7);
    } finally {
      await file.close();
    }
    await expect(io.readFile("/dev/fd/9999", 10)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("the process", () => {
  it("is described without anything being started", () => {
    const io = processIo(process);
    expect(io.cwd).toBe(process.cwd());
    expect(io.login).not.toBe("");
    expect(Math.abs(io.now() - Date.now())).toBeLessThan(60_000);
    expect(io.signal.aborted).toBe(false);
  });
});
