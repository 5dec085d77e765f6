import { describe, expect, it } from "vitest";
import { deriveKeys, leakKey } from "../../src/core/root-keys.ts";
import { pepper, tenant16, toHex } from "./known-values.ts";
import { codeOf } from "./refusal.ts";

describe("keys from the pepper", () => {
  it("are the known answers", () => {
    const keys = deriveKeys(pepper);
    expect(toHex(keys.verifierKey)).toBe("55916f926ec3300b81790baad40993623efad038d7e037076cb750e5cefe4eee");
    expect(toHex(keys.rowKey)).toBe("4b8838126a5b377a307108cf55cd893e63bd88434aef1740eca47d5687e29919");
    expect(toHex(keys.idempotencyKey)).toBe(
      "bfb56230c0922075ffb9e0aaafcc8b4d3dae8594789987c1bb7e34cbeade61fd",
    );
    expect(toHex(leakKey(pepper, tenant16))).toBe(
      "b8c720735e58c27dab7159b0f372aaa134a900124d8aee27018229728735c36b",
    );
  });

  it("differ from tenant to tenant", () => {
    expect(leakKey(pepper, tenant16)).not.toEqual(leakKey(pepper, new Uint8Array(16)));
  });

  it("are not made from a short pepper, or for half a tenant", () => {
    expect(codeOf(() => deriveKeys(new Uint8Array(31)))).toBe("integrity");
    expect(codeOf(() => leakKey(new Uint8Array(0), tenant16))).toBe("integrity");
    expect(codeOf(() => leakKey(pepper, tenant16.subarray(1)))).toBe("failure");
  });
});
