import { digestMatches, digestOf, dummyDigest } from "../core/digest.ts";
import type { ParsedIssuedKey } from "../core/issued-key.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { Refusal } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { isTier, tiers } from "../core/policy.ts";
import { uuidBytes } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import { rowMacMatches } from "./mac-versions.ts";
import type { KeyWithVersion } from "./ports.ts";

/** Why a key is not accepted. `invalid` is the one word for unknown, wrong and malformed. */
export type VerifyReason = Refusal | "invalid" | "missing-scope" | "integrity";

export interface Verification {
  valid: boolean;
  reason: VerifyReason | null;
  /** Known only after the digest matched. */
  key: KeyRecord | null;
  version: VersionRecord | null;
  tenant: string | null;
  /** Requests per minute of the key's tier. */
  limit: number | null;
}

/** The one answer to what is no key, to one that no row has, and to a wrong secret. */
export const invalid: Verification = {
  valid: false,
  reason: "invalid",
  key: null,
  version: null,
  tenant: null,
  limit: null,
};

/** A row that a presented key can be judged by, now and for as long as it is kept. */
export interface JudgeableRow extends KeyWithVersion {
  tenant: string;
  tenant16: Uint8Array;
  /** Kv of the pepper that the row names. */
  verifierKey: Uint8Array;
  /** Whether its MAC is right; looked at only while the row is accepted, since others carry none. */
  isGenuine: boolean;
}

/** What is presented: the parts of the key, and the scopes it must have. */
export interface Presented {
  parts: ParsedIssuedKey;
  scopes: readonly string[];
}

/** The row of a public id with all that it is judged by; null when there is none. */
export async function judgeableRow(
  deps: Pick<Deps, "store" | "clock" | "keyring">,
  publicId: string,
): Promise<JudgeableRow | null> {
  const found = await deps.store.versionByPublicId(publicId);
  if (found === null || found.version.digest === null || found.version.pepperVersion === null) return null;
  const { key, version } = found;
  const root = await deps.keyring.keys(found.version.pepperVersion);
  const isAccepted = judgeVersion(key, version, deps.clock.now()) === "accepted";
  return {
    key,
    version,
    tenant: await tenantName(deps, key),
    tenant16: uuidBytes(key.tenantId),
    verifierKey: root.keys.verifierKey,
    isGenuine: isAccepted && (await rowMacMatches(deps.keyring, key, version)),
  };
}

/** Judges a presented key by a row at `now`; a particular reason only for who holds the secret. */
export function judgeKey(row: JudgeableRow, presented: Presented, now: number): Verification {
  const { key, version } = row;
  if (!matches(row, presented.parts)) return invalid;
  const known = { key, version, tenant: row.tenant, limit: limitOf(key) };
  const refused = (reason: VerifyReason): Verification => ({ ...known, valid: false, reason });
  const state = judgeVersion(key, version, now);
  if (state !== "accepted") return refused(state);
  if (!row.isGenuine) return refused("integrity");
  if (!presented.scopes.every((scope) => key.scopes.includes(scope))) return refused("missing-scope");
  return { ...known, valid: true, reason: null };
}

/** The same answer, after the same work, for every key that no row has. */
export function judgeUnknown(verifierKey: Uint8Array): Verification {
  dummyDigest(verifierKey);
  return invalid;
}

function matches(row: JudgeableRow, parts: ParsedIssuedKey): boolean {
  const { prefix, id10, secret24 } = parts;
  const digest = digestOf(row.verifierKey, { tenant16: row.tenant16, prefix, id10, secret24 });
  return digestMatches(digest, row.version.digest) && prefix === row.key.prefix;
}

async function tenantName(deps: Pick<Deps, "store">, key: KeyRecord): Promise<string> {
  const tenant = (await deps.store.tenants()).find((candidate) => candidate.id === key.tenantId);
  return tenant?.name ?? key.tenantId;
}

function limitOf(key: KeyRecord): number | null {
  return key.tier !== null && isTier(key.tier) ? tiers[key.tier] : null;
}
