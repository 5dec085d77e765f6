import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogEndVerifier } from "../../src/audit/log-end.ts";
import type { KnownHead } from "../../src/audit/log-end.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { flipBit, sampleLog, treeOf } from "./sample-log.ts";

const log = sampleLog(70);

interface Look {
  /** How many entries the stored tree has, and how many there are to be read. */
  size: number;
  present?: number;
  entries: number;
  heads?: KnownHead[];
  /** Bytes, and the leaf stored beside them, as somebody left them. */
  changed?: { seq: number; leafToo: boolean };
}

function look({ size, present = size, entries, heads = [], changed }: Look): string | null {
  const verifier = new LogEndVerifier(treeOf(log.slice(0, size)).frontier(), { heads, entries });
  for (let seq = verifier.from; seq < present; seq += 1) {
    const original = log[seq] ?? new Uint8Array();
    const bytes = changed?.seq === seq ? flipBit(original, 99) : original;
    const leaf = leafHash(changed?.leafToo === true ? bytes : original);
    verifier.add(seq, bytes, leaf);
  }
  return verifier.finish();
}

function headAt(size: number): KnownHead {
  return { name: "the signed checkpoint", size, root: treeOf(log.slice(0, size)).root() };
}

const sizes = fc.integer({ min: 0, max: log.length });
const entries = fc.integer({ min: 1, max: 80 });

describe("the end of a log", () => {
  it("that nobody touched agrees with its tree and with every earlier head, whatever its size", () => {
    fc.assert(
      fc.property(sizes, entries, sizes, (size, count, known) => {
        const heads = known <= size ? [headAt(known)] : [];
        expect(look({ size, entries: count, heads })).toBeNull();
      }),
    );
  });

  it("has a wrong leaf where an entry's bytes were changed", () => {
    fc.assert(
      fc.property(sizes, entries, fc.nat(79), (size, count, back) => {
        const seq = size - 1 - (back % Math.max(1, Math.min(size, count)));
        fc.pre(seq >= 0);
        const problem = look({ size, entries: count, changed: { seq, leafToo: false } });
        expect(problem).toBe(`entry ${seq} is not what was appended: its leaf differs`);
      }),
    );
  });

  it("has another root where the leaf was changed too, in a log that is read whole", () => {
    fc.assert(
      fc.property(sizes, fc.nat(69), (size, at) => {
        fc.pre(at < size);
        const problem = look({ size, entries: 80, changed: { seq: at, leafToo: true } });
        expect(problem).toBe("an entry from 0 on was changed: the log's root is another one");
      }),
    );
  });

  it("tells of its last entry in a long log too; of what lies in a large subtree before it says nothing", () => {
    const changed = (seq: number) => look({ size: 69, entries: 10, changed: { seq, leafToo: true } });
    expect(changed(68)).toMatch(/was changed/);
    expect(changed(64)).toMatch(/was changed/);
    expect(changed(63)).toBeNull();
  });

  it("lacks entries that the tree has", () => {
    expect(look({ size: 20, present: 19, entries: 5 })).toBe("entry 19 is missing, and the log has 20");
    const verifier = new LogEndVerifier(treeOf(log.slice(0, 3)).frontier(), { heads: [], entries: 9 });
    verifier.add(1, log[1] ?? new Uint8Array(), leafHash(log[1] ?? new Uint8Array()));
    expect(verifier.finish()).toBe("entry 0 is missing");
  });

  it("is shorter than a head that is known, or has another root than that", () => {
    expect(look({ size: 20, entries: 5, heads: [headAt(21)] })).toBe(
      "the log has 20 entries, and the signed checkpoint was of 21",
    );
    const other = { ...headAt(19), root: headAt(18).root };
    expect(look({ size: 20, entries: 5, heads: [other] })).toBe(
      "an entry before 19 was changed: the root is not that of the signed checkpoint",
    );
    const same = { ...headAt(20), root: headAt(18).root };
    expect(look({ size: 20, entries: 5, heads: [same] })).toMatch(/an entry before 20 was changed/);
  });
});
