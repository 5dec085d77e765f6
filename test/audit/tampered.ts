import { bundleFiles as files } from "../../src/audit/bundle.ts";
import { jsonlLine } from "../../src/audit/views.ts";
import { flipBit, newSigner, sampleEntry } from "./sample-log.ts";
import type { Signer } from "./sample-log.ts";
import { resummed, sampleBundle, textOf, withFile } from "./sample-bundle.ts";
import type { BundleContent } from "./sample-bundle.ts";

/** Forgeries that both verifiers must refuse; checksums are made to fit, so that something else has to notice. */
export function tamperedBundles(signer: Signer): Map<string, BundleContent> {
  const whole = sampleBundle(signer, { size: 12 });
  const filtered = sampleBundle(signer, { size: 12, shows: (seq) => seq % 3 === 0 });
  const personal = sampleBundle(signer, { size: 12, withPersonal: true });
  const lines = textOf(whole, files.entries).split("\n").slice(0, -1);
  const leaves = whole.get(files.leaves) ?? new Uint8Array(0);
  const manifest: Record<string, unknown> = JSON.parse(textOf(whole, files.manifest));
  const withLines = (list: readonly string[]): BundleContent =>
    withFile(whole, files.entries, list.map((line) => `${line}\n`).join(""));
  const withManifest = (changes: Record<string, unknown>): BundleContent =>
    withFile(whole, files.manifest, JSON.stringify({ ...manifest, ...changes }));
  const opened = textOf(personal, files.personal);
  return new Map([
    [
      "an entry changed",
      withLines(lines.map((line) => line.replace('"seq":4,', '"seq":4,').replace("stripe", "strope"))),
    ],
    ["an entry left out without a filter", withLines(lines.filter((_, seq) => seq !== 5))],
    [
      "the last entry left out, and the manifest made to fit",
      withEntriesOf(withLines(lines.slice(0, -1)), 11),
    ],
    ["entries in another order", withLines(lines.toReversed())],
    ["an entry twice", withLines([lines[0] ?? "", ...lines])],
    ["an entry past the end", withLines([...lines, textLine(12)])],
    ["an entry that is no JSON", withLines(lines.map((line, seq) => (seq === 3 ? "}" : line)))],
    ["an entry without a number", withLines(lines.map((line) => line.replace(/"seq":\d+,/u, "")))],
    ["an entry nested too deep", withLines(["[".repeat(60_000)])],
    ["a line too long", withLines([`{"x":"${"y".repeat(70_000)}"}`])],
    ["a last line cut off", withFile(whole, files.entries, textOf(whole, files.entries).slice(0, -1))],
    ["bytes that are no text", withFile(whole, files.entries, Buffer.of(0xff, 0xfe, 0x0a))],
    ["a leaf changed", withFile(whole, files.leaves, flipBit(leaves, 1_000))],
    ["a leaf removed", withFile(whole, files.leaves, leaves.subarray(32))],
    ["a leaf cut off", withFile(whole, files.leaves, leaves.subarray(0, -1))],
    ["a leaf added", withFile(whole, files.leaves, Buffer.concat([leaves, Buffer.alloc(32)]))],
    ["a leaf added and cut off", withFile(whole, files.leaves, Buffer.concat([leaves, Buffer.alloc(31)]))],
    ["no leaves", withFile(whole, files.leaves, "")],
    ["entries of another log, signed", sampleBundle(signer, { size: 3, log: "system" })],
    [
      "a filtered entry changed",
      withFile(filtered, files.entries, textOf(filtered, files.entries).replace("prod", "demo")),
    ],
    [
      "another size signed",
      withFile(whole, files.checkpoint, textOf(whole, files.checkpoint).replace("\n12\n", "\n11\n")),
    ],
    [
      "a checkpoint of another log",
      withFile(
        whole,
        files.checkpoint,
        textOf(whole, files.checkpoint).replaceAll("aaaaaaaaaaaa ", "aaaaaaaaaaab "),
      ),
    ],
    [
      "a checkpoint without a signature",
      withFile(whole, files.checkpoint, textOf(whole, files.checkpoint).replace(/\n—[^\n]*\n/u, "\n")),
    ],
    ["an empty checkpoint", withFile(whole, files.checkpoint, "")],
    [
      "another key inside",
      withFile(whole, files.publicKey, textOf(sampleBundle(newSigner(), { size: 1 }), files.publicKey)),
    ],
    ["two keys inside", withFile(whole, files.publicKey, textOf(whole, files.publicKey).repeat(2))],
    ["no key inside", withFile(whole, files.publicKey, "hello")],
    ["a manifest of another size", withManifest({ size: 13 })],
    ["a manifest of another origin", withManifest({ origin: "keyctl/other/log" })],
    ["a manifest of another key", withManifest({ fingerprint: "00".repeat(32) })],
    ["a manifest of another format", withManifest({ format: "keyctl-audit-bundle/2" })],
    ["a manifest that counts wrong", withManifest({ entries: 11 })],
    ["a manifest with a hole", withManifest({ entries: null })],
    ["a manifest that is a list", withFile(whole, files.manifest, "[]")],
    ["a manifest that is no JSON", withFile(whole, files.manifest, "{")],
    ["a file missing", withFile(whole, files.manifest, null)],
    ["a file changed", new Map(whole).set(files.guide, Buffer.from("trust me"))],
    ["no checksums", withFile(whole, files.sums, null)],
    ["empty checksums", withFile(whole, files.sums, "\n")],
    [
      "checksums of a file elsewhere",
      withFile(whole, files.sums, `${textOf(whole, files.sums)}${"0".repeat(64)}  ../passwd\n`),
    ],
    ["checksums twice", withFile(whole, files.sums, textOf(whole, files.sums).repeat(2))],
    [
      "personal data of another value",
      withFile(personal, files.personal, opened.replace("192.0.2.3", "192.0.2.4")),
    ],
    [
      "personal data of a field that is not committed to",
      withFile(personal, files.personal, opened.replace('"ip"', '"eye"')),
    ],
    [
      "personal data of an entry that is not there",
      withFile(personal, files.personal, opened.replace('"seq":11', '"seq":99')),
    ],
    ["personal data that cannot be read", withFile(personal, files.personal, "{}\n")],
    ["personal data missing", withFile(personal, files.personal, null)],
    ["everything empty", resummed(new Map([...whole.keys()].map((name) => [name, new Uint8Array(0)])))],
  ]);
}

function withEntriesOf(content: BundleContent, entries: number): BundleContent {
  const manifest: Record<string, unknown> = JSON.parse(textOf(content, files.manifest));
  return withFile(content, files.manifest, JSON.stringify({ ...manifest, entries }));
}

function textLine(seq: number): string {
  return Buffer.from(jsonlLine(sampleEntry(seq)))
    .toString("utf8")
    .trimEnd();
}
