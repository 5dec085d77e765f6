import { judgeUnwrap } from "../core/data-keys.ts";
import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import { findVersion } from "../core/transition.ts";
import { parseWrappedDataKey, wrappedDataKeyAuth } from "../core/wrapped-data-key.ts";
import type { WrappedDataKey } from "../core/wrapped-data-key.ts";
import { attempted } from "./attempt.ts";
import { findKey } from "./find-key.ts";
import { assertGenuine } from "./mac-versions.ts";
import { assertAuthorizedService } from "./open-value.ts";
import { recordAudit } from "./record-audit.ts";
import { openVersion } from "./wrap-data-key.ts";
import type { DataKeyDeps } from "./wrap-data-key.ts";

/** A data key that was unwrapped, and by what. */
export interface UnwrappedDataKey {
  plaintext: Secret;
  dataKey: Omit<WrappedDataKey, "wrapped">;
  key: KeyRecord;
  version: VersionRecord;
}

/**
 * The data key in `KCW1` bytes, by the version that wrapped it. One that expired or was revoked still unwraps, with a warning,
 * so that data can be wrapped anew; one that is suspended or whose key is deleted is `refused`. `integrity` for bytes that
 * this store did not make; else as `wrapDataKey`. The log says so before the caller gets it.
 */
export async function unwrapDataKey(
  deps: DataKeyDeps,
  input: { wrapped: Uint8Array },
): Promise<UnwrappedDataKey> {
  return await attempted(deps, { operation: "key.unwrap" }, async () => {
    const { key: kAuth } = await deps.keyring.envelopeKey(wrappedDataKeyAuth(input.wrapped));
    const parsed = parseWrappedDataKey(input.wrapped, kAuth);
    if (parsed.tenantId !== deps.caller.tenant.id) throw notHere(deps.caller.tenant.name);
    const target = { id: parsed.keyId };
    return await attempted(
      deps,
      { operation: "key.unwrap", target },
      async () => await unwrapped(deps, parsed),
    );
  });
}

async function unwrapped(deps: DataKeyDeps, parsed: WrappedDataKey): Promise<UnwrappedDataKey> {
  const startedAt = deps.clock.now();
  const found = await findKey(deps, { id: parsed.keyId }, "open");
  const { key } = found;
  assertAuthorizedService(deps.caller, key);
  const version = findVersion(found, parsed.version);
  assertMayUnwrap(deps, key, version);
  await assertGenuine(deps.keyring, key, [version]);
  const { vault, reference } = await openVersion(deps, key, version);
  const wrapped = { algorithm: "RSA-OAEP-256", wrapped: parsed.wrapped };
  const plaintext = await vault.keys.unwrap(reference, wrapped);
  await deps.store.transaction(async (tx) => {
    await tx.touchVersion({ keyId: key.id, version: version.version, lastUsedAt: startedAt });
    const after = { version: version.version, dataKey: parsed.id, service: deps.caller.service };
    await recordAudit(tx, deps, { operation: "key.unwrap", sensitivity: "MEDIUM", key, after, startedAt });
  });
  const { wrapped: _, ...dataKey } = parsed;
  return { plaintext, dataKey, key, version };
}

function notHere(tenant: string): KeyctlError {
  return new KeyctlError("not-found", `what wrapped this data key is not in tenant ${tenant}`, {
    hint: "unwrap it with a keyring of the tenant that wrapped it",
  });
}

function assertMayUnwrap(deps: DataKeyDeps, key: KeyRecord, version: VersionRecord): void {
  const verdict = judgeUnwrap(key, version, deps.clock.now());
  const state = key.deletedAt === null ? version.state : "deleted";
  const what = `version ${version.version} of ${key.name}`;
  if (verdict === "refused") {
    throw new KeyctlError("refused", `${what} is ${state}: it unwraps nothing`, {
      hint: state === "deleted" ? `keyctl restore ${key.name}` : `keyctl resume ${key.name} --reason TEXT`,
    });
  }
  if (verdict === "outdated") {
    const now = state === "active" || state === "rotated" ? "expired" : state;
    deps.warn(`${what} is ${now} and still unwraps: wrap its data keys anew with the active version`);
  }
}
