import { digestOf } from "../core/digest.ts";
import { KeyctlError } from "../core/errors.ts";
import { generateSecret, isTaggable } from "../core/generate-secret.ts";
import { formatIssuedKey, formatPublicId } from "../core/issued-key.ts";
import { leakTag, leakWindow, rollingHash } from "../core/leak-tag.ts";
import type { KeyKind, KeyRecord, VersionRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import { uuidBytes } from "../core/uuid.ts";
import { assertFitsVault, assertNotWeak } from "../core/weak-secret.ts";
import type { Deps } from "./deps.ts";
import type { LeakTag } from "./ports.ts";
import { checkProviderFormat } from "./provider-format.ts";

type ValueDeps = Pick<Deps, "random" | "keyring" | "warn">;

/** The value of a version that is about to be made. */
export interface NewValue {
  /** What the row holds from the start. */
  fields: Pick<VersionRecord, "publicId" | "digest" | "pepperVersion">;
  /** The plaintext, where there is one; an issued key's is what `create` prints. */
  secret: Secret | null;
  /** Only for secrets of 128 bits or more by construction. */
  tag: LeakTag | null;
}

/** The value of a key's next version: an issued key's is drawn, other kinds' come from the source. */
export async function newValue(deps: ValueDeps, key: KeyRecord, source: ValueSource): Promise<NewValue> {
  const version = key.lastVersion;
  if (key.kind === "issued") return await issueValue(deps, key, version);
  return await givenValue(deps, { ...source, key, version });
}

/** Draws a new issued key: 10 random bytes of public id, 24 of secret; only the digest stays. */
async function issueValue(deps: ValueDeps, key: KeyRecord, version: number): Promise<NewValue> {
  const prefix = key.prefix ?? "kc_live";
  const id10 = deps.random.bytes(10);
  const secret24 = deps.random.bytes(24);
  const secret = formatIssuedKey({ prefix, id10, secret24 });
  const root = await deps.keyring.current();
  const digest = digestOf(root.keys.verifierKey, {
    tenant16: uuidBytes(key.tenantId),
    prefix,
    id10,
    secret24,
  });
  const fields = { publicId: formatPublicId(id10), digest, pepperVersion: root.version };
  return { fields, secret, tag: await tagOf(deps, { key, version, secret, issued: true }) };
}

/** Where a value comes from that keyctl does not issue itself. */
export interface ValueSource {
  /** Given by a person; null for the kinds that make their own, and with `generateLength`. */
  secret: Secret | null;
  generateLength: number | null;
}

/** Refuses a source that the kind does not take, a missing one, two at once, and a weak value. */
export function assertSource(kind: KeyKind, source: ValueSource): void {
  const { secret, generateLength } = source;
  const isGiven = secret !== null || generateLength !== null;
  if (kind === "issued" || kind === "encryption") {
    if (!isGiven) return;
    throw new KeyctlError("usage", `a key of kind ${kind} makes its own value`, {
      hint: "leave --from-file and --generate out",
    });
  }
  if (secret !== null && generateLength !== null)
    throw new KeyctlError("usage", "--from-file and --generate exclude each other");
  if (kind === "provider" && generateLength !== null) {
    throw new KeyctlError("usage", "a provider's key is made by the provider", {
      hint: "--from-file PATH reads it",
    });
  }
  if (!isGiven) {
    throw new KeyctlError("usage", `a key of kind ${kind} needs a value`, {
      hint: `--from-file PATH or --from-file - reads it${kind === "secret" ? "; --generate makes one" : ""}`,
    });
  }
  if (secret === null) return;
  assertNotWeak(secret);
  if (kind === "secret") assertFitsVault(secret);
}

/** A value that was given or is drawn now. It gets a leak tag only where 128 bits are certain by construction. */
async function givenValue(
  deps: ValueDeps,
  given: ValueSource & { key: KeyRecord; version: number },
): Promise<NewValue> {
  const { key, generateLength } = given;
  const drawn =
    generateLength === null ? null : generateSecret((count) => deps.random.bytes(count), generateLength);
  const secret = given.secret ?? drawn;
  const fields = { publicId: null, digest: null, pepperVersion: null };
  if (secret === null) return { fields, secret, tag: null };
  const tagged = drawn === null ? checkProviderFormat(deps, key, secret) : isTaggable(drawn);
  return { fields, secret, tag: tagged ? await tagOf(deps, { ...given, secret, issued: false }) : null };
}

async function tagOf(
  deps: ValueDeps,
  value: { key: KeyRecord; version: number; secret: Secret; issued: boolean },
): Promise<LeakTag> {
  const { key, version, secret } = value;
  const root = await deps.keyring.leakKey(key.tenantId);
  return {
    tag: leakTag(root.key, secret),
    tenantId: key.tenantId,
    keyId: key.id,
    version,
    pepperVersion: root.version,
    byteLength: secret.byteLength,
    rollingHash: rollingHash(root.key, leakWindow(secret, value.issued ? "issued" : "other")),
  };
}
