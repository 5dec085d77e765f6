import { createPublicKey, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derToRaw, rawToDer } from "../../src/audit/ecdsa-signature.ts";
import { codeOf } from "./refusals.ts";

interface Vectors {
  testGroups: { publicKeyDer: string; tests: { tcId: number; msg: string; sig: string; result: string }[] }[];
}

const folder = fileURLToPath(new URL("../../../shared/vectors/wycheproof/", import.meta.url));
const isPresent = existsSync(folder);
if (!isPresent) console.log("skipped: the Wycheproof vectors are not there (../shared/vectors/wycheproof)");

const load = (name: string): Vectors => JSON.parse(readFileSync(`${folder}${name}`, "utf8"));
const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");
const keyOf = (der: string) => createPublicKey({ key: Buffer.from(der, "hex"), format: "der", type: "spki" });
const noZero = fc
  .uint8Array({ minLength: 64, maxLength: 64 })
  .filter((raw) => raw.subarray(0, 32).some(Boolean) && raw.subarray(32).some(Boolean));

describe("the two spellings of a signature", () => {
  it("turn into each other without loss", () => {
    fc.assert(
      fc.property(noZero, (raw) => {
        expect(derToRaw(rawToDer(raw))).toEqual(raw);
      }),
    );
    const small = Buffer.concat([Buffer.alloc(31), Buffer.of(1), Buffer.alloc(31), Buffer.of(0x80)]);
    expect(Buffer.from(rawToDer(small)).toString("hex")).toBe("3007020101" + "02020080");
  });

  it("refuse what is not exactly one", () => {
    for (const raw of [
      new Uint8Array(0),
      new Uint8Array(63),
      new Uint8Array(64),
      Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32)]),
    ]) {
      expect(codeOf(() => rawToDer(raw))).toBe("integrity");
    }
    const refused = [
      "",
      "30",
      "3000",
      "3003020101",
      "300602010102010100",
      "31060201010201" + "01",
      "3006030101020101",
      "3006020181020101",
      "300702020001020101",
      "300602010102010" + "180",
      "3005020002" + "0101",
      "3081060201010201" + "01",
      `3026022101${"00".repeat(32)}020101`,
    ];
    for (const der of refused)
      expect(
        codeOf(() => derToRaw(bytes(der))),
        der,
      ).toBe("integrity");
  });

  it("never fail in another way, and take back only what they would write", () => {
    const almost = noZero.chain((raw) =>
      fc
        .record({ at: fc.nat(70), to: fc.nat(255) })
        .map(({ at, to }) => rawToDer(raw).map((byte, place) => (place === at ? to : byte))),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), almost), (der) => {
        const code = codeOf(() => derToRaw(der));
        if (code !== "no error") {
          expect(code).toBe("integrity");
          return;
        }
        const back = codeOf(() => rawToDer(derToRaw(der)));
        // Zero is well-formed DER and never a signature.
        if (back === "no error") expect(rawToDer(derToRaw(der))).toEqual(Uint8Array.from(der));
        expect(["no error", "integrity"]).toContain(back);
      }),
    );
  });

  it.runIf(isPresent)("agree with the DER vectors: valid ones verify as r‖s, malformed ones never do", () => {
    let judged = 0;
    for (const group of load("ecdsa_secp256r1_sha256_test.json").testGroups) {
      const key = keyOf(group.publicKeyDer);
      for (const { tcId, msg, sig, result } of group.tests) {
        const isValid =
          codeOf(() => derToRaw(bytes(sig))) === "no error" &&
          verify("sha256", bytes(msg), { key, dsaEncoding: "ieee-p1363" }, derToRaw(bytes(sig)));
        expect(isValid, `test ${tcId}`).toBe(result === "valid");
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(400);
  });

  it.runIf(isPresent)("agree with the r‖s vectors: valid ones verify as DER, others never do", () => {
    let judged = 0;
    for (const group of load("ecdsa_secp256r1_sha256_p1363_test.json").testGroups) {
      const key = keyOf(group.publicKeyDer);
      for (const { tcId, msg, sig, result } of group.tests) {
        const isValid =
          codeOf(() => rawToDer(bytes(sig))) === "no error" &&
          verify("sha256", bytes(msg), { key, dsaEncoding: "der" }, rawToDer(bytes(sig)));
        expect(isValid, `test ${tcId}`).toBe(result === "valid");
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(200);
  });
});
