import { leakTag, leakWindowBytes, rollingBase, rollingHash } from "../core/leak-tag.ts";

/** What is known of a secret that may stand somewhere: enough to recognise it, not to know it. */
export interface KnownTag {
  /** 32 bytes, `core/leak-tag.ts`. */
  tag: Uint8Array;
  /** Of the exact bytes handed out. */
  byteLength: number;
  /** Of its 16-byte window. */
  rollingHash: number;
}

/** Characters of an issued key from its window's first to its last: the secret part and the checksum. */
const issuedTailBytes = 39;

/**
 * Which known secrets stand in the text, wherever they begin and whatever surrounds them: a hash rolls along the text, and
 * only where it is that of a known window an HMAC decides. Each is answered once, in the order of its first place.
 */
export function findTagged<T extends KnownTag>(
  text: Uint8Array,
  leakKey: Uint8Array,
  known: readonly T[],
): T[] {
  const byHash = Map.groupBy(known, (tag) => tag.rollingHash >>> 0);
  const found = new Set<T>();
  for (const [at, hash] of rollingHashes(text, leakKey)) {
    for (const tag of byHash.get(hash) ?? []) {
      if (!found.has(tag) && standsAt(text, leakKey, { tag, window: at })) found.add(tag);
    }
  }
  return [...found];
}

/** The hash of every 16-byte window, left to right. */
function* rollingHashes(text: Uint8Array, leakKey: Uint8Array): Generator<[number, number]> {
  if (text.length < leakWindowBytes) return;
  const base = rollingBase(leakKey);
  let leaving = 1;
  for (let power = 1; power < leakWindowBytes; power += 1) leaving = Math.imul(leaving, base);
  let hash = rollingHash(leakKey, text.subarray(0, leakWindowBytes));
  yield [0, hash];
  for (let at = 1; at + leakWindowBytes <= text.length; at += 1) {
    const out = text[at - 1] ?? 0;
    const next = text[at + leakWindowBytes - 1] ?? 0;
    hash = (Math.imul(hash - Math.imul(out, leaving), base) + next) >>> 0;
    yield [at, hash];
  }
}

/** The window is where the secret begins, or, of an issued key, where its secret part does. */
function standsAt(text: Uint8Array, leakKey: Uint8Array, place: { tag: KnownTag; window: number }): boolean {
  const { tag, window } = place;
  const starts = [window, window - (tag.byteLength - issuedTailBytes)];
  return starts.some((start) => {
    if (start < 0 || start + tag.byteLength > text.length) return false;
    return Buffer.compare(leakTag(leakKey, text.subarray(start, start + tag.byteLength)), tag.tag) === 0;
  });
}
