import { createHash, hash } from "node:crypto";
import type { Hash } from "node:crypto";
import { isKeyctlError } from "../core/errors.ts";
import {
  bundleFiles,
  isFiltered,
  notABundle,
  parseManifest,
  parsePersonalLine,
  parseSums,
} from "./bundle.ts";
import type { BundleFile, BundleManifest, PersonalLine, SummedFile } from "./bundle.ts";
import { parseOrigin, verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { commitPersonal, entryBytesMax, parseEntry } from "./entry.ts";
import type { AuditEntry } from "./entry.ts";
import { LeafStream, readAll, splitLines } from "./leaf-stream.ts";
import { leafHash } from "./merkle.ts";
import type { TreeHead } from "./merkle.ts";
import { fingerprint, parsePem } from "./public-key.ts";
import type { Completeness, Integrity } from "./verify.ts";

/** Opens a file of the bundle; null when it is not there. */
export type BundleSource = (name: BundleFile) => Promise<AsyncIterable<Uint8Array> | null>;

export interface BundleTrust {
  /** 64 hex digits, obtained elsewhere; null to believe the key inside. */
  fingerprint: string | null;
  /** The largest head of this origin that this client has seen. */
  recall: (origin: string) => Promise<TreeHead | null>;
}

/** What a bundle was found to be. Fields that could not be read are null or zero. */
export interface BundleVerdict {
  origin: string | null;
  log: string | null;
  /** Entries that the checkpoint signs. */
  size: number;
  root: Uint8Array | null;
  /** Entries that the bundle shows and that were checked. */
  entries: number;
  isFiltered: boolean;
  /** Of the key inside. */
  fingerprint: string | null;
  /** True when that is the fingerprint which was asked for. */
  isTrusted: boolean;
  /** ms UTC, as the manifest says. */
  createdAt: number | null;
  integrity: Integrity;
  /** `ok` only when the bundle reaches as far as what was seen before, and continues it. */
  completeness: Completeness;
  firstBadSeq: number | null;
  problem: string | null;
}

interface Reading {
  open: BundleSource;
  sums: Map<SummedFile, string>;
  verdict: BundleVerdict;
  /** The entry that is being looked at: whatever goes wrong meanwhile is its fault. */
  seq: number | null;
}

const smallFileMax = 1_048_576;
const personalLineMax = 1_048_576;

/**
 * Checks a bundle offline: checksums, signature, root over all leaves, and that each shown entry is the leaf at its number.
 * Streams in constant memory. A bundle that is wrong is a verdict, not an exception; only what `open` throws gets out.
 */
export async function verifyBundle(open: BundleSource, trust: BundleTrust): Promise<BundleVerdict> {
  const verdict = unread();
  const reading: Reading = { open, sums: new Map(), verdict, seq: null };
  try {
    await check(reading, trust);
    verdict.integrity = "ok";
  } catch (error) {
    if (!isKeyctlError(error) || error.code !== "integrity") throw error;
    verdict.problem = error.message;
    verdict.firstBadSeq = reading.seq;
  }
  return verdict;
}

async function check(reading: Reading, trust: BundleTrust): Promise<void> {
  const { verdict } = reading;
  reading.sums = parseSums(text(await readFile(reading, bundleFiles.sums)));
  const spkiDer = parsePem(text(await readSummed(reading, bundleFiles.publicKey)));
  verdict.fingerprint = fingerprint(spkiDer);
  const checkpoint = verifyCheckpoint(text(await readSummed(reading, bundleFiles.checkpoint)), spkiDer);
  Object.assign(verdict, { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root });
  verdict.log = parseOrigin(checkpoint.origin).log;
  if (trust.fingerprint !== null && trust.fingerprint !== verdict.fingerprint) {
    throw notABundle("the bundle is signed by another key than the one whose fingerprint was given");
  }
  verdict.isTrusted = trust.fingerprint !== null;
  const manifest = parseManifest(text(await readSummed(reading, bundleFiles.manifest)));
  verdict.isFiltered = isFiltered(manifest);
  verdict.createdAt = manifest.createdAt;
  checkManifest(manifest, { checkpoint, verdict });
  await readSummed(reading, bundleFiles.guide);
  await readSummed(reading, bundleFiles.script);
  const remembered = await trust.recall(checkpoint.origin);
  await checkEntries(reading, { checkpoint, manifest, remembered });
  if (remembered !== null && remembered.size <= checkpoint.size) verdict.completeness = "ok";
}

function checkManifest(
  manifest: BundleManifest,
  { checkpoint, verdict }: { checkpoint: Checkpoint; verdict: BundleVerdict },
): void {
  const agrees =
    manifest.origin === checkpoint.origin &&
    manifest.log === verdict.log &&
    manifest.size === checkpoint.size &&
    Buffer.compare(manifest.root, checkpoint.root) === 0 &&
    manifest.fingerprint === verdict.fingerprint;
  if (!agrees) throw notABundle("manifest.json does not fit checkpoint.txt and public-key.pem");
}

/** Leaves, entries and personal data are read side by side, each once, in order of sequence number. */
async function checkEntries(
  reading: Reading,
  expected: { checkpoint: Checkpoint; manifest: BundleManifest; remembered: TreeHead | null },
): Promise<void> {
  const { checkpoint, manifest, remembered } = expected;
  const { verdict } = reading;
  const leavesSum = createHash("sha256");
  const entriesSum = createHash("sha256");
  const leaves = new LeafStream(await openSummed(reading, bundleFiles.leaves, leavesSum), remembered);
  const personal = manifest.hasPersonalData ? await PersonalStream.open(reading) : null;
  const lines = splitLines(await openSummed(reading, bundleFiles.entries, entriesSum), entryBytesMax);
  let last = -1;
  for await (const line of lines) {
    const entry = parseEntry(line);
    reading.seq = entry.seq;
    if (entry.seq <= last) throw notABundle("entries.jsonl is not in order");
    last = entry.seq;
    if (entry.log !== verdict.log) throw notABundle(`entry ${entry.seq} is of another log`);
    const leaf = await leaves.at(entry.seq);
    if (leaf === null || Buffer.compare(leaf, leafHash(line)) !== 0) {
      throw notABundle(`entry ${entry.seq} is not the one that the log has there`);
    }
    await personal?.check(entry);
    verdict.entries += 1;
    reading.seq = null;
  }
  const head = await leaves.finish();
  if (head.size !== checkpoint.size || Buffer.compare(head.root, checkpoint.root) !== 0) {
    throw notABundle("leaves.bin does not lead to the root that was signed");
  }
  await personal?.finish();
  assertSum(reading, bundleFiles.leaves, leavesSum.digest("hex"));
  assertSum(reading, bundleFiles.entries, entriesSum.digest("hex"));
  if (verdict.entries !== manifest.entries)
    throw notABundle("manifest.json counts other entries than are here");
  if (!verdict.isFiltered && verdict.entries !== checkpoint.size) {
    throw notABundle("entries are left out, and manifest.json names no filter");
  }
}

/** The opened commitments, in the order of the entries they belong to. */
class PersonalStream {
  readonly #reading: Reading;
  readonly #sum: Hash;
  readonly #lines: AsyncGenerator<Uint8Array>;
  #next: PersonalLine | null = null;

  private constructor(reading: Reading, sum: Hash, lines: AsyncGenerator<Uint8Array>) {
    this.#reading = reading;
    this.#sum = sum;
    this.#lines = lines;
  }

  static async open(reading: Reading): Promise<PersonalStream> {
    const sum = createHash("sha256");
    const content = await openSummed(reading, bundleFiles.personal, sum);
    const stream = new PersonalStream(reading, sum, splitLines(content, personalLineMax));
    await stream.#advance();
    return stream;
  }

  /** Every line about this entry must open a commitment that it has. */
  async check(entry: AuditEntry): Promise<void> {
    for (let line = this.#next; line !== null && line.seq === entry.seq; line = this.#next) {
      const commitment = Buffer.from(commitPersonal(line.salt, line.field, line.value)).toString("hex");
      if (!Object.hasOwn(entry.personal, line.field) || entry.personal[line.field] !== commitment) {
        throw notABundle(
          `personal.jsonl says something of entry ${entry.seq} that the entry does not commit to`,
        );
      }
      await this.#advance();
    }
  }

  async finish(): Promise<void> {
    if (this.#next !== null)
      throw notABundle("personal.jsonl speaks of an entry that is not shown, or is not in order");
    assertSum(this.#reading, bundleFiles.personal, this.#sum.digest("hex"));
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#lines.next();
    this.#next = done === true ? null : parsePersonalLine(text(value));
  }
}

async function readFile({ open }: Reading, name: BundleFile): Promise<Uint8Array> {
  const content = await open(name);
  if (content === null) throw notABundle(`${name} is missing`);
  const bytes = await readAll(content, smallFileMax);
  if (bytes === null) throw notABundle(`${name} is larger than such a file can be`);
  return bytes;
}

async function readSummed(reading: Reading, name: SummedFile): Promise<Uint8Array> {
  const bytes = await readFile(reading, name);
  assertSum(reading, name, hash("sha256", bytes, "hex"));
  return bytes;
}

async function openSummed(reading: Reading, name: SummedFile, sum: Hash): Promise<AsyncIterable<Uint8Array>> {
  const content = await reading.open(name);
  if (content === null) throw notABundle(`${name} is missing`);
  return summing(content, sum);
}

async function* summing(content: AsyncIterable<Uint8Array>, sum: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    sum.update(chunk);
    yield chunk;
  }
}

function assertSum(reading: Reading, name: SummedFile, sum: string): void {
  if (reading.sums.get(name) !== sum) throw notABundle(`${name} is not what SHA256SUMS says`);
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notABundle("a file of the bundle is not UTF-8");
  }
}

function unread(): BundleVerdict {
  return {
    origin: null,
    log: null,
    size: 0,
    root: null,
    entries: 0,
    isFiltered: false,
    fingerprint: null,
    isTrusted: false,
    createdAt: null,
    integrity: "broken",
    completeness: "unknown",
    firstBadSeq: null,
    problem: null,
  };
}
