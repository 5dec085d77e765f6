import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { gcmOpen, gcmSeal } from "../../src/core/aes-gcm.ts";
import { hkdf } from "../../src/core/hkdf.ts";
import { hmacSha256 } from "../../src/core/hmac.ts";
import { hex, toHex } from "./known-values.ts";

const folder = new URL("../../../shared/vectors/wycheproof/", import.meta.url);
const present = existsSync(fileURLToPath(folder));
if (!present) console.log("skipped: Wycheproof vectors, because ../shared/vectors/wycheproof is not there");

interface Group<T> {
  keySize: number;
  ivSize?: number;
  tagSize?: number;
  tests: (T & { tcId: number; result: "valid" | "invalid" | "acceptable" })[];
}

function groupsOf<T>(name: string): Group<T>[] {
  const file = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { testGroups: Group<T>[] };
  return file.testGroups;
}

describe("Wycheproof", () => {
  it.runIf(present)("AES-256-GCM as we call it agrees on every case, and takes no other sizes", () => {
    type Case = { key: string; iv: string; aad: string; msg: string; ct: string; tag: string };
    let compared = 0;
    for (const group of groupsOf<Case>("aes_gcm_test.json")) {
      for (const test of group.tests) {
        const place = { key: hex(test.key), nonce: hex(test.iv), associatedData: hex(test.aad) };
        const sealed = hex(test.ct + test.tag);
        if (group.keySize !== 256 || group.ivSize !== 96) {
          expect(() => gcmOpen(place, sealed), String(test.tcId)).toThrow("32 bytes");
          continue;
        }
        compared++;
        const opened = gcmOpen(place, sealed);
        expect(opened === null ? null : toHex(opened), String(test.tcId)).toBe(
          test.result === "valid" ? test.msg : null,
        );
        if (test.result === "valid") expect(toHex(gcmSeal(place, hex(test.msg)))).toBe(test.ct + test.tag);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });

  for (const hash of ["sha256", "sha512"] as const) {
    it.runIf(present)(`HKDF with ${hash} as we call it agrees on every case`, () => {
      type Case = { ikm: string; salt: string; info: string; size: number; okm: string };
      const tests = groupsOf<Case>(`hkdf_${hash}_test.json`).flatMap((group) => group.tests);
      for (const test of tests) {
        const derive = (): string =>
          toHex(
            hkdf({
              hash,
              ikm: hex(test.ikm),
              salt: hex(test.salt),
              info: hex(test.info),
              lengthBytes: test.size,
            }),
          );
        if (test.result === "invalid") expect(derive, String(test.tcId)).toThrow();
        else expect(derive(), String(test.tcId)).toBe(test.okm);
      }
      expect(tests.length).toBeGreaterThan(50);
    });
  }

  it.runIf(present)("HMAC-SHA-256 as we call it agrees on every case", () => {
    type Case = { key: string; msg: string; tag: string };
    let compared = 0;
    for (const group of groupsOf<Case>("hmac_sha256_test.json")) {
      for (const test of group.tests) {
        const tag = toHex(hmacSha256(hex(test.key), hex(test.msg)));
        expect(tag.startsWith(test.tag), String(test.tcId)).toBe(test.result === "valid");
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});
