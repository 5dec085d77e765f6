import { describe, expect, it } from "vitest";
import { ownKey, scanText } from "./scan-text.ts";

describe("our own keys", () => {
  it("are found whatever their prefix, with their public id", () => {
    for (const prefix of ["kc_live", "a", "acme_prod_eu1", "a".repeat(32)]) {
      const key = ownKey(prefix, prefix);
      for (const [left, right] of [
        ["", ""],
        ["token=", "\n"],
        ['"', '"'],
        ["Bearer ", ","],
        ["/", "."],
        ["\u001b[32m", "\u001b[0m"],
      ]) {
        const found = scanText(`${left}${key}${right}`);
        expect(found).toHaveLength(1);
        expect(found[0]).toMatchObject({
          ruleId: "keyctl-issued-key",
          provider: "keyctl",
          confidence: "certain",
          severity: "critical",
          length: key.length,
          publicId: key.split(".")[1],
          offset: Buffer.byteLength(left ?? ""),
        });
      }
    }
  });

  it("are found glued to letters on either side: the checksum tells where they begin", () => {
    const key = ownKey("glued");
    const found = scanText(`key_${key}Z9`);
    expect(found[0]).toMatchObject({ confidence: "certain", length: key.length, offset: 4 });
  });

  it("are reported as doctored when the checksum fails, and not at all when the values cannot be", () => {
    const key = ownKey("doctored");
    const last = key.endsWith("A") ? "B" : "A";
    expect(scanText(`${key.slice(0, -1)}${last} `)[0]).toMatchObject({
      confidence: "doctored",
      severity: "low",
      length: key.length,
    });
    const parts = key.split(".");
    expect(scanText(`kc_live.z${parts[1]?.slice(1)}.${parts[2]} `)).toEqual([]);
    expect(scanText(`kc_live.${parts[1]}.z${parts[2]?.slice(1)} `)).toEqual([]);
    expect(scanText(`kc_live.${parts[1]}.${parts[2]?.slice(0, -1)} `)).toEqual([]);
    expect(scanText(`.${parts[1]}.${parts[2]} `)).toEqual([]);
    expect(scanText(`${key.slice(0, -1)}${last}${last} `)).toEqual([]);
  });
});
