import { hash, verify } from "node:crypto";
import { KeyctlError } from "../core/errors.ts";
import { derToRaw, rawToDer } from "./ecdsa-signature.ts";
import { hashLength } from "./merkle.ts";
import type { TreeHead } from "./merkle.ts";
import { keyId, openP256 } from "./public-key.ts";

/** A log's size and root, under the log's worldwide name. */
export interface Checkpoint extends TreeHead {
  /** `keyctl/<store uuid>/<log>` */
  origin: string;
}

export interface NoteSignature {
  /** Who signed, as the line says: ours has the origin's name. */
  name: string;
  keyId: Uint8Array;
  /** DER, ECDSA P-256 over SHA-256 of the body. */
  der: Uint8Array;
}

/** A signed note, read but not verified. */
export interface SignedCheckpoint extends Checkpoint {
  signatures: readonly NoteSignature[];
}

const noteCharactersMax = 16_384;
const signaturesMax = 16;
const originShape = /^keyctl\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([0-9A-Za-z._-]{1,64})$/u;
const utf8 = new TextEncoder();

/** The log's name that no other store's log has: `keyctl/<store uuid>/<log>`. */
export function origin(storeUuid: string, log: string): string {
  const text = `keyctl/${storeUuid}/${log}`;
  parseOrigin(text);
  return text;
}

/** The two parts of an origin; throws `integrity` for anything else. */
export function parseOrigin(text: string): { storeUuid: string; log: string } {
  const [, storeUuid, log] = originShape.exec(text) ?? [];
  if (storeUuid === undefined || log === undefined) throw notANote("its origin is not keyctl/<store>/<log>");
  return { storeUuid, log };
}

/** What is signed: `origin\nsize\nbase64(root)\n` (C2SP tlog-checkpoint). */
export function noteBody(checkpoint: Checkpoint): Uint8Array {
  const { size, root } = checkpoint;
  if (!Number.isSafeInteger(size) || size < 0 || root.length !== hashLength) {
    throw new KeyctlError("failure", "a checkpoint needs a size and a root of 32 bytes");
  }
  parseOrigin(checkpoint.origin);
  return utf8.encode(`${checkpoint.origin}\n${size}\n${base64(root)}\n`);
}

/** SHA-256 of the body, 32 bytes, for a vault that signs digests. */
export function noteDigest(checkpoint: Checkpoint): Uint8Array {
  return hash("sha256", noteBody(checkpoint), "buffer");
}

/**
 * The signed note (C2SP signed-note): body, blank line, `— origin base64(keyid4 ‖ DER)`. Takes the vault's r‖s and
 * the public key it belongs to, and throws `integrity` when the two do not fit: a note that nobody can verify is never stored.
 */
export function formatCheckpoint(
  checkpoint: Checkpoint,
  signed: { raw: Uint8Array; spkiDer: Uint8Array },
): string {
  const body = Buffer.from(noteBody(checkpoint)).toString("utf8");
  const bytes = Buffer.concat([keyId(signed.spkiDer), rawToDer(signed.raw)]);
  const note = `${body}\n— ${checkpoint.origin} ${base64(bytes)}\n`;
  verifyCheckpoint(note, signed.spkiDer);
  return note;
}

/** Reads a note without verifying it; throws `integrity` for anything that is not exactly a checkpoint of ours. */
export function parseCheckpoint(note: string): SignedCheckpoint {
  if (note.length > noteCharactersMax) throw notANote("it is too long");
  const [name = "", sizeText = "", rootText = "", blank, ...lines] = note.split("\n");
  if (blank !== "" || lines.pop() !== "") throw notANote("its lines are not those of a checkpoint");
  parseOrigin(name);
  const size = /^(?:0|[1-9][0-9]{0,15})$/u.test(sizeText) ? Number(sizeText) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw notANote("its size is not a number");
  const root = fromBase64(rootText);
  if (root?.length !== hashLength) throw notANote("its root is not 32 bytes of base64");
  if (lines.length === 0 || lines.length > signaturesMax) throw notANote("it is not signed");
  return { origin: name, size, root, signatures: lines.map(parseSignature) };
}

/**
 * The checkpoint, when the key signed it. Lines of other signers (witnesses) are left aside, as C2SP signed-note asks; every
 * line that names this key must verify, and one must be there. Throws `integrity` otherwise.
 */
export function verifyCheckpoint(note: string, spkiDer: Uint8Array): Checkpoint {
  const { signatures, ...checkpoint } = parseCheckpoint(note);
  const id = keyId(spkiDer);
  const ours = signatures.filter(
    (signature) => signature.name === checkpoint.origin && Buffer.compare(signature.keyId, id) === 0,
  );
  if (ours.length === 0) throw notANote("it is not signed by this key");
  const key = openP256(spkiDer);
  const body = noteBody(checkpoint);
  for (const { der } of ours) {
    // r‖s of the strict reading: the same signature in a second spelling is not taken.
    if (!verify("sha256", body, { key, dsaEncoding: "ieee-p1363" }, derToRaw(der))) {
      throw notANote("its signature is wrong");
    }
  }
  return checkpoint;
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^\s+]{1,256}) ([A-Za-z0-9+/=]{1,1024})$/u.exec(line) ?? [];
  const bytes = fromBase64(encoded ?? "");
  if (name === undefined || bytes === null || bytes.length < 5)
    throw notANote("a signature line cannot be read");
  return { name, keyId: bytes.subarray(0, 4), der: bytes.subarray(4) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Null unless it is the one base64 spelling of its bytes. */
function fromBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

function notANote(why: string): KeyctlError {
  return new KeyctlError("integrity", `a checkpoint cannot be trusted: ${why}`);
}
