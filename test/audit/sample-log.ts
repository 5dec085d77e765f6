import { generateKeyPairSync, hash, sign } from "node:crypto";
import { formatCheckpoint, noteBody, origin } from "../../src/audit/checkpoint.ts";
import type { Checkpoint } from "../../src/audit/checkpoint.ts";
import { entryBytes, formatEntryParts } from "../../src/audit/entry.ts";
import type { AuditDraft } from "../../src/audit/entry.ts";
import { leafHash, TreeHasher } from "../../src/audit/merkle.ts";

/** Entries, keys and signatures that the audit tests share. */

export const storeUuid = "01935f5e-8a2b-7c3d-9e4f-0123456789ab";
export const tenantId = "01935f5e-8a2b-7c3d-9e4f-aaaaaaaaaaaa";
export const keyUuid = "01935f5e-8a2b-7c3d-9e4f-bbbbbbbbbbbb";
export const actorId = "01935f5e-8a2b-7c3d-9e4f-cccccccccccc";

export function sampleDraft(changes: Partial<AuditDraft> = {}): AuditDraft {
  return {
    log: tenantId,
    ts: 1_790_000_000_000,
    id: "01935f5e-8a2b-7c3d-9e4f-dddddddddddd",
    operation: "key.rotate",
    phase: "outcome",
    outcome: "success",
    sensitivity: "HIGH",
    actor: actorId,
    auth: "os-user, not authenticated",
    tenant: tenantId,
    key: { id: keyUuid, name: "stripe", env: "prod", kind: "issued" },
    transitions: [
      { version: 1, from: "active", to: "rotated" },
      { version: 2, from: "pending", to: "active" },
    ],
    before: { activeVersion: 1 },
    after: { activeVersion: 2, tags: { team: 'zürich "a"' } },
    reason: null,
    correlationId: "c-1",
    durationMs: 12,
    tool: "keyctl 0.1.0",
    personal: { login: "ab".repeat(32) },
    blind: "0123456789abcdef".repeat(2),
    ...changes,
  };
}

/** Bytes of entry `seq`; two sequence numbers never give the same. */
export function sampleEntry(seq: number, changes: Partial<AuditDraft> = {}): Uint8Array {
  return entryBytes(formatEntryParts(sampleDraft({ ts: 1_790_000_000_000 + seq, ...changes })), seq);
}

export function sampleLog(size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, seq) => sampleEntry(seq));
}

export function treeOf(entries: readonly Uint8Array[]): TreeHasher {
  const tree = new TreeHasher();
  for (const entry of entries) tree.append(leafHash(entry));
  return tree;
}

/** RFC 9162 §2.1.1, word by word: what the fast code is compared with. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hash("sha256", Buffer.alloc(0), "buffer");
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split))];
  return hash("sha256", Buffer.concat([Buffer.of(1), ...halves]), "buffer");
}

export interface Signer {
  spkiDer: Uint8Array;
  raw(body: Uint8Array): Uint8Array;
}

export function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    spkiDer: publicKey.export({ format: "der", type: "spki" }),
    raw: (body) => sign("sha256", body, { key: privateKey, dsaEncoding: "ieee-p1363" }),
  };
}

export function checkpointOf(tree: TreeHasher, log = tenantId): Checkpoint {
  return { origin: origin(storeUuid, log), size: tree.size, root: tree.root() };
}

export function signedNote(checkpoint: Checkpoint, signer: Signer): string {
  return formatCheckpoint(checkpoint, { raw: signer.raw(noteBody(checkpoint)), spkiDer: signer.spkiDer });
}

/** The same bytes with one bit turned. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8) % flipped.length;
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}
