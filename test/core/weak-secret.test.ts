import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { assertNotWeak } from "../../src/core/weak-secret.ts";
import { refusalOf } from "./refusal.ts";

const faultOf = (text: string): string | undefined =>
  refusalOf(() => assertNotWeak(Secret.fromUtf8(text)))?.message;

describe("weak secret", () => {
  it("is refused when empty, blank or under 8 bytes, and the message says which", () => {
    expect(faultOf("")).toBe("the value is empty");
    for (const text of [
      " ",
      "            ",
      "\n\n\n\n\n\n\n\n\n",
      "\0".repeat(32),
      "\u200b\u00a0\u2003\ufeff",
    ]) {
      expect(faultOf(text)).toBe("the value is blank");
    }
    expect(faultOf("7 bytes")).toBe("the value is shorter than 8 bytes");
    expect(refusalOf(() => assertNotWeak(Secret.fromUtf8("")))?.code).toBe("refused");
  });

  it("is counted in bytes, not in characters", () => {
    expect(faultOf("\u00e9\u00e9\u00e9\u00e9")).toBe(undefined);
    expect(faultOf("8 bytes.")).toBe(undefined);
  });

  it("takes bytes that are no text, and a line break or NUL among others", () => {
    expect(refusalOf(() => assertNotWeak(Secret.fromBytes(new Uint8Array(8).fill(0xff))))).toBe(null);
    expect(faultOf("line one\nline two\0")).toBe(undefined);
  });

  it("never echoes the value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 2, maxLength: 6, unit: fc.constantFrom("Q", "#", "@") }), (text) => {
        const refusal = refusalOf(() => assertNotWeak(Secret.fromUtf8(text)));
        expect(`${refusal?.message} ${refusal?.hint}`).not.toContain(text);
      }),
    );
  });
});
