import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CleanText } from "../../src/leak/normalise.ts";

/** The clean text of some input, and the original offset of each of its bytes. */
function clean(input: string, chunkBytes = 1_000_000): { text: string; offsets: number[]; seams: number[] } {
  const bytes = Buffer.from(input, "utf8");
  const text = new CleanText(bytes.length + 16);
  for (let at = 0; at < bytes.length; at += chunkBytes) text.append(bytes.subarray(at, at + chunkBytes));
  text.finish();
  const indices = Array.from({ length: text.length }, (_, index) => index);
  return {
    text: Buffer.from(text.bytes.subarray(0, text.length)).toString("utf8"),
    offsets: indices.map((index) => text.originalOffset(index)),
    seams: indices.filter((index) => text.isSeam(index)),
  };
}

describe("what a terminal does not show is taken out", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["colours", "a\u001b[31mb\u001b[0mc", "abc"],
    ["true colours", "a\u001b[38;2;1;2;3mb", "ab"],
    ["erasing and moving the cursor", "a\u001b[0K\u001b[2J\u001b[1;1H\u001b[?25lb", "ab"],
    ["charsets and two-byte codes", "a\u001b(B\u001b[m\u001b7\u001b8\u001b=\u001b>b", "ab"],
    ["zero-width characters", "a\u200bb\u200cc\u200dd\u2060e\ufefff", "abcdef"],
    ["bidirectional marks", "a\u200eb\u202ec\u2066d", "abcd"],
    ["soft hyphens", "a\u00adb", "ab"],
  ];
  it.each(cases)("%s", (_name, input, expected) => {
    expect(clean(input).text).toBe(expected);
  });

  it("a hyperlink's address stays readable and apart from its text", () => {
    expect(clean("\u001b]8;;https://h/?k=v\u001b\\text\u001b]8;;\u001b\\.").text).toBe(
      " 8;;https://h/?k=v text 8;; .",
    );
    expect(clean("\u001b]0;title\u0007rest").text).toBe(" 0;title\u0007rest");
  });

  it("what is no whole sequence stays", () => {
    for (const text of [
      "a\u001b",
      "a\u001b[",
      "a\u001b[1;2",
      "\u001b[1\n2m",
      `\u001b[${"1".repeat(80)}m`,
      "\u001bq",
      "\u001b(",
      "\u001b(\u0001",
    ]) {
      expect(clean(text).text).toBe(text);
    }
    expect(clean("é £ – … ” 🙂 €").text).toBe("é £ – … ” 🙂 €");
    expect(clean("a\rb\r\nc").text).toBe("a\rb\r\nc");
  });

  it("invalid UTF-8 at the end stays", () => {
    const text = new CleanText(64);
    text.append(Uint8Array.of(0x61, 0xe2, 0x80));
    expect(text.length).toBe(1);
    text.finish();
    expect(text.length).toBe(3);
  });
});

describe("the way back to the original", () => {
  it("leads to the byte that stands there", () => {
    const input = "ab\u001b[31mcd\u200bé\u001b]8;;x\u001b\\e";
    const { text, offsets, seams } = clean(input);
    expect(text).toBe("abcdé 8;;x e");
    const original = Buffer.from(input);
    const bytes = Buffer.from(text);
    for (const [index, offset] of offsets.entries()) {
      if (bytes[index] !== 0x20) expect(original[offset]).toBe(bytes[index]);
    }
    expect(seams).toContain(2);
    expect(seams).toContain(4);
  });

  it("is kept when the beginning is dropped", () => {
    const input = `${"a\u001b[31mb\u200b".repeat(50)}end`;
    const whole = clean(input).offsets;
    const text = new CleanText(2000);
    text.append(Buffer.from(input));
    for (let dropped = 0; dropped < 90; dropped += 9) {
      text.drop(9);
      const index = text.length - 1;
      expect(text.originalOffset(index)).toBe(whole[dropped + 9 + index]);
      expect(text.originalOffset(1)).toBe(whole[dropped + 9 + 1]);
    }
  });

  it("does not depend on how the input was cut", () => {
    const part = fc.constantFrom(
      "a",
      "\u001b",
      "[",
      "3",
      "m",
      "\u001b[1m",
      "\u200b",
      "é",
      "\u001b]8;;",
      "\u001b\\",
      "\n",
      "🙂",
      "\u00ad",
      "(",
      "B",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (parts, chunkBytes) => {
        const input = parts.join("");
        expect(clean(input, chunkBytes)).toEqual(clean(input));
      }),
    );
  });

  it("counts what was taken out in characters", () => {
    const text = new CleanText(100);
    text.append(Buffer.from("a\u001b[31mb\u200bc"));
    text.finish();
    expect([0, 1, 2].map((index) => text.removedCharacters(index))).toEqual([0, 5, 6]);
    text.drop(2);
    expect(text.removedCharacters(0)).toBe(0);
  });
});
