import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSealedValue, parseSealedValue } from "../../src/core/sealed-value.ts";
import {
  formatWrappedDataKey,
  parseWrappedDataKey,
  wrappedDataKeyAuth,
} from "../../src/core/wrapped-data-key.ts";
import { toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const kAuth = { version: 1, key: filled(0x22, 32) };
const dataKey = {
  tenantId: "0192f0c1-aaaa-7bbb-8ccc-ddddeeeeffff",
  keyId: "0192f0c1-0000-7000-8000-000000000001",
  id: "0192f0c1-0000-7000-8000-000000000002",
  version: 3,
  wrapped: filled(0x77, 16),
};
const bytes = formatWrappedDataKey(dataKey, kAuth);

describe("wrapped data key KCW1", () => {
  it("is the known answer", () => {
    expect(toHex(bytes)).toBe(
      `${toHex(Buffer.from("KCW1"))}01010010` +
        "0192f0c1aaaa7bbb8cccddddeeeeffff" +
        "0192f0c1000070008000000000000001" +
        "0192f0c1000070008000000000000002" +
        `00000003${"77".repeat(16)}` +
        "6e87df5852240160e70c0f55d0fbee7804390608399e9fe04a2213f7e9de74f3",
    );
  });

  it("comes back as it went in, and names the K_auth that it needs", () => {
    expect(parseWrappedDataKey(bytes, kAuth.key)).toEqual(dataKey);
    expect(wrappedDataKeyAuth(formatWrappedDataKey(dataKey, { ...kAuth, version: 255 }))).toBe(255);
  });

  it("is refused when any byte was changed, or under another K_auth", () => {
    for (const place of bytes.keys()) {
      const changed = Uint8Array.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect({ place, code: codeOf(() => parseWrappedDataKey(changed, kAuth.key)) }).toEqual({
        place,
        code: "integrity",
      });
    }
    expect(codeOf(() => parseWrappedDataKey(bytes, filled(0x23, 32)))).toBe("integrity");
  });

  it("is never anything else: whatever bytes come, they are refused with a code", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.boolean(), (noise, asKcw1) => {
        const input = asKcw1 ? Uint8Array.from([...Buffer.from("KCW1"), ...noise]) : noise;
        expect(codeOf(() => parseWrappedDataKey(input, kAuth.key))).toBe("integrity");
      }),
    );
  });
});

describe("sealed value KCV1", () => {
  const halves = { wrapped: bytes, envelope: filled(0x55, 104) };

  it("is the known answer, and comes apart again", () => {
    const sealed = formatSealedValue(halves);
    expect(toHex(sealed)).toBe(`${toHex(Buffer.from("KCV1"))}006c${toHex(bytes)}${"55".repeat(104)}`);
    expect(parseSealedValue(sealed)).toEqual(halves);
  });

  it("is never anything else: whatever bytes come, they come apart or are refused with a code", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, asKcv1) => {
        const input = asKcv1 ? Uint8Array.from([...Buffer.from("KCV1"), ...noise]) : noise;
        expect([null, "integrity"]).toContain(codeOf(() => parseSealedValue(input)));
      }),
    );
    expect(codeOf(() => parseSealedValue(new Uint8Array(0)))).toBe("integrity");
  });
});
