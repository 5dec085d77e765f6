import { createHash, timingSafeEqual } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";
import type { JsonValue } from "../core/canonical-json.ts";
import { KeyctlError } from "../core/errors.ts";
import { hmacSha256 } from "../core/hmac.ts";
import { idempotencyWindowMs } from "../core/policy.ts";
import type { Secret } from "../core/secret.ts";
import type { Deps } from "./deps.ts";
import type { IdempotentRequest, StoreReader } from "./ports.ts";

/** Hash of a request that may hold a secret, keyed with Ki so that it tells nothing. */
export async function requestHmac(
  deps: Pick<Deps, "keyring">,
  request: JsonValue,
  secret: Secret | null,
): Promise<Uint8Array> {
  const { keys } = await deps.keyring.current();
  const parts = [
    Buffer.from(`${canonicalJson(request)}\0`),
    secret === null ? new Uint8Array() : secret.reveal(),
  ];
  return hmacSha256(keys.idempotencyKey, ...parts);
}

/** Hash of a request without a secret: a revoke must work without the vault. */
export function requestSha256(request: JsonValue): Uint8Array {
  return createHash("sha256").update(canonicalJson(request)).digest();
}

/**
 * The earlier request under the same `--idempotency-key`, or null for the first. `conflict` when the key was used for
 * something else within its seven days.
 */
export async function findReplay(
  deps: Pick<Deps, "caller" | "clock"> & { store: StoreReader },
  request: { verb: string; key: string | null; hash: Uint8Array; tenantId: string },
): Promise<IdempotentRequest | null> {
  if (request.key === null) return null;
  const { verb, key, tenantId } = request;
  const found = await deps.store.idempotentRequest({ tenantId, actorId: deps.caller.actor.id, verb, key });
  if (found === null || found.createdAt + idempotencyWindowMs <= deps.clock.now()) return null;
  if (found.requestHash.length === request.hash.length && timingSafeEqual(found.requestHash, request.hash))
    return found;
  throw new KeyctlError("conflict", "this --idempotency-key was used for another request", {
    hint: "use a new one for a new request",
    retryable: false,
  });
}
