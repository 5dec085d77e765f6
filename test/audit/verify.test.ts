import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leafHash, TreeHasher } from "../../src/audit/merkle.ts";
import type { TreeHead } from "../../src/audit/merkle.ts";
import { judgeCompleteness, LogVerifier, readCheckpoints, verifyByAny } from "../../src/audit/verify.ts";
import type { LogExpectation, LogVerdict } from "../../src/audit/verify.ts";
import { origin } from "../../src/audit/checkpoint.ts";
import { messageOf } from "./refusals.ts";
import {
  checkpointOf,
  flipBit,
  newSigner,
  sampleEntry,
  sampleLog,
  signedNote,
  storeUuid,
  tenantId,
  treeOf,
} from "./sample-log.ts";

const log = sampleLog(20);
const headAt = (size: number): TreeHead => ({ size, root: treeOf(log.slice(0, size)).root() });

function judge(entries: readonly Uint8Array[], expectation: Partial<LogExpectation> = {}): LogVerdict {
  const verifier = new LogVerifier({ log: tenantId, checkpoints: [], remembered: null, ...expectation });
  entries.forEach((bytes, seq) => verifier.add(seq, bytes));
  return verifier.finish();
}

/** A log that was rewritten consistently from `at` on: entries and leaves fit each other, not what was signed. */
function rewritten(at: number): Uint8Array[] {
  return log.map((bytes, seq) => (seq === at ? sampleEntry(seq, { operation: "key.other" }) : bytes));
}

describe("a log that nobody touched", () => {
  it("is whole, and continues what was seen before", () => {
    const verdict = judge(log, { checkpoints: [headAt(20), headAt(0), headAt(7)], remembered: headAt(12) });
    expect(verdict).toEqual({
      log: tenantId,
      size: 20,
      root: Buffer.from(headAt(20).root),
      integrity: "ok",
      completeness: "ok",
      firstBadSeq: null,
      problem: null,
    });
  });

  it("is whole when every entry is parsed too, also the system's", () => {
    expect(judge(log, { depth: "full" }).integrity).toBe("ok");
    const system = [0, 1, 2].map((seq) => sampleEntry(seq, { log: "system", tenant: null }));
    expect(judge(system, { log: "system" }).integrity).toBe("ok");
    expect(judge(system, { log: "system", depth: "full" }).integrity).toBe("ok");
    expect(judge(system).problem).toContain("another log");
  });

  it("has an unknown end while this client has seen none of it, and may be empty", () => {
    expect(judge(log, { checkpoints: [headAt(20)] }).completeness).toBe("unknown");
    expect(judge([])).toMatchObject({ size: 0, integrity: "ok", completeness: "unknown" });
    expect(judge([], { remembered: { size: 0, root: new TreeHasher().root() } }).completeness).toBe("ok");
  });

  it("is not confused by names in what an entry carries", () => {
    const tricky = [0, 1].map((seq) =>
      sampleEntry(seq, {
        before: { seq: 99, tenant: "another", tool: "x" },
        auth: 'x","seq":5,"tenant":"y","tool":"z',
        tool: '"seq":7,"tenant":null,"tool":"',
        personal: { seq: "00".repeat(32), '"seq":': "11".repeat(32) },
      }),
    );
    expect(judge(tricky).problem).toBeNull();
    expect(judge(tricky, { depth: "full" }).problem).toBeNull();
  });
});

describe("a log that was changed", () => {
  it("is broken at the entry whose bit was turned, by its stored leaf", () => {
    fc.assert(
      fc.property(fc.nat(19), fc.nat(5_000), (at, bit) => {
        const verifier = new LogVerifier({ log: tenantId, checkpoints: [], remembered: null });
        log.forEach((bytes, seq) => {
          const isFine = verifier.add(seq, seq === at ? flipBit(bytes, bit) : bytes, leafHash(bytes));
          expect(isFine).toBe(seq < at);
        });
        expect(verifier.finish()).toMatchObject({ integrity: "broken", firstBadSeq: at, size: 20 });
      }),
    );
  });

  it("is broken where the signed checkpoint first disagrees, when bytes and leaves were both rewritten", () => {
    fc.assert(
      fc.property(
        fc.nat(19),
        fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
        (at, sizes) => {
          const verdict = judge(rewritten(at), { checkpoints: sizes.map(headAt) });
          const covering = sizes.filter((size) => size > at);
          const agreeing = Math.max(0, ...sizes.filter((size) => size <= at));
          expect(verdict.integrity).toBe(covering.length === 0 ? "ok" : "broken");
          expect(verdict.firstBadSeq).toBe(covering.length === 0 ? null : agreeing);
        },
      ),
    );
    const verdict = judge(rewritten(9), { checkpoints: [headAt(5), headAt(15)] });
    expect(verdict.problem).toBe(
      "an entry between 5 and 14 was changed: the root at 15 is not that of the signed checkpoint",
    );
  });

  it("is broken, and its seen end gone, where the remembered checkpoint disagrees", () => {
    const verdict = judge(rewritten(9), { remembered: headAt(15) });
    expect(verdict).toMatchObject({ integrity: "broken", completeness: "truncated", firstBadSeq: 0 });
    expect(verdict.problem).toContain("seen before");
    const empty = { size: 0, root: Buffer.alloc(32) };
    expect(judge(log, { remembered: empty })).toMatchObject({ integrity: "broken", firstBadSeq: 0 });
  });

  it("is truncated, though whole in itself, when it is shorter than once seen or signed", () => {
    const short = log.slice(0, 10);
    expect(judge(short, { remembered: headAt(11) })).toMatchObject({
      integrity: "ok",
      completeness: "truncated",
    });
    expect(judge(short, { checkpoints: [headAt(20)] })).toMatchObject({
      integrity: "ok",
      completeness: "truncated",
    });
    expect(judge(short, { remembered: headAt(10) }).completeness).toBe("ok");
  });

  it("is broken at the number that is missing, doubled or out of order", () => {
    const orders: [number[], number][] = [
      [[0, 1, 3], 2],
      [[1, 2], 0],
      [[0, 1, 1], 2],
      [[0, 2, 1], 1],
    ];
    for (const [order, firstBadSeq] of orders) {
      const verifier = new LogVerifier({ log: tenantId, checkpoints: [], remembered: null });
      for (const seq of order) verifier.add(seq, log[seq] ?? Buffer.alloc(0));
      expect(verifier.size).toBe(order.length);
      expect(verifier.finish(), order.join()).toMatchObject({ integrity: "broken", firstBadSeq });
    }
  });

  it("is broken by an entry of another place, another log, another version or no entry at all", () => {
    const entry = log[0] ?? Buffer.alloc(0);
    const text = Buffer.from(entry).toString("latin1");
    const bad: [Uint8Array, string][] = [
      [sampleEntry(1), "another number"],
      [sampleEntry(10), "another number"],
      [sampleEntry(0, { log: "b", tenant: "b" }), "another log"],
      [sampleEntry(0, { log: "system", tenant: null }), "another log"],
      [Buffer.from(text.replace('"v":1}', '"v":2}'), "latin1"), "not an audit entry of version 1"],
      [Buffer.from(`[${text}`, "latin1"), "not an audit entry of version 1"],
      [Buffer.alloc(0), "not an audit entry of version 1"],
      [Buffer.from(',"v":1}'), "not an audit entry of version 1"],
      [Buffer.from('{,"v":1}'), "another number"],
      [Buffer.alloc(65_536, "{"), "longer than"],
    ];
    for (const [bytes, why] of bad) {
      expect(judge([bytes]).problem, why).toContain(why);
      expect(judge([bytes])).toMatchObject({ integrity: "broken", firstBadSeq: 0 });
      expect(judge([bytes], { depth: "full" })).toMatchObject({ integrity: "broken", firstBadSeq: 0 });
    }
  });

  it("is broken by an entry that cannot be read, when every entry is read", () => {
    const text = Buffer.from(sampleEntry(0)).toString("latin1");
    const unreadable = Buffer.from(text.replace('"key.rotate"', '"key.rotate" '), "latin1");
    expect(judge([unreadable]).integrity).toBe("ok");
    expect(judge([unreadable], { depth: "full" }).problem).toContain("entry 0 cannot be read");
  });
});

describe("completeness", () => {
  it("says what can be known of the end of a log", () => {
    const remembered = headAt(5);
    const base = { size: 5, remembered, rememberedDiffers: false, signedSize: 5 };
    expect(judgeCompleteness(base)).toBe("ok");
    expect(judgeCompleteness({ ...base, size: 4 })).toBe("truncated");
    expect(judgeCompleteness({ ...base, size: 4, signedSize: 4 })).toBe("truncated");
    expect(judgeCompleteness({ ...base, rememberedDiffers: true })).toBe("truncated");
    expect(judgeCompleteness({ ...base, remembered: null })).toBe("unknown");
    expect(judgeCompleteness({ ...base, remembered: null, signedSize: 6 })).toBe("truncated");
  });
});

describe("stored checkpoints", () => {
  const [older, newer, stranger] = [newSigner(), newSigner(), newSigner()];
  const trust = { origin: origin(storeUuid, tenantId), publicKeys: [older.spkiDer, newer.spkiDer] };
  const first = signedNote(checkpointOf(treeOf(log.slice(0, 5))), older);
  const second = signedNote(checkpointOf(treeOf(log)), newer);

  it("verify with any of the store's signing keys, and come back by size", () => {
    const { checkpoints, problem } = readCheckpoints([second, first], trust);
    expect(problem).toBeNull();
    expect(checkpoints.map(({ size }) => size)).toEqual([5, 20]);
    expect(judge(log, { checkpoints }).integrity).toBe("ok");
  });

  it("are left out, and said to be wrong, when forged, of another key or of another log", () => {
    const forged = second.replace("\n20\n", "\n21\n");
    const foreign = signedNote(checkpointOf(treeOf(log)), stranger);
    const elsewhere = signedNote(checkpointOf(treeOf(log), "system"), older);
    const read = readCheckpoints([first, forged, foreign], trust);
    expect(read.checkpoints.map(({ size }) => size)).toEqual([5]);
    expect(read.problem).toContain("signature is wrong");
    expect(messageOf(() => verifyByAny(foreign, trust))).toContain("a key that this store does not have");
    expect(messageOf(() => verifyByAny(elsewhere, trust))).toContain("of another log");
  });

  it("do not hide an error of our own", () => {
    const broken = { [Symbol.iterator]: () => [undefined as unknown as string][Symbol.iterator]() };
    expect(() => readCheckpoints(broken, trust)).toThrow(TypeError);
  });
});
