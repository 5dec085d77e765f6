import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home, Ran } from "../fakes/home.ts";

const values: Record<string, Uint8Array> = {
  plain: Buffer.from("correct horse battery"),
  newlines: Buffer.from("\n\ntwo\r\nlines\n\n\n"),
  unicode: Buffer.from("pässwörd 🔑 \ufeff\u202e\u0301 end"),
  marked: Buffer.from("\ufeffbegins with a mark"),
  "terminal-code": Buffer.from("harmless\u001b[2J\u0007\ttext"),
  binary: Buffer.concat([Buffer.from([0xff, 0x00, 0xfe]), randomBytes(1000)]),
  large: randomBytes(25 * 1024),
};

let home: Home;
beforeAll(async () => {
  home = await makeHome();
  for (const [name, bytes] of Object.entries(values)) {
    const kind = ["--kind", "secret", "--type", "certificate"];
    // One newline at the end is taken for the editor's.
    await home.ok(["create", name, ...kind, "--from-file", "-"], {
      stdin: Buffer.concat([bytes, Buffer.from("\n")]),
    });
  }
});
afterAll(() => home.remove());

async function onTerminal(argv: string[], answers?: (string | boolean | null)[]): Promise<Ran> {
  const terminal = { stdin: true, stdout: true, stderr: true };
  return await home.run(argv, { terminal, ...(answers === undefined ? {} : { answers }) });
}

describe("reveal", () => {
  it.each(Object.keys(values))("gives %s byte for byte to a file of its owner, and in JSON", async (name) => {
    const bytes = Buffer.from(values[name] ?? "");
    const path = join(home.path, `${name}.out`);
    expect(await home.ok(["reveal", name, "--out-file", path])).toBe("");
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { encoding, secret } = JSON.parse(await home.ok(["reveal", name, "--stdout", "-o", "json"]));
    expect(Buffer.from(secret, encoding).equals(bytes)).toBe(true);
    expect(encoding).toBe(name === "binary" || name === "large" ? "base64" : "utf8");
  });

  it("gives text to a pipe as it is, without a newline of its own", async () => {
    for (const name of ["plain", "newlines", "unicode", "terminal-code"])
      expect(await home.ok(["reveal", name, "--stdout"])).toBe(Buffer.from(values[name] ?? "").toString());
  });

  it("asks on a terminal, and shows nothing without a yes", async () => {
    for (const answer of [false, null]) {
      const ran = await onTerminal(["reveal", "plain"], [answer]);
      expect(ran).toMatchObject({ code: 130, out: "" });
    }
    expect(await onTerminal(["reveal", "plain"])).toMatchObject({ code: 2, out: "" });
    expect((await onTerminal(["reveal", "plain"], [true])).out).toBe("correct horse battery\n");
    expect((await onTerminal(["reveal", "plain", "--yes"])).out).toBe("correct horse battery\n");
  });

  it("asks nobody about what it would refuse", async () => {
    await home.ok(["create", "payments"]);
    expect((await onTerminal(["reveal", "payments"], [])).code).toBe(7);
    expect((await onTerminal(["reveal", "nobody"], [])).code).toBe(3);
  });

  it("shows on a terminal as escapes what a terminal would obey, and says so", async () => {
    const ran = await onTerminal(["reveal", "terminal-code", "--yes"]);
    expect(ran.out).toBe("harmless\\u001b[2J\\u0007\\ttext\n");
    expect(ran.err).toContain("--out-file PATH writes its exact bytes");
    expect((await onTerminal(["reveal", "newlines", "--yes"])).out).toBe("\n\ntwo\\r\nlines\n\n\n");
  });

  it("shows no bytes on a terminal that are no text", async () => {
    const ran = await onTerminal(["reveal", "binary", "--yes"]);
    expect(ran).toMatchObject({ code: 7, out: "" });
    expect(ran.err).toContain("hint: --out-file PATH");
  });

  it("leaves no file when the value cannot be had", async () => {
    const path = join(home.path, "none.out");
    expect((await home.run(["reveal", "plain", "--version", "9", "--out-file", path])).code).toBe(3);
    expect(() => statSync(path)).toThrow();
  });
});
