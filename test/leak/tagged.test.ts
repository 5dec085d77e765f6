import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIssuedKey } from "../../src/core/issued-key.ts";
import { leakTag, leakWindow, rollingHash } from "../../src/core/leak-tag.ts";
import { Secret } from "../../src/core/secret.ts";
import { findTagged } from "../../src/leak/tagged.ts";

const leakKey = randomBytes(32);

function known(secret: Secret, form: "issued" | "other") {
  return {
    tag: leakTag(leakKey, secret),
    byteLength: secret.byteLength,
    rollingHash: rollingHash(leakKey, leakWindow(secret, form)),
  };
}

function issued(): Secret {
  return formatIssuedKey({ prefix: "kc_test", id10: randomBytes(10), secret24: randomBytes(24) });
}

function around(before: Uint8Array, secret: Secret, after: Uint8Array): Uint8Array {
  return Buffer.concat([before, secret.reveal(), after]);
}

describe("a tagged secret", () => {
  it("is found wherever it stands, glued to anything, whatever it is made of", () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const secrets = fc.oneof(
      fc
        .uint8Array({ minLength: 16, maxLength: 80 })
        .map((raw) => ({ secret: Secret.fromBytes(raw), form: "other" as const })),
      fc.constant(null).map(() => ({ secret: issued(), form: "issued" as const })),
    );
    fc.assert(
      fc.property(bytes, secrets, bytes, (before, { secret, form }, after) => {
        const tag = known(secret, form);
        expect(findTagged(around(before, secret, after), leakKey, [known(issued(), "issued"), tag])).toEqual([
          tag,
        ]);
      }),
    );
  });

  it("is not found where one byte of it differs, and not under another tenant's key", () => {
    const secret = issued();
    const text = Buffer.from(around(Buffer.from("a "), secret, Buffer.from(" b")));
    expect(findTagged(text, randomBytes(32), [known(secret, "issued")])).toEqual([]);
    text[text.length - 3] = (text[text.length - 3] ?? 0) ^ 1;
    expect(findTagged(text, leakKey, [known(secret, "issued")])).toEqual([]);
  });

  it("is answered once, however often it stands, and not in a text that is shorter than a window", () => {
    const secret = issued();
    const tag = known(secret, "issued");
    const twice = Buffer.concat([secret.reveal(), Buffer.from("\n"), secret.reveal()]);
    expect(findTagged(twice, leakKey, [tag])).toEqual([tag]);
    expect(findTagged(Buffer.from("short"), leakKey, [tag])).toEqual([]);
  });
});
