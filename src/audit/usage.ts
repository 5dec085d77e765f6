import { KeyctlError } from "../core/errors.ts";
import { uuidBytes } from "../core/uuid.ts";
import { leafHash, TreeHasher } from "./merkle.ts";

/** One validation, as a batch hashes it. */
export interface UsageRow {
  /** UUID text */
  keyId: string;
  version: number;
  /** Milliseconds since the epoch, UTC. */
  at: number;
  requestId: string | null;
}

const magic = Buffer.from("KCU1");
const fixedBytes = 4 + 16 + 4 + 8 + 2;
const none = 0xffff;

/** `"KCU1" ‖ key16 ‖ u32 version ‖ u64 at ‖ u16 length ‖ request id`, numbers BE; without a request id the length is ffff. `integrity` for more. */
export function usageBytes(row: UsageRow, key16 = uuidBytes(row.keyId)): Uint8Array {
  const { version, at, requestId } = row;
  const id = requestId === null ? null : Buffer.from(requestId);
  if (!isWithin(version, 2 ** 32) || !isWithin(at, Number.MAX_SAFE_INTEGER) || (id?.length ?? 0) >= none) {
    throw new KeyctlError("integrity", "a validation in the store is one that keyctl never writes", {
      hint: "keyctl audit-verify --state",
    });
  }
  const bytes = Buffer.alloc(fixedBytes + (id?.length ?? 0));
  bytes.set(magic, 0);
  bytes.set(key16, 4);
  bytes.writeUInt32BE(version, 20);
  bytes.writeBigUInt64BE(BigInt(at), 24);
  bytes.writeUInt16BE(id?.length ?? none, 32);
  if (id !== null) bytes.set(id, fixedBytes);
  return bytes;
}

function isWithin(value: number, end: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < end;
}

/** The Merkle root of a batch's rows in their order, 32 bytes: what its `usage.batch` entry says in `after.root`. */
export function usageRoot(rows: Iterable<UsageRow>): Uint8Array {
  const tree = new TreeHasher();
  // A batch has many rows of few keys, and reading a UUID takes as long as hashing it.
  const keys = new Map<string, Uint8Array>();
  for (const row of rows) {
    const key16 = keys.get(row.keyId) ?? uuidBytes(row.keyId);
    keys.set(row.keyId, key16);
    tree.append(leafHash(usageBytes(row, key16)));
  }
  return tree.root();
}
