import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  appendLeaf,
  auditTree,
  emptyFrontier,
  emptyRoot,
  formatFrontier,
  frontierRoot,
  leafHash,
  parseFrontier,
  TreeHasher,
} from "../../src/audit/merkle.ts";
import type { Frontier } from "../../src/audit/merkle.ts";
import { codeOf } from "./refusals.ts";
import { naiveRoot } from "./sample-log.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const leafOf = (text: string): Uint8Array => leafHash(Buffer.from(text, "hex"));

/** The tree of the reference implementations of RFC 6962: eight inputs, and the root after each. */
const inputs = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

describe("the Merkle tree", () => {
  it("has the roots that RFC 6962 implementations agree on", () => {
    let frontier: Frontier = emptyFrontier;
    const stream = new TreeHasher();
    inputs.forEach((input, place) => {
      frontier = appendLeaf(frontier, leafOf(input));
      stream.append(leafOf(input));
      expect(hex(frontierRoot(frontier))).toBe(roots[place]);
      expect(hex(stream.root())).toBe(roots[place]);
    });
  });

  it("has SHA-256 of nothing as the root of the empty tree", () => {
    expect(hex(emptyRoot())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(frontierRoot(emptyFrontier)).toEqual(emptyRoot());
    expect(new TreeHasher().root()).toEqual(emptyRoot());
  });

  it("gives the same root by definition, by stream and by compact range", () => {
    const leaves = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 70 });
    fc.assert(
      fc.property(leaves, (list) => {
        const stream = new TreeHasher();
        let frontier: Frontier = emptyFrontier;
        let stored: Uint8Array = new Uint8Array(0);
        for (const leaf of list) {
          stream.append(leaf);
          frontier = appendLeaf(frontier, leaf);
          stored = auditTree.append(stored, leaf);
        }
        const root = hex(naiveRoot(list));
        expect(hex(stream.root())).toBe(root);
        expect(hex(frontierRoot(frontier))).toBe(root);
        expect(hex(frontierRoot(parseFrontier(stored)))).toBe(root);
        expect(parseFrontier(formatFrontier(frontier))).toEqual(parseFrontier(stored));
        expect(hex(formatFrontier(stream.frontier()))).toBe(hex(stored));
        expect(stream.size).toBe(list.length);
      }),
      { numRuns: 60 },
    );
  });

  it("hashes an entry of any length, also past the scratch space", () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 100_000]) {
      const bytes = Buffer.alloc(length, 7);
      expect(hex(leafHash(bytes)), `${length} bytes`).toBe(
        hash("sha256", Buffer.concat([Buffer.of(0), bytes]), "hex"),
      );
    }
  });

  it("stores its compact range in one known form", () => {
    const [a, b, c] = ["", "00", "10"].map(leafOf);
    const three = [a, b, c].reduce<Uint8Array>(
      (bytes, leaf) => auditTree.append(bytes, leaf ?? leafOf("")),
      new Uint8Array(0),
    );
    expect(hex(three)).toBe(`4b414631${"0000000000000003"}${roots[1] ?? ""}${hex(leafOf("10"))}`);
    expect(formatFrontier(emptyFrontier)).toHaveLength(0);
  });

  it("refuses a stored range that is not exactly one", () => {
    const good = auditTree.append(new Uint8Array(0), leafOf("00"));
    const bad = [
      good.subarray(1),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.alloc(32)]),
      Buffer.concat([Buffer.from("KAF2"), good.subarray(4)]),
      Buffer.concat([Buffer.from("KAF1"), Buffer.alloc(8)]),
      Buffer.concat([Buffer.from("KAF1"), Buffer.alloc(8, 0xff), Buffer.alloc(64 * 32)]),
    ];
    for (const bytes of bad) expect(codeOf(() => parseFrontier(bytes))).toBe("integrity");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(["no error", "integrity"]).toContain(codeOf(() => parseFrontier(bytes)));
      }),
    );
  });

  it("refuses a leaf that is no hash, and a range that contradicts itself", () => {
    expect(codeOf(() => new TreeHasher().append(Buffer.alloc(31)))).toBe("integrity");
    expect(codeOf(() => appendLeaf(emptyFrontier, Buffer.alloc(33)))).toBe("integrity");
    expect(codeOf(() => appendLeaf({ size: 3, nodes: [] }, Buffer.alloc(32)))).toBe("integrity");
  });
});
