import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isKeyctlError } from "../../src/core/errors.ts";
import { chunkBytes, readChunks, readFailure } from "../../src/files/read-chunks.ts";
import { walkFiles } from "../../src/files/walk.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "keyctl-walk-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content: string | Uint8Array = "x"): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function walked(...paths: string[]): string[] {
  return [...walkFiles(paths)].map((item) =>
    item.kind === "file" ? relative(root, item.path) : `! ${relative(root, item.path)}: ${item.reason}`,
  );
}

async function content(path: string, followLink = true): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of readChunks(path, { followLink })) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString("latin1");
}

async function failure(path: string, followLink = true): Promise<string> {
  try {
    await content(path, followLink);
  } catch (error) {
    if (isKeyctlError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

function git(...args: string[]): string {
  const clean = {
    PATH: process.env["PATH"] ?? "",
    HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
  return execFileSync("git", ["-C", root, ...args], { encoding: "utf8", env: clean });
}

describe("walking", () => {
  it("gives every file sorted by path, hidden ones too", () => {
    for (const path of ["b.txt", "a/z", "a.txt", "a/b/c", ".hidden/x", "a-b", "é"]) write(path);
    const expected = [".hidden/x", "a-b", "a.txt", "a/b/c", "a/z", "b.txt", "é"];
    expect(walked(root)).toEqual(expected);
    expect(expected.toSorted((left, right) => (left < right ? -1 : 1))).toEqual(expected);
  });

  it("leaves out .git and what .gitignore says, at every depth", () => {
    write(".git/config");
    write("sub/.git", "gitdir: elsewhere");
    write(".gitignore", "*.log\n/build/\n!keep.log\n");
    for (const path of ["a.log", "keep.log", "build/x", "src/build/x", "src/a.log", "src/Build"]) write(path);
    write("src/.gitignore", "!a.log\nsecret\n");
    write("src/secret/x");
    expect(walked(root)).toEqual([
      ".gitignore",
      "keep.log",
      "src/.gitignore",
      "src/Build",
      "src/a.log",
      "src/build/x",
    ]);
  });

  it("knows the rules of the repository above, and its info/exclude", () => {
    write(".git/info/exclude", "excluded\n");
    write(".gitignore", "/lib/out\n");
    write("lib/.gitignore", "tmp\n");
    for (const path of ["lib/deep/excluded", "lib/deep/tmp", "lib/deep/ok", "lib/out/x"]) write(path);
    expect(walked(join(root, "lib", "deep"))).toEqual(["lib/deep/ok"]);
    expect(walked(join(root, "lib"))).toEqual(["lib/.gitignore", "lib/deep/ok"]);
  });

  it("scans a file that is named, whatever git says", () => {
    write(".git/config");
    write(".gitignore", "*.log\n");
    const log = write("a.log");
    expect(walked(log)).toEqual(["a.log"]);
    expect(walked(join(root, ".git", "config"))).toEqual([".git/config"]);
    symlinkSync(log, join(root, "named"));
    expect(walked(join(root, "named"))).toEqual(["named"]);
  });

  it("does not follow symbolic links below a directory", () => {
    const outside = mkdtempSync(join(tmpdir(), "keyctl-outside-"));
    try {
      writeFileSync(join(outside, "secret"), "x");
      write("in/file");
      symlinkSync(outside, join(root, "in", "folder"));
      symlinkSync(join(outside, "secret"), join(root, "in", "link"));
      symlinkSync(join(root, "in"), join(root, "in", "loop"));
      expect(walked(join(root, "in"))).toEqual(["in/file"]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("gives each file once, also when it is named twice", () => {
    const file = write("a/b");
    expect(walked(file, root, join(root, "a"), file)).toEqual(["a/b"]);
  });

  it("says what is not there", () => {
    expect(walked(join(root, "missing"))).toEqual(["! missing: no such file or directory"]);
    const file = write("file");
    expect(walked(join(file, "below"))).toEqual(["! file/below: no such file or directory"]);
    expect(walked(join(root, "n".repeat(300)))[0]).toContain("its name is too long");
    symlinkSync("loop", join(root, "loop"));
    expect(walked(join(root, "loop"))).toEqual(["! loop: is a symbolic link"]);
  });

  it("says which directory went away while it walked", () => {
    write("a/1");
    write("b/1");
    const walk = walkFiles([root]);
    expect(walk.next().value).toMatchObject({ kind: "file" });
    rmSync(join(root, "b"), { recursive: true });
    expect(walk.next().value).toMatchObject({
      kind: "skipped",
      path: join(root, "b"),
      reason: "no such file or directory",
    });
    expect(walk.next().done).toBe(true);
  });

  it("gives paths as they were given", () => {
    write("a/b");
    const items = [...walkFiles([`${root}/a/`])];
    expect(items.map((item) => item.path)).toEqual([join(root, "a", "b")]);
    expect([...walkFiles([`${root}/./a/b`])].map((item) => item.path)).toEqual([`${root}/./a/b`]);
  });
});

const hasGit = ((): boolean => {
  try {
    execFileSync("git", ["--version"]);
    return true;
  } catch {
    console.log("skipped: git is not installed, so the walker has no oracle");
    return false;
  }
})();

describe("git check-ignore as oracle", () => {
  const names = ["a", "b", "x.log", "build", "Build", "k.txt", "#c", "a b"];
  const patterns = [
    "*.log",
    "!x.log",
    "build",
    "build/",
    "/build",
    "/a",
    "a/",
    "a/*",
    "!a/b",
    "**/b",
    "b/**",
    "a/**/b",
    "*",
    "!*/",
    "!k.txt",
    "\\#c",
    "# comment",
    "",
    "x.*",
    "[a-b]",
    "!b/",
    "/*/build",
    "?",
    "a b",
    "a b ",
    "*.txt",
    "!build/k.txt",
  ];

  it.runIf(hasGit)("agrees on random trees and rules", () => {
    const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 });
    const rules = fc.array(fc.constantFrom(...patterns), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(path, { minLength: 5, maxLength: 25 }),
        fc.array(fc.tuple(path, rules), { maxLength: 3 }),
        rules,
        (files, nested, top) => {
          for (const entry of readdirSync(root)) rmSync(join(root, entry), { recursive: true, force: true });
          git("init", "--quiet");
          const place = (parts: string[], text: string): void => {
            try {
              write(parts.join("/"), text);
            } catch {
              // A file stands where a directory would be, or the other way round.
            }
          };
          for (const parts of files) place(parts, "x");
          writeFileSync(join(root, ".gitignore"), top.join("\n"));
          for (const [parts, lines] of nested) place([...parts, ".gitignore"], lines.join("\n"));
          const expected = git("ls-files", "--others", "--exclude-standard", "-z").split("\0");
          expect(walked(root).toSorted()).toEqual(expected.filter((name) => name !== "").toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });

  it.runIf(hasGit)("agrees where a deeper file takes a directory back", () => {
    git("init", "--quiet");
    write(".gitignore", "build\n");
    write("sub/.gitignore", "!build\n");
    for (const path of ["build/x", "sub/build/x", "sub/build/y/build/z"]) write(path);
    const expected = git("ls-files", "--others", "--exclude-standard").trim().split("\n");
    expect(walked(root)).toEqual(expected.toSorted());
    expect(expected).toContain("sub/build/x");
  });
});

describe("reading", () => {
  it("gives the bytes in chunks of at most 256 KB", async () => {
    const bytes = Buffer.alloc(chunkBytes * 2 + 5, "abc");
    const path = write("big", bytes);
    const sizes: number[] = [];
    for await (const chunk of readChunks(path)) sizes.push(chunk.length);
    expect(sizes).toEqual([chunkBytes, chunkBytes, 5]);
    expect(await content(path)).toBe(bytes.toString("latin1"));
    expect(await content(write("empty", ""))).toBe("");
  });

  it("two at a time do not share a buffer", async () => {
    const first = readChunks(write("1", "one"));
    const second = readChunks(write("2", "two"));
    const one = await first.next();
    const two = await second.next();
    expect([one.value, two.value].map((chunk) => Buffer.from(chunk ?? []).toString())).toEqual([
      "one",
      "two",
    ]);
    await first.return(undefined);
    await second.return(undefined);
  });

  it("fails with a reason in words", async () => {
    const file = write("gone");
    const [item] = [...walkFiles([root])];
    unlinkSync(file);
    const gone = async (): Promise<void> => {
      if (item?.kind !== "file") throw new Error("no file");
      for await (const chunk of item.chunks()) expect(chunk).toBeDefined();
    };
    await expect(gone()).rejects.toMatchObject({ code: "unavailable", message: "no such file or directory" });
    expect(await failure(root)).toBe("unavailable: is a directory");
    symlinkSync(write("target"), join(root, "link"));
    expect(await failure(join(root, "link"), false)).toBe("unavailable: is a symbolic link");
    expect(await failure(join(root, "link"))).toBe("none");
  });

  it("does not read a link that was put in a file's place after the walk", async () => {
    const path = write("tree/file");
    const outside = write("outside", "secret");
    const [item] = [...walkFiles([join(root, "tree")])];
    unlinkSync(path);
    symlinkSync(outside, path);
    const read = async (): Promise<void> => {
      if (item?.kind !== "file") throw new Error("no file");
      for await (const chunk of item.chunks()) expect(chunk).toBeDefined();
    };
    await expect(read()).rejects.toThrow("is a symbolic link");
  });

  it("names what it does not know by its code only", () => {
    expect(readFailure(Object.assign(new Error("/secret/path"), { code: "EACCES" }))).toBe(
      "permission denied",
    );
    expect(readFailure(Object.assign(new Error("/secret/path"), { code: "EWEIRD" }))).toBe(
      "cannot be read (EWEIRD)",
    );
    expect(readFailure(Object.assign(new Error("/secret/path"), { code: "no code at all" }))).toBe(
      "cannot be read",
    );
    expect(readFailure("text")).toBe("cannot be read");
  });
});
