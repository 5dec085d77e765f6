import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readPem } from "../../src/leak/pem.ts";
import { scanText, seeded } from "./scan-text.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const pkcs8 = rsa.export({ type: "pkcs8", format: "pem" }).toString();
const pkcs1 = rsa.export({ type: "pkcs1", format: "pem" }).toString();
const sec1 = elliptic.export({ type: "sec1", format: "pem" }).toString();

function framed(label: string, body: string, eol = "\n"): string {
  const lines = body.match(/.{1,64}/gu) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join(eol);
}

const openssh = framed(
  "OPENSSH PRIVATE KEY",
  Buffer.concat([Buffer.from("openssh-key-v1\0"), seeded("ssh")(150)]).toString("base64"),
);

describe("private keys in PEM", () => {
  it.each([
    ["PKCS #8", pkcs8],
    ["PKCS #1", pkcs1],
    ["SEC 1", sec1],
    ["OpenSSH", openssh],
  ])("%s is certain", (_name, pem) => {
    const [found, ...more] = scanText(`before\n${pem}\nafter`);
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      ruleId: "private-key",
      confidence: "certain",
      severity: "critical",
      line: 2,
      column: 1,
    });
    expect(found?.masked).toBe("-----BEGIN …");
    expect(found?.length).toBe(pem.trimEnd().length);
  });

  it("is read with other line ends: CRLF, written out, one long line, indented", () => {
    const variants = [
      pkcs8.replaceAll("\n", "\r\n"),
      pkcs8.replaceAll("\n", "\\n"),
      pkcs8.replaceAll("\n", "\\r\\n"),
      pkcs8.replaceAll("\n", "\n    "),
    ];
    for (const text of variants)
      expect(scanText(`key: "${text}"`)[0]).toMatchObject({ confidence: "certain" });
  });

  it("is told to be encrypted", () => {
    const encrypted = rsa
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString();
    expect(scanText(encrypted)[0]).toMatchObject({ severity: "medium", confidence: "certain" });
    const old = pkcs1.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n");
    expect(scanText(old)[0]).toMatchObject({ severity: "medium", confidence: "likely" });
  });

  it("is likely when it is cut off, and its end is where the text goes on", () => {
    const cut = pkcs8.slice(0, 900);
    const [found] = scanText(`${cut}!!! log goes on`);
    expect(found).toMatchObject({ confidence: "likely", length: cut.trimEnd().length });
    expect(found?.proof).toContain("cut off");
    const written = cut.replaceAll("\n", "\\n");
    expect(scanText(`${written}"}`)[0]).toMatchObject({ confidence: "likely", length: written.length });
    expect(scanText(openssh.slice(0, 200))[0]?.proof).toContain("OpenSSH private key and is cut off");
  });

  it("ends before the next key", () => {
    const found = scanText(`${pkcs8.slice(0, 900)}\n${sec1}`);
    expect(found.map((match) => match.confidence)).toEqual(["likely", "certain"]);
  });

  it("is possible when the body cannot be read", () => {
    const stamped = pkcs8.replaceAll("\n", "\n2026-11-21T08:00:00Z ");
    expect(scanText(stamped)[0]).toMatchObject({ confidence: "possible", severity: "critical" });
    const other = framed(
      "PRIVATE KEY",
      Buffer.from(seeded("other")(200)).fill(0x31, 0, 2).toString("base64"),
    );
    expect(scanText(other)[0]?.proof).toContain("neither ASN.1 nor OpenSSH");
  });

  it("knows OpenPGP armour with its version line and checksum", () => {
    const block = (first: number): string =>
      framed(
        "PGP PRIVATE KEY BLOCK",
        Buffer.concat([Buffer.from([first]), seeded("pgp")(190)]).toString("base64"),
      )
        .replace("-----\n", "-----\nVersion: 1\n\n")
        .replace("\n-----END", "\n=aB3d\n-----END");
    expect(scanText(block(0x95))[0]).toMatchObject({
      confidence: "likely",
      proof: "the body begins as an OpenPGP packet",
    });
    expect(scanText(block(0x15))[0]).toMatchObject({ confidence: "possible" });
  });

  it("short forms of the length are read too", () => {
    const der = (head: number[], rest: number): string =>
      framed("PRIVATE KEY", Buffer.concat([Buffer.from(head), seeded("der")(rest)]).toString("base64"));
    expect(scanText(der([0x30, 0x60], 96))[0]?.confidence).toBe("certain");
    expect(scanText(der([0x30, 0x81, 0xc8], 200))[0]?.confidence).toBe("certain");
    expect(scanText(der([0x30, 0x83, 0, 0, 1], 200))[0]?.confidence).toBe("possible");
    expect(scanText(der([0x30, 0x10], 200))[0]?.confidence).toBe("possible");
  });

  it("is none: public keys, certificates, bodies left out, samples, headers alone", () => {
    const random = Buffer.from(seeded("none")(200)).toString("base64");
    for (const text of [
      framed("PUBLIC KEY", random),
      framed("CERTIFICATE", random),
      framed("PRIVATE KEY", "..."),
      framed("PRIVATE KEY", "x".repeat(200)),
      "-----BEGIN PRIVATE KEY",
      "-----BEGIN PRIVATE KEY-----",
      `-----BEGIN ${"A".repeat(100)} PRIVATE KEY-----`,
      "grep -----BEGIN keys",
    ]) {
      expect(scanText(`${text}\n`)).toEqual([]);
    }
    expect(readPem({ bytes: Buffer.from("-----BEGIN"), length: 10 }, 0)).toBeNull();
  });
});
