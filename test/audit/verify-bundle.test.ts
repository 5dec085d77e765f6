import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bundleFiles as files,
  formatManifest,
  parseManifest,
  parsePersonalLine,
  parseSums,
} from "../../src/audit/bundle.ts";
import type { BundleFile } from "../../src/audit/bundle.ts";
import type { TreeHead } from "../../src/audit/merkle.ts";
import { fingerprint } from "../../src/audit/public-key.ts";
import { verifyBundle } from "../../src/audit/verify-bundle.ts";
import type { BundleVerdict } from "../../src/audit/verify-bundle.ts";
import { KeyctlError } from "../../src/core/errors.ts";
import { codeOf } from "./refusals.ts";
import { sampleBundle, sourceOf, textOf, withFile } from "./sample-bundle.ts";
import type { BundleContent } from "./sample-bundle.ts";
import { flipBit, newSigner, storeUuid, tenantId } from "./sample-log.ts";
import { tamperedBundles } from "./tampered.ts";

const signer = newSigner();
const whole = sampleBundle(signer, { size: 12 });

/** Head of the first `size` leaves, by way of a bundle of that size. */
async function headAt(size: number): Promise<TreeHead> {
  const { root } = await judge(sampleBundle(signer, { size }));
  return { size, root: root ?? new Uint8Array(0) };
}

async function judge(
  content: BundleContent,
  trust: { fingerprint?: string; remembered?: TreeHead } = {},
): Promise<BundleVerdict> {
  return await verifyBundle(sourceOf(content), {
    fingerprint: trust.fingerprint ?? null,
    recall: () => Promise.resolve(trust.remembered ?? null),
  });
}

describe("a bundle as it was exported", () => {
  it("proves itself, and who signed it when the fingerprint is known", async () => {
    const verdict = await judge(whole, { fingerprint: fingerprint(signer.spkiDer) });
    expect(verdict).toMatchObject({
      origin: `keyctl/${storeUuid}/${tenantId}`,
      log: tenantId,
      size: 12,
      entries: 12,
      isFiltered: false,
      fingerprint: fingerprint(signer.spkiDer),
      isTrusted: true,
      createdAt: 1_790_000_000_000,
      integrity: "ok",
      completeness: "unknown",
      firstBadSeq: null,
      problem: null,
    });
    expect((await judge(whole)).isTrusted).toBe(false);
  });

  it("proves itself filtered, with personal data, and empty", async () => {
    const filtered = sampleBundle(signer, { size: 12, shows: (seq) => seq % 5 === 1, withPersonal: true });
    expect(await judge(filtered)).toMatchObject({ integrity: "ok", entries: 3, size: 12, isFiltered: true });
    const none = sampleBundle(signer, { size: 12, shows: () => false });
    expect(await judge(none)).toMatchObject({ integrity: "ok", entries: 0, isFiltered: true });
    expect(await judge(sampleBundle(signer, { size: 0 }))).toMatchObject({
      integrity: "ok",
      size: 0,
      problem: null,
    });
    expect(await judge(sampleBundle(signer, { size: 12, withPersonal: true }))).toMatchObject({
      integrity: "ok",
    });
  });

  it("does not depend on how its files come in", async () => {
    for (const chunk of [1, 31, 32, 33, 1_000_000]) {
      const verdict = await verifyBundle(
        sourceOf(sampleBundle(signer, { size: 7, withPersonal: true }), chunk),
        {
          fingerprint: null,
          recall: () => Promise.resolve(null),
        },
      );
      expect(verdict.problem, `chunks of ${chunk}`).toBeNull();
    }
  });

  it("is complete when it continues what this client saw before, unknown when it is older", async () => {
    expect((await judge(whole, { remembered: await headAt(7) })).completeness).toBe("ok");
    expect((await judge(whole, { remembered: await headAt(12) })).completeness).toBe("ok");
    expect((await judge(whole, { remembered: await headAt(0) })).completeness).toBe("ok");
    expect((await judge(whole, { remembered: await headAt(13) })).completeness).toBe("unknown");
  });
});

describe("a bundle that was tampered with", () => {
  it("is broken in every way that a forger could think of", async () => {
    for (const [name, content] of tamperedBundles(signer)) {
      const verdict = await judge(content);
      expect(verdict.integrity, name).toBe("broken");
      expect(verdict.problem, name).toMatch(/^[^\n]{10,200}$/u);
    }
  });

  it("is told what is wrong with it", async () => {
    const forgeries = tamperedBundles(signer);
    const reasons: Record<string, string> = {
      "entries in another order": "entries.jsonl is not in order",
      "an entry twice": "entries.jsonl is not in order",
      "a last line cut off": "the last line is cut off",
      "entries of another log, signed": "entry 0 is of another log",
      "a leaf added": "leaves.bin does not lead to the root that was signed",
      "another size signed": "a checkpoint cannot be trusted: its signature is wrong",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      expect((await judge(forgeries.get(name) ?? new Map())).problem, name).toBe(reason);
    }
  });

  it("names the entry that is wrong", async () => {
    const changed = textOf(whole, files.entries)
      .split("\n")
      .map((line) => (line.includes('"seq":4,') ? line.replace("stripe", "strope") : line))
      .join("\n");
    expect(await judge(withFile(whole, files.entries, changed))).toMatchObject({
      firstBadSeq: 4,
      problem: "entry 4 is not the one that the log has there",
    });
  });

  it("is broken when it is signed by another key than the one that was named", async () => {
    const verdict = await judge(whole, { fingerprint: "ab".repeat(32) });
    expect(verdict).toMatchObject({ integrity: "broken", isTrusted: false });
    expect(verdict.problem).toContain("another key");
  });

  it("is broken when it does not continue what this client saw before", async () => {
    const { root } = await headAt(7);
    const verdict = await judge(whole, { remembered: { size: 7, root: flipBit(root, 3) } });
    expect(verdict).toMatchObject({ integrity: "broken", completeness: "unknown" });
    expect(verdict.problem).toContain("when it had 7 entries");
  });

  it("is broken by any single bit in any file", async () => {
    const names = [...whole.keys()];
    const place = fc.record({ name: fc.constantFrom(...names), bit: fc.nat(100_000) });
    await fc.assert(
      fc.asyncProperty(place, async ({ name, bit }) => {
        const bytes = whole.get(name) ?? new Uint8Array(0);
        const verdict = await judge(new Map(whole).set(name, flipBit(bytes, bit)));
        expect(verdict.integrity, name).toBe("broken");
      }),
      { numRuns: 150 },
    );
  });

  it("is broken when a file is larger than such a file can be", async () => {
    const huge = withFile(whole, files.manifest, Buffer.alloc(2_000_000, 0x20));
    expect((await judge(huge)).problem).toContain("manifest.json is larger");
  });

  it("is a verdict, while a disk that fails is an error", async () => {
    const failing = (name: BundleFile): Promise<never> =>
      Promise.reject(new KeyctlError("unavailable", `${name} cannot be read`));
    await expect(
      verifyBundle(failing, { fingerprint: null, recall: () => Promise.resolve(null) }),
    ).rejects.toThrow("SHA256SUMS cannot be read");
  });
});

describe("the files of a bundle", () => {
  it("never make their readers fail in another way", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(textOf(whole, files.sums), textOf(whole, files.manifest)),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const parse of [parseManifest, parsePersonalLine, parseSums]) {
          expect(["no error", "integrity"]).toContain(codeOf(() => parse(input)));
        }
      }),
    );
  });

  it("give the manifest back as it was written", () => {
    const manifest = parseManifest(textOf(whole, files.manifest));
    const filter = { since: 5, until: 7_000, actor: "a", key: "k", operation: "key" };
    expect(parseManifest(formatManifest({ ...manifest, filter }))).toEqual({ ...manifest, filter });
    expect(parseManifest(formatManifest(manifest))).toEqual(manifest);
  });

  it("refuse a filter that is not one", () => {
    const manifest: Record<string, unknown> = JSON.parse(textOf(whole, files.manifest));
    for (const filter of [null, [], "x", { actor: 1 }, { since: "yesterday" }, { other: "x" }]) {
      expect(codeOf(() => parseManifest(JSON.stringify({ ...manifest, filter })))).toBe("integrity");
    }
  });
});
