import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";

const plaintext = "correct horse battery staple";
const secret = Secret.fromUtf8(plaintext);
const base64 = Buffer.from(plaintext).toString("base64");

/** Every way in which JavaScript turns a value into text. */
const printed: Record<string, () => string> = {
  String: () => String(secret),
  toString: () => secret.toString(),
  template: () => `${secret as unknown as string}`,
  concatenation: () => "" + (secret as unknown as string),
  "array join": () => [secret].join(),
  "JSON.stringify": () => JSON.stringify(secret),
  "JSON.stringify inside": () => JSON.stringify({ deep: [{ secret }] }),
  "util.inspect": () => inspect(secret, { showHidden: true, depth: null, customInspect: true }),
  "util.inspect inside": () => inspect({ deep: [{ secret }] }, { depth: null, showHidden: true }),
  "util.format %s": () => format("%s", secret),
  "util.format %o": () => format("%o", { secret }),
  "util.format %O": () => format("%O", { secret }),
  "util.format %j": () => format("%j", { secret }),
  "an error's text": () => new Error(secret as unknown as string).message,
  "an error's cause": () => inspect(new Error("failed", { cause: secret })),
  "a property's name": () => Object.keys({ [secret as unknown as string]: 1 }).join(),
  "a map": () => inspect(new Map([[secret, secret]])),
};

describe("Secret", () => {
  for (const [way, print] of Object.entries(printed)) {
    it(`says [redacted] and nothing else by ${way}`, () => {
      const text = print();
      expect(text).toContain("[redacted]");
      for (const leak of [plaintext, "99, 111, 114", "99,111,114", base64]) expect(text).not.toContain(leak);
    });
  }

  it("has no insides to show to what does not ask it", () => {
    expect(Reflect.ownKeys(secret)).toEqual([]);
    expect(JSON.stringify(Object.assign({}, secret))).toBe("{}");
    expect(inspect(secret, { showHidden: true, depth: null, customInspect: false })).toBe(
      "Secret { [byteLength]: [Getter] }",
    );
    expect(inspect(structuredClone(secret), { showHidden: true, customInspect: false })).toBe("{}");
  });

  it("is no number either", () => {
    expect(Number(secret)).toBeNaN();
  });

  it("gives its bytes through reveal() alone, and does not see its maker wipe the buffer", () => {
    const bytes = Buffer.from(plaintext);
    const made = Secret.fromBytes(bytes);
    bytes.fill(0);
    expect(Buffer.from(made.reveal()).toString()).toBe(plaintext);
    expect(made.byteLength).toBe(plaintext.length);
  });

  it("equals the same bytes and no others", () => {
    expect(secret.equals(Secret.fromBytes(Buffer.from(plaintext)))).toBe(true);
    expect(secret.equals(Secret.fromUtf8(plaintext.toUpperCase()))).toBe(false);
    expect(secret.equals(Secret.fromUtf8(`${plaintext} `))).toBe(false);
    expect(secret.equals(Secret.fromUtf8(""))).toBe(false);
  });
});
