import { digestMatches, digestOf, dummyDigest } from "../core/digest.ts";
import { parseIssuedKey } from "../core/issued-key.ts";
import type { ParsedIssuedKey } from "../core/issued-key.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { Refusal } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { isTier, tiers } from "../core/policy.ts";
import type { Secret } from "../core/secret.ts";
import { uuidBytes } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import { rowMacMatches } from "./mac-versions.ts";
import { recordAudit } from "./record-audit.ts";

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

const invalid: Verification = {
  valid: false,
  reason: "invalid",
  key: null,
  version: null,
  tenant: null,
  limit: null,
};

type VerifyDeps = Pick<Deps, "store" | "keyring" | "clock" | "random" | "caller" | "tool">;

/** Judges a presented issued key; audited either way. The same answer, after the same work, for every unknown key. */
export async function verifyKey(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const startedAt = deps.clock.now();
  const judged = await judge(deps, input);
  const { key, version } = judged;
  const used =
    judged.valid && key !== null && version !== null ? { keyId: key.id, version: version.version } : null;
  await deps.store.transaction(async (tx) => {
    if (used !== null) await tx.touchVersion({ ...used, lastUsedAt: startedAt });
    await recordAudit(tx, deps, {
      operation: "key.verify",
      outcome: judged.valid ? "success" : "denied",
      sensitivity: judged.valid ? "MEDIUM" : "HIGH",
      key,
      after: { version: version?.version ?? null, reason: judged.reason },
      startedAt,
    });
  });
  return judged;
}

async function judge(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const current = await deps.keyring.current();
  const parts = parseIssuedKey(input.presented);
  const found = parts === null ? null : await deps.store.versionByPublicId(parts.publicId);
  if (parts === null || found === null || found.version.digest === null) {
    dummyDigest(current.keys.verifierKey);
    return invalid;
  }
  const { key, version } = found;
  const root = await deps.keyring.keys(version.pepperVersion ?? current.version);
  if (!presentedMatches(parts, found, root.keys.verifierKey)) return invalid;
  const known = { key, version, tenant: await tenantName(deps, key), limit: limitOf(key) };
  const refused = (reason: VerifyReason): Verification => ({ ...known, valid: false, reason });
  const state = judgeVersion(key, version, deps.clock.now());
  if (state !== "accepted") return refused(state);
  if (!(await rowMacMatches(deps.keyring, key, version))) return refused("integrity");
  if (!input.scopes.every((scope) => key.scopes.includes(scope))) return refused("missing-scope");
  return { ...known, valid: true, reason: null };
}

function presentedMatches(
  parts: ParsedIssuedKey,
  found: { key: KeyRecord; version: VersionRecord },
  verifierKey: Uint8Array,
): boolean {
  const { key, version } = found;
  const tenant16 = uuidBytes(key.tenantId);
  const digest = digestOf(verifierKey, {
    tenant16,
    prefix: parts.prefix,
    id10: parts.id10,
    secret24: parts.secret24,
  });
  return version.digest !== null && digestMatches(digest, version.digest) && parts.prefix === key.prefix;
}

async function tenantName(deps: VerifyDeps, key: KeyRecord): Promise<string> {
  const tenant = (await deps.store.tenants()).find((candidate) => candidate.id === key.tenantId);
  return tenant?.name ?? key.tenantId;
}

function limitOf(key: KeyRecord): number | null {
  return key.tier !== null && isTier(key.tier) ? tiers[key.tier] : null;
}
