import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatCheckpoint,
  noteBody,
  noteDigest,
  origin,
  parseCheckpoint,
  parseOrigin,
  verifyCheckpoint,
} from "../../src/audit/checkpoint.ts";
import { emptyRoot, TreeHasher } from "../../src/audit/merkle.ts";
import { fingerprint, formatPem, keyId, parseFingerprint, parsePem } from "../../src/audit/public-key.ts";
import { codeOf, messageOf } from "./refusals.ts";
import {
  checkpointOf,
  flipBit,
  newSigner,
  sampleLog,
  signedNote,
  storeUuid,
  tenantId,
  treeOf,
} from "./sample-log.ts";

const signer = newSigner();
const checkpoint = checkpointOf(treeOf(sampleLog(5)));
const note = signedNote(checkpoint, signer);
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
if (!hasOpenssl) console.log("skipped: checking a signature with openssl (the openssl command is not there)");

describe("a checkpoint", () => {
  it("is a signed note of this form", () => {
    const [name, size, root, blank, signature, end] = note.split("\n");
    expect(name).toBe(`keyctl/${storeUuid}/${tenantId}`);
    expect(size).toBe("5");
    expect(root).toBe(Buffer.from(checkpoint.root).toString("base64"));
    expect(blank).toBe("");
    expect(signature).toMatch(new RegExp(`^— keyctl/${storeUuid}/${tenantId} [A-Za-z0-9+/=]+$`, "u"));
    expect(end).toBe("");
    const bytes = Buffer.from(signature?.split(" ")[2] ?? "", "base64");
    expect(bytes.subarray(0, 4).toString("hex")).toBe(hash("sha256", signer.spkiDer, "hex").slice(0, 8));
    expect(bytes[4]).toBe(0x30);
  });

  it("has this body for the empty log of the system", () => {
    const empty = checkpointOf(new TreeHasher(), "system");
    const body = `keyctl/${storeUuid}/system\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`;
    expect(Buffer.from(noteBody(empty)).toString("utf8")).toBe(body);
    expect(Buffer.from(noteDigest(empty)).toString("hex")).toBe(hash("sha256", body, "hex"));
    expect(empty.root).toEqual(emptyRoot());
    expect(verifyCheckpoint(signedNote(empty, signer), signer.spkiDer)).toEqual(empty);
  });

  it("verifies with the key that signed it and with no other", () => {
    expect(verifyCheckpoint(note, signer.spkiDer)).toEqual({
      ...checkpoint,
      root: Buffer.from(checkpoint.root),
    });
    expect(messageOf(() => verifyCheckpoint(note, newSigner().spkiDer))).toContain("not signed by this key");
  });

  it.runIf(hasOpenssl)("is accepted by openssl dgst -sha256 -verify", () => {
    const folder = mkdtempSync(join(tmpdir(), "keyctl-note-"));
    const { signatures } = parseCheckpoint(note);
    writeFileSync(join(folder, "body"), noteBody(checkpoint));
    writeFileSync(join(folder, "signature"), signatures[0]?.der ?? "");
    writeFileSync(join(folder, "key.pem"), formatPem(signer.spkiDer));
    const args = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "body"];
    expect(spawnSync("openssl", args, { cwd: folder, encoding: "utf8" }).stdout).toBe("Verified OK\n");
    writeFileSync(join(folder, "body"), noteBody({ ...checkpoint, size: 6 }));
    expect(spawnSync("openssl", args, { cwd: folder }).status).toBe(1);
    rmSync(folder, { recursive: true });
  });

  it("is refused once a bit of it is another", () => {
    const bytes = new TextEncoder().encode(note);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const bent = Buffer.from(flipBit(bytes, bit)).toString("utf8");
        expect(codeOf(() => verifyCheckpoint(bent, signer.spkiDer))).toBe("integrity");
      }),
      { numRuns: 500 },
    );
  });

  it("is refused in another form, with the reason", () => {
    const body = note.slice(0, note.indexOf("\n\n") + 2);
    const line = note.slice(body.length);
    const cases: [string, string][] = [
      ["", "lines"],
      ["x".repeat(20_000), "too long"],
      [body, "not signed"],
      [`${body}\n`, "cannot be read"],
      [note.slice(0, -1), "lines"],
      [note.replace("\n\n", "\nextension\n\n"), "lines"],
      [note.replace("\n5\n", "\n05\n"), "size"],
      [note.replace("\n5\n", "\n9007199254740993\n"), "size"],
      [note.replaceAll("keyctl/", "other/"), "origin"],
      [note.replace(/\n[^\n]{43}=\n/u, "\nAAAA\n"), "root"],
      [note.replace("— ", "- "), "cannot be read"],
      [`${body}— ${checkpoint.origin} AAAA\n`, "cannot be read"],
      [`${body}${line.repeat(17)}`, "not signed"],
    ];
    for (const [text, why] of cases) {
      expect(
        messageOf(() => verifyCheckpoint(text, signer.spkiDer)),
        text,
      ).toContain(why);
    }
  });

  it("may carry other signers' lines, which do not count", () => {
    const other = newSigner();
    const witness = `— witness.example ${Buffer.concat([keyId(other.spkiDer), Buffer.from("cosignature")]).toString("base64")}\n`;
    expect(verifyCheckpoint(note + witness, signer.spkiDer).size).toBe(5);
    expect(parseCheckpoint(note + witness).signatures.map(({ name }) => name)).toEqual([
      checkpoint.origin,
      "witness.example",
    ]);
    const broken = `— ${checkpoint.origin} ${Buffer.concat([keyId(signer.spkiDer), Buffer.from("3006020101020101", "hex")]).toString("base64")}\n`;
    expect(messageOf(() => verifyCheckpoint(note + broken, signer.spkiDer))).toContain("signature is wrong");
  });

  it("is not made of a signature that does not fit the key, the body or the form", () => {
    const raw = signer.raw(noteBody(checkpoint));
    const { spkiDer } = signer;
    expect(codeOf(() => formatCheckpoint({ ...checkpoint, size: 6 }, { raw, spkiDer }))).toBe("integrity");
    expect(codeOf(() => formatCheckpoint(checkpoint, { raw, spkiDer: newSigner().spkiDer }))).toBe(
      "integrity",
    );
    expect(codeOf(() => formatCheckpoint(checkpoint, { raw: raw.subarray(1), spkiDer }))).toBe("integrity");
    expect(codeOf(() => noteBody({ ...checkpoint, size: -1 }))).toBe("failure");
    expect(codeOf(() => noteBody({ ...checkpoint, root: raw }))).toBe("failure");
  });

  it("never makes the reader fail in another way, whatever the text", () => {
    const lines = fc.array(fc.oneof(fc.string(), fc.constantFrom(...note.split("\n"))), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          lines.map((list) => list.join("\n")),
        ),
        (text) => {
          if (text !== note) expect(codeOf(() => verifyCheckpoint(text, signer.spkiDer))).toBe("integrity");
        },
      ),
    );
  });
});

describe("an origin", () => {
  it("names the store and the log", () => {
    expect(origin(storeUuid, "system")).toBe(`keyctl/${storeUuid}/system`);
    expect(parseOrigin(origin(storeUuid, tenantId))).toEqual({ storeUuid, log: tenantId });
  });

  it("has no room for anything else", () => {
    for (const [store, log] of [
      ["x", "system"],
      [storeUuid, ""],
      [storeUuid, "a/b"],
      [storeUuid, "a b"],
      [storeUuid, "a\nb"],
      [storeUuid.toUpperCase(), "system"],
    ] as const) {
      expect(codeOf(() => origin(store, log))).toBe("integrity");
    }
  });
});

describe("a signing key", () => {
  it("survives PEM and is known by the hash of its DER", () => {
    const pem = formatPem(signer.spkiDer);
    expect(parsePem(pem)).toEqual(Buffer.from(signer.spkiDer));
    expect(fingerprint(signer.spkiDer)).toBe(hash("sha256", signer.spkiDer, "hex"));
  });

  it("is read in one spelling only", () => {
    const pem = formatPem(signer.spkiDer);
    const offCurve = flipBit(signer.spkiDer, 90 * 8);
    const refused = [
      "",
      pem + pem,
      pem.trimEnd(),
      pem.replaceAll("\n", "\r\n"),
      `comment\n${pem}`,
      pem.replace("PUBLIC", "PRIVATE"),
      pem.replace(/\n(.{10})/u, "\n$1\n"),
      formatPem(Buffer.alloc(91)),
      formatPem(signer.spkiDer.subarray(0, 90)),
      formatPem(offCurve),
    ];
    for (const text of refused)
      expect(
        codeOf(() => parsePem(text)),
        text,
      ).toBe("integrity");
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(codeOf(() => parsePem(text))).toBe("integrity");
      }),
    );
  });

  it("has a fingerprint that people may type with colons, blanks and capitals", () => {
    const digits = fingerprint(signer.spkiDer);
    const typed = digits.toUpperCase().replace(/(..)(?!$)/gu, "$1:");
    expect(parseFingerprint(` ${typed}\n`)).toBe(digits);
    for (const text of ["", digits.slice(1), `${digits}0`, digits.replace(/./u, "g")]) {
      expect(codeOf(() => parseFingerprint(text))).toBe("usage");
    }
  });
});
