import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  annotatedTails,
  azureSeedsOf,
  crcBase36,
  crcBase62,
  entraTail,
  holdsMarvin,
  shaBase32,
} from "../../src/leak/checksum.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { readJwt } from "../../src/leak/jwt.ts";
import { isPypiMacaroon } from "../../src/leak/macaroon.ts";
import { marvin, marvin32, marvinSeed } from "../../src/leak/marvin.ts";
import { prove } from "../../src/leak/proof.ts";
import { ruleOf, scanText, seeded } from "./scan-text.ts";

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const hex = ({ high, low }: { high: number; low: number }): string =>
  high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");

describe("checksums agree with published answers", () => {
  it("Marvin32: the vectors of .NET", () => {
    expect(hex(marvin(ascii("abc"), 0xd53cd9cecd0893b7n))).toBe("22c74339492769bf");
    expect(hex(marvin(ascii("abcdefghijklmnopqrstuvwxyz"), 0x0ddddeeeeffff000n))).toBe("a128eb7e7260aca2");
    expect(marvin32(ascii("abc"), 0xd53cd9cecd0893b7n)).toBe((0x22c74339 ^ 0x492769bf) >>> 0);
    expect(marvinSeed("Default0")).toBe(0x44656661756c7430n);
  });

  it("Marvin32 reads a view into a larger buffer", () => {
    const bytes = ascii("--abc--").subarray(2, 5);
    expect(hex(marvin(bytes, 0xd53cd9cecd0893b7n))).toBe("22c74339492769bf");
  });

  it("Entra: the vector of Microsoft's security-utilities", () => {
    expect(entraTail(`zzz8Q~${"z".repeat(31)}`)).toBe("blP");
  });

  it("GitHub: the body of the announcement's example", () => {
    expect(crcBase62("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")).toBe("0mLq17");
  });

  it("GitLab: seven digits of base 36", () => {
    expect(crcBase36("123456789")).toBe((0xcbf43926).toString(36).padStart(7, "0"));
    expect(crcBase36("")).toBe("0000000");
  });

  it("base32 of SHA-256: the first 40 bits", () => {
    const bits = BigInt(`0x${createHash("sha256").update("abc").digest("hex").slice(0, 10)}`);
    const digits = Array.from(
      { length: 8 },
      (_, at) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number((bits >> BigInt(35 - 5 * at)) & 31n)],
    );
    expect(shaBase32("abc")).toBe(digits.join(""));
  });

  it("an unknown Azure signature has no seed, and too few bytes hold nothing", () => {
    expect(azureSeedsOf("none")).toEqual([]);
    expect(holdsMarvin(new Uint8Array(4), azureSeedsOf("+ASt"))).toBe(false);
  });

  it("an annotated key may end in base64 or base62 of its checksum", () => {
    const { token } = exampleOf(ruleOf("azure-openai-key"), seeded("tails"));
    const [base64, base62] = annotatedTails(token.slice(0, 80));
    expect(base64).toHaveLength(4);
    for (const tail of [base64, base62])
      expect(prove("azure-annotated", token.slice(0, 80) + tail, null).confidence).toBe("certain");
    expect(prove("azure-annotated", `${token.slice(0, 80)}aaaa`, null).confidence).toBe("doctored");
  });

  it("leading zero bytes of an annotated checksum count as digits", () => {
    for (let at = 0; at < 2000; at += 1) {
      const body = Buffer.from(createHash("sha512").update(`${at}`).digest().subarray(0, 60)).toString(
        "base64",
      );
      const [base64, base62] = annotatedTails(body);
      if (Buffer.from(base64, "base64")[0] === 0) expect(base62[0]).toBe("0");
    }
  });
});

describe("tokens with a structure", () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = (header: unknown, payload: unknown): string => `${part(header)}.${part(payload)}.c2lnbmF0dXJl`;

  it("a JWT is read without its key", () => {
    expect(readJwt(jwt({ alg: "RS256" }, { exp: 1000 }))).toEqual({
      algorithm: "RS256",
      expiresAt: 1_000_000,
    });
    expect(readJwt(jwt({ alg: "made\u001b[31mup" }, {}))).toEqual({ algorithm: "other", expiresAt: null });
    expect(readJwt(jwt({ alg: "HS256" }, { exp: "soon" }))?.expiresAt).toBeNull();
    expect(readJwt(jwt({ alg: "HS256" }, { exp: 1e300 }))?.expiresAt).toBeNull();
  });

  it("what is no JWT is none", () => {
    for (const text of [
      "",
      "a.b",
      "a.b.c",
      jwt({}, {}),
      jwt([], {}),
      jwt({ alg: "HS256" }, []),
      jwt({ alg: "HS256" }, null),
    ]) {
      expect(readJwt(text)).toBeNull();
    }
  });

  it("an expired or unsigned JWT counts less", () => {
    const live = jwt({ alg: "HS256" }, { sub: "1", exp: 2000 });
    expect(prove("jwt", live, 1_000_000)).toEqual({
      confidence: "likely",
      text: "token decodes and has not expired",
    });
    expect(prove("jwt", live, 3_000_000)).toMatchObject({
      severity: "low",
      text: "token decodes and has expired",
    });
    expect(prove("jwt", live, null)).toMatchObject({ text: "token decodes and has an expiry" });
    expect(prove("jwt", jwt({ alg: "none" }, {}), null)).toMatchObject({ severity: "low" });
    expect(prove("jwt", "eyJ.ey.", null)).toMatchObject({ confidence: "doctored" });
  });

  it("the scanner tells expiry by the time it was given", () => {
    const token = jwt({ alg: "HS256", typ: "JWT" }, { sub: "someone", exp: 2000 });
    expect(scanText(` ${token} `, { now: 3_000_000 })[0]).toMatchObject({
      ruleId: "json-web-token",
      severity: "low",
    });
    expect(scanText(` ${token} `, { now: 1_000_000 })[0]).toMatchObject({ severity: "medium" });
  });

  it("a macaroon is whole or none", () => {
    const { token } = exampleOf(ruleOf("pypi-upload-token"), seeded("macaroon"));
    const bytes = Buffer.from(token.slice(5), "base64url");
    expect(isPypiMacaroon(bytes)).toBe(true);
    for (let length = 0; length < bytes.length; length += 1)
      expect(isPypiMacaroon(bytes.subarray(0, length))).toBe(false);
    expect(isPypiMacaroon(Buffer.concat([bytes, Buffer.from([0])]))).toBe(false);
    const elsewhere = Buffer.from(bytes);
    elsewhere[3] = 0x71;
    expect(isPypiMacaroon(elsewhere)).toBe(false);
    const version = Buffer.from(bytes);
    version[0] = 1;
    expect(isPypiMacaroon(version)).toBe(false);
  });

  it("a macaroon's long fields have lengths of two bytes", () => {
    const field = (type: number, size: number[], data: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from([type, ...size]), data]);
    const body = (size: number[], length: number): Buffer =>
      Buffer.concat([
        Buffer.from([2]),
        field(1, [13], Buffer.from("test.pypi.org")),
        field(2, size, Buffer.alloc(length, 7)),
        Buffer.from([0, 0]),
        field(6, [32], Buffer.alloc(32, 9)),
      ]);
    expect(isPypiMacaroon(body([0xc8, 0x01], 200))).toBe(true);
    expect(isPypiMacaroon(body([0xc8, 0x81], 200))).toBe(false);
    expect(isPypiMacaroon(Buffer.from([2, 1, 0xc8]))).toBe(false);
    expect(isPypiMacaroon(Buffer.from([2, 1]))).toBe(false);
    const caveat = Buffer.concat([
      body([4], 4).subarray(0, 23),
      Buffer.from([1, 1, 0x61, 0, 0]),
      field(6, [32], Buffer.alloc(32)),
    ]);
    expect(isPypiMacaroon(caveat)).toBe(false);
  });

  it("an older Entra secret has nothing to check", () => {
    const { token } = exampleOf(ruleOf("entra-client-secret"), seeded("older"));
    expect(prove("entra-tail", `${token.slice(0, 3)}7${token.slice(4)}`, null).confidence).toBeNull();
    expect(scanText(` ${token.slice(0, 3)}7${token.slice(4)} `)[0]).toMatchObject({
      confidence: "likely",
      ruleId: "entra-client-secret",
    });
  });

  it("a stateless GitHub token carries a JWT", () => {
    const { token } = exampleOf(ruleOf("github-server-token"), seeded("stateless"));
    expect(prove("github-server-token", token, null)).toMatchObject({
      confidence: "likely",
      severity: "critical",
    });
  });

  it("an OpenAI key of another length or without the marker is only possible", () => {
    const { token } = exampleOf(ruleOf("openai-service-account-key"), seeded("svc"));
    expect(prove("openai-marker", token, null).confidence).toBe("likely");
    expect(prove("openai-marker", token.slice(0, -3), null).confidence).toBe("possible");
    for (const kind of ["sk-admin-", "sk-None-", "sk-"]) {
      const body = token.slice("sk-svcacct-".length);
      expect(prove("openai-marker", kind + body, null).confidence).toBe("likely");
    }
  });
});
