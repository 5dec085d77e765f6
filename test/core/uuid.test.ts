import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUuid, uuidBytes, uuidv7 } from "../../src/core/uuid.ts";
import { hex, toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

const random10 = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("uuid", () => {
  it("makes the example of RFC 9562 appendix A.6", () => {
    const id = uuidv7(0x017f22e279b0, hex("0cc318c4dc0c0c07398f"));
    expect(id).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  it("is always a version 7 of the RFC's variant, sorts by time, and keeps its 74 random bits", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 - 1 }), random10, (ms, random) => {
        const id = uuidv7(ms, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        const bytes = uuidBytes(id);
        expect(Number.parseInt(toHex(bytes.subarray(0, 6)), 16)).toBe(ms);
        const kept = Uint8Array.from(random);
        kept[0] = ((kept[0] ?? 0) & 0x0f) | 0x70;
        kept[2] = ((kept[2] ?? 0) & 0x3f) | 0x80;
        expect(bytes.subarray(6)).toEqual(kept);
        if (ms > 0) expect(uuidv7(ms - 1, random) < id).toBe(true);
      }),
    );
  });

  it("refuses a time outside 48 bits and any number of random bytes but 10", () => {
    for (const ms of [-1, 2 ** 48, 1.5, Number.NaN])
      expect(codeOf(() => uuidv7(ms, new Uint8Array(10)))).toBe("failure");
    for (const length of [0, 9, 11]) expect(codeOf(() => uuidv7(1, new Uint8Array(length)))).toBe("failure");
  });

  it("reads either case, and refuses everything else without crashing", () => {
    expect(toHex(uuidBytes("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"))).toBe("017f22e279b07cc398c4dc0c0c07398f");
    const others = [
      "",
      "017f22e279b07cc398c4dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
      "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
      "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ];
    for (const text of others) {
      expect(isUuid(text)).toBe(false);
      expect(codeOf(() => uuidBytes(text))).toBe("integrity");
    }
    fc.assert(
      fc.property(
        fc.string(),
        (text) => codeOf(() => uuidBytes(text)) === (isUuid(text) ? null : "integrity"),
      ),
    );
  });
});
