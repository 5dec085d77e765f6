import { hash } from "node:crypto";
import { bundleFiles, formatManifest, formatPersonalLine, formatSum } from "../../src/audit/bundle.ts";
import type { BundleFile, BundleManifest, PersonalLine, SummedFile } from "../../src/audit/bundle.ts";
import { commitPersonal, entryBytes, formatEntryParts } from "../../src/audit/entry.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { fingerprint, formatPem } from "../../src/audit/public-key.ts";
import type { BundleSource } from "../../src/audit/verify-bundle.ts";
import { verifyGuide } from "../../src/audit/verify-guide.ts";
import { verifyScript } from "../../src/audit/verify-script.ts";
import { jsonlLine } from "../../src/audit/views.ts";
import { checkpointOf, sampleDraft, signedNote, treeOf } from "./sample-log.ts";
import type { Signer } from "./sample-log.ts";

/** A bundle in memory. */
export type BundleContent = Map<BundleFile, Uint8Array>;

export interface SampleBundleOptions {
  /** Entries of the log. */
  size: number;
  /** Which of them are exported; all by default. */
  shows?: (seq: number) => boolean;
  withPersonal?: boolean;
  /** The log that the checkpoint names; that of the entries by default. */
  log?: string;
}

const salt = Buffer.alloc(32, 9);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function personalOf(seq: number): PersonalLine {
  return { seq, field: "ip", salt, value: `192.0.2.${seq} ü` };
}

function entryOf(seq: number): Uint8Array {
  const { field, value } = personalOf(seq);
  const personal = { [field]: Buffer.from(commitPersonal(salt, field, value)).toString("hex") };
  return entryBytes(formatEntryParts(sampleDraft({ ts: 1_790_000_000_000 + seq, personal })), seq);
}

/** A bundle as an export would write it. */
export function sampleBundle(signer: Signer, options: SampleBundleOptions): BundleContent {
  const log = Array.from({ length: options.size }, (_, seq) => entryOf(seq));
  const shows = options.shows ?? (() => true);
  const shown = log.map((bytes, seq) => ({ bytes, seq })).filter(({ seq }) => shows(seq));
  const checkpoint = checkpointOf(treeOf(log), options.log);
  const manifest: BundleManifest = {
    ...checkpoint,
    log: checkpoint.origin.split("/")[2] ?? "",
    entries: shown.length,
    filter: options.shows === undefined ? {} : { operation: "key.rotate", since: 0 },
    createdAt: 1_790_000_000_000,
    tool: "keyctl 0.1.0",
    fingerprint: fingerprint(signer.spkiDer),
    hasPersonalData: options.withPersonal === true,
  };
  const content: BundleContent = new Map([
    [bundleFiles.entries, Buffer.concat(shown.map(({ bytes }) => jsonlLine(bytes)))],
    [bundleFiles.leaves, Buffer.concat(log.map(leafHash))],
    [bundleFiles.checkpoint, bytesOf(signedNote(checkpoint, signer))],
    [bundleFiles.publicKey, bytesOf(formatPem(signer.spkiDer))],
    [bundleFiles.manifest, bytesOf(formatManifest(manifest))],
    [bundleFiles.guide, bytesOf(verifyGuide(manifest))],
    [bundleFiles.script, bytesOf(verifyScript)],
  ]);
  if (options.withPersonal === true) {
    content.set(
      bundleFiles.personal,
      bytesOf(shown.map(({ seq }) => formatPersonalLine(personalOf(seq))).join("")),
    );
  }
  return resummed(content);
}

/** The bundle with SHA256SUMS made anew, as a forger would. */
export function resummed(content: BundleContent): BundleContent {
  const files = new Map(content);
  files.delete(bundleFiles.sums);
  const sums = [...files].map(([name, bytes]) =>
    formatSum(name as SummedFile, hash("sha256", bytes, "buffer")),
  );
  return files.set(bundleFiles.sums, bytesOf(sums.join("")));
}

/** The bundle with one file replaced (null: removed), its checksums made to fit. */
export function withFile(
  content: BundleContent,
  name: BundleFile,
  bytes: Uint8Array | string | null,
): BundleContent {
  const files = new Map(content);
  if (bytes === null) files.delete(name);
  else files.set(name, typeof bytes === "string" ? bytesOf(bytes) : bytes);
  return name === bundleFiles.sums ? files : resummed(files);
}

export function textOf(content: BundleContent, name: BundleFile): string {
  return Buffer.from(content.get(name) ?? []).toString("utf8");
}

/** Reads the bundle in chunks of `chunkBytes`, as a file would come. */
export function sourceOf(content: BundleContent, chunkBytes = 1_000): BundleSource {
  return async (name) => {
    const bytes = content.get(name);
    return bytes === undefined ? null : chunks(bytes, chunkBytes);
  };
}

async function* chunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes)
    yield bytes.subarray(start, start + chunkBytes);
}
