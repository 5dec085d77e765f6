import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmacSha256 } from "../../src/core/hmac.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("HMAC-SHA-256", () => {
  it("gives the known answers of RFC 4231, test cases 1 to 4, 6 and 7", () => {
    const text = (words: string): Buffer => Buffer.from(words);
    const sequence = Uint8Array.from({ length: 25 }, (_, place) => place + 1);
    const long = Buffer.alloc(131, 0xaa);
    const cases: [Uint8Array, Uint8Array, string][] = [
      [
        Buffer.alloc(20, 0x0b),
        text("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      ],
      [
        text("Jefe"),
        text("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        Buffer.alloc(20, 0xaa),
        Buffer.alloc(50, 0xdd),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      ],
      [sequence, Buffer.alloc(50, 0xcd), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"],
      [
        long,
        text("Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
      [
        long,
        text(
          "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      ],
    ];
    for (const [key, message, mac] of cases) expect(hex(hmacSha256(key, message))).toBe(mac);
  });

  it("agrees with Node's own for every key and message, however the message is cut", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { maxLength: 5 }), (key, parts) => {
        const mac = createHmac("sha256", key);
        for (const part of parts) mac.update(part);
        expect(hex(hmacSha256(key, ...parts))).toBe(mac.digest("hex"));
      }),
      { numRuns: 500 },
    );
  });

  it("leaves key and message as they were, and its answer stands alone", () => {
    const key = Uint8Array.of(1, 2, 3);
    const message = Uint8Array.of(4, 5);
    const first = hmacSha256(key, message);
    const kept = hex(first);
    hmacSha256(Uint8Array.of(9), Uint8Array.of(9));
    expect([...key, ...message]).toEqual([1, 2, 3, 4, 5]);
    expect(hex(first)).toBe(kept);
    expect(first.buffer.byteLength).toBe(32);
  });
});
