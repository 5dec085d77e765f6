import { isoTime } from "../core/iso-time.ts";
import type { VersionState } from "../core/model.ts";
import type { Verification, VerifyReason } from "./judge-key.ts";

/** What `keyctl verify -o json` and the library answer. Everything but `valid` and `reason` is null unless the secret was right. */
export interface VerifyResult {
  valid: boolean;
  /** Null when it is valid. `invalid` is the one word for unknown, wrong and malformed. */
  reason: VerifyReason | null;
  keyId: string | null;
  name: string | null;
  tenant: string | null;
  version: number | null;
  state: VersionState | null;
  scopes: string[] | null;
  tier: string | null;
  /** ISO 8601, UTC. */
  expiresAt: string | null;
  /** Requests per minute of the key's tier. keyctl does not count them yet: `remaining` and `resetAt` are null. */
  rateLimit: { limit: number; remaining: null; resetAt: null } | null;
}

/** A verdict as programs read it. `integrity` for a row whose expiry is no moment: no keyctl wrote it. */
export function describeVerification(judged: Verification): VerifyResult {
  const { valid, reason, key, version, tenant, limit } = judged;
  return {
    valid,
    reason,
    keyId: key?.id ?? null,
    name: key?.name ?? null,
    tenant,
    version: version?.version ?? null,
    state: version?.state ?? null,
    scopes: key === null ? null : [...key.scopes],
    tier: key?.tier ?? null,
    expiresAt: isoTime(version?.expiresAt ?? null),
    rateLimit: limit === null ? null : { limit, remaining: null, resetAt: null },
  };
}
