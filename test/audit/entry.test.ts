import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commitPersonal,
  entryBytes,
  entryBytesMax,
  formatEntryParts,
  parseEntry,
} from "../../src/audit/entry.ts";
import type { AuditDraft } from "../../src/audit/entry.ts";
import { keyKinds, versionStates } from "../../src/core/model.ts";
import { codeOf, messageOf } from "./refusals.ts";
import { flipBit, sampleDraft, sampleEntry, tenantId } from "./sample-log.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const wellFormed = fc.string({ unit: "grapheme" }).map((text) => text.toWellFormed());
const filled = wellFormed.filter((text) => text.length > 0);
const hexOf = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString("hex"));
const jsonValue = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).toWellFormed()));

const draft: fc.Arbitrary<AuditDraft> = fc
  .record({
    ts: fc.nat(),
    id: fc.uuid(),
    operation: fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,8})?$/u),
    phase: fc.constantFrom("intent" as const, "outcome" as const),
    outcome: fc.constantFrom("success" as const, "denied" as const, "failure" as const, "partial" as const),
    sensitivity: fc.constantFrom("LOW" as const, "MEDIUM" as const, "HIGH" as const, "CRITICAL" as const),
    actor: filled,
    auth: filled,
    key: fc.option(fc.record({ id: filled, name: filled, env: filled, kind: fc.constantFrom(...keyKinds) })),
    transitions: fc.array(
      fc.record({
        version: fc.integer({ min: 1, max: 9_999 }),
        from: fc.option(fc.constantFrom(...versionStates)),
        to: fc.constantFrom(...versionStates),
      }),
      { maxLength: 3 },
    ),
    before: jsonValue,
    after: jsonValue,
    reason: fc.option(filled),
    correlationId: filled,
    durationMs: fc.nat(),
    tool: filled,
    personal: fc.dictionary(filled, hexOf(32), { maxKeys: 3 }),
    blind: hexOf(16),
  })
  .chain((fields) =>
    fc.constantFrom("system", tenantId).map((log) => ({
      ...fields,
      log,
      tenant: log === "system" ? null : log,
    })),
  );

describe("an audit entry", () => {
  it("has these bytes", () => {
    const parts = formatEntryParts(sampleDraft());
    const bytes = entryBytes(parts, 41);
    expect(textOf(bytes)).toBe(
      '{"actor":"01935f5e-8a2b-7c3d-9e4f-cccccccccccc","after":{"activeVersion":2,"tags":{"team":"zürich \\"a\\""}},' +
        '"auth":"os-user, not authenticated","before":{"activeVersion":1},"blind":"0123456789abcdef0123456789abcdef",' +
        '"correlationId":"c-1","durationMs":12,"id":"01935f5e-8a2b-7c3d-9e4f-dddddddddddd",' +
        '"key":{"env":"prod","id":"01935f5e-8a2b-7c3d-9e4f-bbbbbbbbbbbb","kind":"issued","name":"stripe"},' +
        `"log":"${tenantId}","operation":"key.rotate","outcome":"success","personal":{"login":"${"ab".repeat(32)}"},` +
        `"phase":"outcome","reason":null,"sensitivity":"HIGH","seq":41,"tenant":"${tenantId}","tool":"keyctl 0.1.0",` +
        '"transitions":[{"from":"active","to":"rotated","version":1},{"from":"pending","to":"active","version":2}],' +
        '"ts":1790000000000,"v":1}',
    );
    expect(textOf(parts.head).endsWith(',"seq":')).toBe(true);
    expect(textOf(parts.tail).startsWith(',"tenant":')).toBe(true);
  });

  it("reads back as what was written, whatever is in it", () => {
    fc.assert(
      fc.property(draft, fc.maxSafeNat(), (written, seq) => {
        const bytes = entryBytes(formatEntryParts(written), seq);
        expect(parseEntry(bytes)).toEqual({ ...written, v: 1, seq });
      }),
    );
  });

  it("is refused once any bit is another, unless that gives another whole entry", () => {
    const bytes = sampleEntry(7);
    const before = parseEntry(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const bent = flipBit(bytes, bit);
        const code = codeOf(() => parseEntry(bent));
        if (code === "no error") expect(parseEntry(bent)).not.toEqual(before);
        else expect(code).toBe("integrity");
      }),
      { numRuns: 400 },
    );
  });

  it("is refused in any other spelling of the same content", () => {
    const good = textOf(sampleEntry(3));
    const spellings = [
      ` ${good}`,
      `${good}\n`,
      `\uFEFF${good}`,
      good.replace('"seq":3', '"seq": 3'),
      good.replace('"seq":3', '"seq":3.0'),
      good.replace('"seq":3', '"seq":3e0'),
      good.replace('"seq":3', '"seq":3,"seq":3'),
      good.replace("zürich", "z\\u00fcrich"),
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(good)).toReversed())),
    ];
    for (const text of spellings)
      expect(
        codeOf(() => parseEntry(utf8(text))),
        text,
      ).toBe("integrity");
  });

  it("is refused with an unknown version or field, and without one that belongs there", () => {
    const good: Record<string, unknown> = JSON.parse(textOf(sampleEntry(3)));
    const refuse = (changed: Record<string, unknown>): string =>
      messageOf(() => parseEntry(utf8(JSON.stringify(changed))));
    expect(refuse({ ...good, v: 2 })).toContain("version that this keyctl does not know");
    expect(refuse({ ...good, extra: 1 })).toContain("a field is not known");
    for (const name of Object.keys(good).filter((field) => field !== "v")) {
      const { [name]: _, ...rest } = good;
      expect(refuse(rest)).toContain(`${name} is missing`);
      if (name === "before" || name === "after") continue;
      expect(refuse({ ...good, [name]: { wrong: true } }), name).not.toBe("");
    }
  });

  it("says which field is wrong without repeating what stands there", () => {
    const wrong: Partial<Record<string, unknown>>[] = [
      { seq: -1 },
      { ts: 1.5 },
      { operation: "Key Create" },
      { outcome: "fine" },
      { blind: "00" },
      { personal: { ip: "not a commitment" } },
      { transitions: [{ version: 0, from: null, to: "pending" }] },
      { transitions: [{ version: 1, from: null, to: "gone" }] },
      { transitions: [null] },
      { key: { id: "1", name: "n", env: "e", kind: "other" } },
      { log: "a log" },
      { tenant: "another" },
      { log: "system" },
    ];
    for (const fields of wrong) {
      const bytes = utf8(JSON.stringify({ ...JSON.parse(textOf(sampleEntry(1))), ...fields }));
      const message = messageOf(() => parseEntry(bytes));
      expect(message).toMatch(/^an audit entry cannot be read: [a-z]/u);
      expect(message).not.toContain("not a commitment");
    }
  });

  it("never makes the reader fail in another way, whatever the bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json({ maxDepth: 5 }).map(utf8),
      fc.constant(utf8("[".repeat(60_000))),
      fc.constant(utf8(`{"v":1,"after":${"[".repeat(30_000)}${"]".repeat(30_000)}}`)),
      fc.constant(Buffer.alloc(entryBytesMax + 1, 0x20)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        expect(codeOf(() => parseEntry(input))).toBe("integrity");
      }),
    );
  });

  it("is refused when deep nesting hides in a field that may hold anything", () => {
    const good = textOf(sampleEntry(3));
    const deep = good.replace('{"activeVersion":1}', `${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(messageOf(() => parseEntry(utf8(deep)))).toBe("an audit entry is not in canonical form");
  });

  it("is never written longer than it could be read", () => {
    const room = entryBytesMax - 16 - entryBytes(formatEntryParts(sampleDraft({ after: "" })), 0).length + 1;
    const longest = formatEntryParts(sampleDraft({ after: "x".repeat(room) }));
    expect(entryBytes(longest, Number.MAX_SAFE_INTEGER)).toHaveLength(entryBytesMax);
    expect(parseEntry(entryBytes(longest, Number.MAX_SAFE_INTEGER)).seq).toBe(Number.MAX_SAFE_INTEGER);
    expect(codeOf(() => formatEntryParts(sampleDraft({ after: "x".repeat(room + 1) })))).toBe("refused");
  });

  it("is not read when it is longer than it could be written", () => {
    const long = textOf(sampleEntry(3)).replace('{"activeVersion":1}', `"${"x".repeat(entryBytesMax)}"`);
    expect(messageOf(() => parseEntry(utf8(long)))).toBe("an audit entry is longer than 65535 bytes");
  });

  it("is not written at all when it could not be read back", () => {
    for (const changes of [{ ts: -1 }, { blind: "" }, { tenant: null }, { operation: "" }, { actor: "" }]) {
      expect(codeOf(() => formatEntryParts(sampleDraft(changes)))).toBe("failure");
    }
  });
});

describe("a commitment to personal data", () => {
  it("is the HMAC that the format names", () => {
    const salt = Buffer.alloc(32, 5);
    const expected = createHmac("sha256", salt)
      .update(Buffer.from("keyctl/v1/pii\0ip\x00192.0.2.1", "latin1"))
      .digest("hex");
    expect(Buffer.from(commitPersonal(salt, "ip", "192.0.2.1")).toString("hex")).toBe(expected);
    expect(expected).toBe("e867295473e04503cb80441e7d6961d56e4595ec0aac998b9ab4863f90e015cb");
  });

  it("is another for another salt, field or value, also where field and value run together", () => {
    const salt = Buffer.alloc(32, 5);
    const all = [
      commitPersonal(salt, "ip", "x"),
      commitPersonal(Buffer.alloc(32, 6), "ip", "x"),
      commitPersonal(salt, "ipx", ""),
      commitPersonal(salt, "ip", "xx"),
    ].map((bytes) => Buffer.from(bytes).toString("hex"));
    expect(new Set(all).size).toBe(all.length);
  });

  it("takes a salt of 32 bytes and a field without NUL only", () => {
    expect(codeOf(() => commitPersonal(Buffer.alloc(31), "ip", "x"))).toBe("failure");
    expect(codeOf(() => commitPersonal(Buffer.alloc(32), "i\0p", "x"))).toBe("failure");
  });
});
