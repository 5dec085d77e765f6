import { assertMay, mayDo, reachOf } from "../core/access.ts";
import { isKeyctlError } from "../core/errors.ts";
import { leakFingerprint, leakTag } from "../core/leak-tag.ts";
import type { KeyRecord } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import type { Caller, Deps } from "./deps.ts";
import { standing } from "./find-key.ts";
import type { ManagedMatch, ScanDeps } from "./scan-for-leaks.ts";

type LookupDeps = AttemptDeps & Pick<Deps, "keyring">;

/**
 * Recognises the tenant's own secrets by leak tag, against the live store. When the vault (which holds the tag's key)
 * cannot be reached, or the caller's role may see no keys, nothing is recognised and a warning says so: `managed` is null then.
 */
export async function managedLookup(deps: LookupDeps): Promise<Pick<ScanDeps, "managed" | "fingerprint">> {
  const { caller } = deps;
  try {
    await attempted(deps, { operation: "leak.scan" }, () => assertMaySee(caller));
    const { key } = await deps.keyring.leakKey(caller.tenant.id);
    return {
      fingerprint: (bytes) => Buffer.from(leakFingerprint(leakTag(key, bytes))).toString("hex"),
      managed: {
        from: "store",
        find: async ({ bytes, publicId }) => {
          const known = await deps.store.matchLeakTag(leakTag(key, bytes));
          if (known?.tenantId === caller.tenant.id) return await matchOf(deps, known);
          return publicId === null ? null : await foreign(deps, publicId);
        },
      },
    };
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    deps.warn(`keys of ours are not recognised: ${error.message}`);
    return { managed: null, fingerprint: () => null };
  }
}

/** Be it only its own keys: those of others are then as foreign as another tenant's. */
function assertMaySee(caller: Caller): void {
  if (reachOf(caller.role, "read") === "none") assertMay(standing(caller), "read");
}

async function matchOf(
  deps: LookupDeps,
  known: { keyId: string; version: number },
): Promise<ManagedMatch | null> {
  const key = await deps.store.keyById(known.keyId);
  const version = (await deps.store.versions(known.keyId)).find(
    (candidate) => candidate.version === known.version,
  );
  if (key === null || version === undefined) return null;
  if (!mayDo(standing(deps.caller), "read", key.owner)) return { foreign: true };
  return {
    keyId: key.id,
    name: key.name,
    tenant: deps.caller.tenant.name,
    env: key.env,
    version: version.version,
    state: stateOf(key, version.state),
    asOf: deps.clock.now(),
    owner: key.owner,
  };
}

function stateOf(key: KeyRecord, state: string): string {
  return key.deletedAt === null || state === "destroyed" ? state : "deleted";
}

/** Of another tenant's key only that it is one, found by its public id. */
async function foreign(deps: LookupDeps, publicId: string): Promise<ManagedMatch | null> {
  const found = await deps.store.versionByPublicId(publicId);
  return found !== null && found.key.tenantId !== deps.caller.tenant.id ? { foreign: true } : null;
}
