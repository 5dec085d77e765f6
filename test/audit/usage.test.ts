import { describe, expect, it } from "vitest";
import { usageBytes, usageRoot } from "../../src/audit/usage.ts";

const row = {
  keyId: "0192f0c1-0000-7000-8000-000000000001",
  version: 3,
  at: 1_800_000_000_000,
  requestId: "r-1",
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("a batch of validations", () => {
  it("hashes each row in the documented form", () => {
    expect(hex(usageBytes(row))).toBe(
      "4b435531" + "0192f0c1000070008000000000000001" + "00000003" + "000001a3185c5000" + "0003" + "722d31",
    );
    expect(hex(usageBytes({ ...row, requestId: null }))).toBe(
      "4b435531" + "0192f0c1000070008000000000000001" + "00000003" + "000001a3185c5000" + "ffff",
    );
  });

  it("has the known root", () => {
    expect(hex(usageRoot([row, { ...row, requestId: null }, { ...row, version: 4 }]))).toBe(
      "c45681fa32d3d68cd3da64c43698c79be5cc4cda3bf04d971fa383cc6f9bb62c",
    );
  });

  it("has another root when a row is changed, missing, doubled or moved", () => {
    const rows = [row, { ...row, at: row.at + 1 }, { ...row, at: row.at + 2 }];
    const [first, second, third] = rows as [typeof row, typeof row, typeof row];
    const others = [
      [second, first, third],
      [first, second],
      [first, second, third, third],
      [first, second, { ...third, requestId: null }],
      [first, second, { ...third, requestId: "" }],
      [first, second, { ...third, version: 9 }],
    ];
    const roots = [rows, ...others].map((each) => hex(usageRoot(each)));
    expect(new Set(roots).size).toBe(roots.length);
  });
});
