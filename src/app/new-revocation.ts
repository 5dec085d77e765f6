import { kindRules } from "../core/kind-rules.ts";
import type { KeyRecord, RevokeReason, Severity } from "../core/model.ts";
import { revokePage } from "../core/providers.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import type { Revocation } from "./ports.ts";

export interface Denial {
  key: KeyRecord;
  operationId: string;
  /** null: every version. */
  version: number | null;
  reason: RevokeReason;
  severity: Severity | null;
  undoUntil: number | null;
  now: number;
}

/** The record of a denial; a provider's key has its upstream open until somebody says that it was deleted there. */
export function newRevocation(deps: Pick<Deps, "random">, denial: Denial): Revocation {
  const { key, now, ...rest } = denial;
  const { hasUpstream } = kindRules[key.kind];
  return {
    ...rest,
    id: uuidv7(now, deps.random.bytes(10)),
    tenantId: key.tenantId,
    keyId: key.id,
    revokedAt: now,
    undoneAt: null,
    upstream: hasUpstream ? "open" : null,
    upstreamUrl: hasUpstream ? revokePage(key.provider) : null,
  };
}
