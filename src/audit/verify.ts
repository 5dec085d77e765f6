import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import { parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { entryBytesMax, parseEntry, tenantOf } from "./entry.ts";
import { hashLength, leafHashInto, TreeHasher } from "./merkle.ts";
import type { TreeHead } from "./merkle.ts";
import { keyId } from "./public-key.ts";

export type Integrity = "ok" | "broken";
export type Completeness = "ok" | "unknown" | "truncated";

/**
 * How much of each entry is read. `frame`: its ends, its log and its number stand where they must, and every byte is
 * hashed. `full`: `parseEntry` too, at a third of the speed or less; needed only for entries that no checkpoint signs.
 */
export type ReadDepth = "frame" | "full";

export interface LogExpectation {
  log: string;
  /** Heads whose signatures were verified, in any order. */
  checkpoints: readonly TreeHead[];
  /** The largest head that this client has seen; null when it has seen none. */
  remembered: TreeHead | null;
  /** `frame` by default. */
  depth?: ReadDepth;
}

/** What a log was found to be. */
export interface LogVerdict {
  log: string;
  /** Entries that were read. */
  size: number;
  /** Root over the bytes that were read, 32 bytes. */
  root: Uint8Array;
  integrity: Integrity;
  completeness: Completeness;
  /**
   * The first entry that is wrong. When a whole stretch was rewritten consistently, no single entry can be blamed: then the
   * first of the stretch, which begins where the last checkpoint agreed.
   */
  firstBadSeq: number | null;
  /** One sentence on it; null when all is well. */
  problem: string | null;
}

interface Expected extends TreeHead {
  isRemembered: boolean;
}

/** Checks a log as it is streamed past, entry by entry in order, in constant memory. */
export class LogVerifier {
  readonly #log: string;
  readonly #depth: ReadDepth;
  readonly #remembered: TreeHead | null;
  readonly #expected: readonly Expected[];
  /** What follows an entry's number in this log. */
  readonly #afterSeq: Uint8Array;
  readonly #tree = new TreeHasher();
  readonly #leaf = Buffer.alloc(hashLength);
  #nextExpected = 0;
  #agreedSize = 0;
  #nextSeq = 0;
  #rememberedDiffers = false;
  #firstBadSeq: number | null = null;
  #problem: string | null = null;

  constructor(expectation: LogExpectation) {
    this.#log = expectation.log;
    this.#depth = expectation.depth ?? "frame";
    this.#remembered = expectation.remembered;
    this.#expected = allExpected(expectation);
    this.#afterSeq = Buffer.from(`,"tenant":${JSON.stringify(tenantOf(expectation.log))},"tool":"`);
    this.#compareHeads();
  }

  /** Entries so far. */
  get size(): number {
    return this.#tree.size;
  }

  /**
   * The next entry, with the leaf that was stored beside it if there is one. False once something is wrong: the caller may
   * stop, or go on to learn the size.
   */
  add(seq: number, bytes: Uint8Array, storedLeaf?: Uint8Array): boolean {
    if (seq !== this.#nextSeq)
      this.#blame(this.#nextSeq, `entry ${this.#nextSeq} is missing: entry ${seq} follows`);
    this.#nextSeq = seq + 1;
    this.#checkBytes(seq, bytes);
    leafHashInto(bytes, this.#leaf, 0);
    if (storedLeaf !== undefined && this.#leaf.compare(storedLeaf) !== 0) {
      this.#blame(seq, `entry ${seq} is not what was appended: its leaf differs`);
    }
    this.#tree.append(this.#leaf);
    this.#compareHeads();
    return this.#problem === null;
  }

  /** The verdict over what was added. */
  finish(): LogVerdict {
    const size = this.#tree.size;
    return {
      log: this.#log,
      size,
      root: this.#tree.root(),
      integrity: this.#problem === null ? "ok" : "broken",
      completeness: judgeCompleteness({
        size,
        remembered: this.#remembered,
        rememberedDiffers: this.#rememberedDiffers,
        signedSize: this.#expected.at(-1)?.size ?? 0,
      }),
      firstBadSeq: this.#firstBadSeq,
      problem: this.#problem,
    };
  }

  #checkBytes(seq: number, bytes: Uint8Array): void {
    const isFull = this.#depth === "full";
    const wrong = isFull ? wrongParse(bytes, this.#log, seq) : wrongFrame(bytes, this.#afterSeq, seq);
    if (wrong !== null) this.#blame(seq, `entry ${seq} ${wrong}`);
  }

  #compareHeads(): void {
    for (;;) {
      const head = this.#expected[this.#nextExpected];
      if (head === undefined || head.size !== this.#tree.size) return;
      this.#nextExpected += 1;
      if (Buffer.compare(head.root, this.#tree.root()) === 0) {
        this.#agreedSize = head.size;
        continue;
      }
      this.#rememberedDiffers ||= head.isRemembered;
      const what = head.isRemembered ? "the checkpoint that was seen before" : "the signed checkpoint";
      const stretch = `between ${this.#agreedSize} and ${Math.max(head.size - 1, 0)}`;
      this.#blame(
        this.#agreedSize,
        `an entry ${stretch} was changed: the root at ${head.size} is not that of ${what}`,
      );
    }
  }

  #blame(seq: number, problem: string): void {
    if (this.#problem !== null) return;
    this.#firstBadSeq = seq;
    this.#problem = problem;
  }
}

/** What can be said of the end of a log. A signed head that is larger than the log is as good a witness as our own memory. */
export function judgeCompleteness(seen: {
  size: number;
  remembered: TreeHead | null;
  /** True when the log has another root at the remembered size. */
  rememberedDiffers: boolean;
  /** Of the largest signed checkpoint. */
  signedSize: number;
}): Completeness {
  if (seen.signedSize > seen.size || seen.rememberedDiffers) return "truncated";
  if (seen.remembered === null) return "unknown";
  return seen.remembered.size > seen.size ? "truncated" : "ok";
}

/**
 * Verifies stored notes against the keys that this store's checkpoints may be signed with. Answers the heads in ascending order of
 * size, and the first problem as a sentence.
 */
export function readCheckpoints(
  notes: Iterable<string>,
  trust: { origin: string; publicKeys: readonly Uint8Array[] },
): { checkpoints: Checkpoint[]; problem: string | null } {
  const checkpoints: Checkpoint[] = [];
  let problem: string | null = null;
  for (const note of notes) {
    try {
      checkpoints.push(verifyByAny(note, trust));
    } catch (error) {
      if (!isKeyctlError(error)) throw error;
      problem ??= error.message;
    }
  }
  return { checkpoints: checkpoints.toSorted((a, b) => a.size - b.size), problem };
}

/** The checkpoint, when one of the keys signed it under this origin; throws `integrity` otherwise. */
export function verifyByAny(
  note: string,
  trust: { origin: string; publicKeys: readonly Uint8Array[] },
): Checkpoint {
  const { origin, signatures } = parseCheckpoint(note);
  if (origin !== trust.origin) {
    throw new KeyctlError("integrity", "a checkpoint cannot be trusted: it is of another log");
  }
  const signer = trust.publicKeys.find((key) => {
    const id = keyId(key);
    return signatures.some((signature) => Buffer.compare(signature.keyId, id) === 0);
  });
  if (signer === undefined) {
    throw new KeyctlError(
      "integrity",
      "a checkpoint cannot be trusted: it is signed by a key that this store does not have",
    );
  }
  return verifyCheckpoint(note, signer);
}

function allExpected(expectation: LogExpectation): Expected[] {
  const { remembered } = expectation;
  const signed = expectation.checkpoints.map((head) => ({ ...head, isRemembered: false }));
  const own = remembered === null ? [] : [{ ...remembered, isRemembered: true }];
  return [...signed, ...own].toSorted((a, b) => a.size - b.size);
}

function wrongParse(bytes: Uint8Array, log: string, seq: number): string | null {
  try {
    const entry = parseEntry(bytes);
    return entry.seq === seq && entry.log === log ? null : otherPlace;
  } catch (error) {
    if (isKeyctlError(error)) return `cannot be read (${error.message})`;
    throw error;
  }
}

const otherPlace = "carries another number or is of another log";
const openBrace = 0x7b;
const letterQ = 0x71;
const seqName = Buffer.from('"seq":');
const versionEnd = Buffer.from(',"v":1}');

/**
 * Looks at an entry without decoding it. In canonical order nothing but text, numbers and transitions follows the entry's
 * number: the last `"seq":` is its own, whatever `before` and `after` hold, since quotes in text are escaped.
 */
function wrongFrame(bytes: Uint8Array, afterSeq: Uint8Array, seq: number): string | null {
  if (bytes.length > entryBytesMax) return `is longer than ${entryBytesMax} bytes`;
  const end = bytes.length - versionEnd.length;
  if (end < 0 || bytes[0] !== openBrace || !standsAt(bytes, versionEnd, end)) {
    return "is not an audit entry of version 1";
  }
  let at = end;
  // The rarest letter of the name first: this loop runs over some hundred bytes of every entry.
  while (at > 0 && (bytes[at + 3] !== letterQ || !standsAt(bytes, seqName, at))) at -= 1;
  at += seqName.length;
  const digits = String(seq);
  for (let place = 0; place < digits.length; place += 1) {
    if (bytes[at + place] !== digits.charCodeAt(place)) return otherPlace;
  }
  return standsAt(bytes, afterSeq, at + digits.length) ? null : otherPlace;
}

/** A loop, because the buffer's own search and comparison cost more than the hash at such lengths. */
function standsAt(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  for (let place = 0; place < wanted.length; place += 1) {
    if (bytes[at + place] !== wanted[place]) return false;
  }
  return true;
}
