import { Scanner } from "../leak/scanner.ts";
import type { RawMatch } from "../leak/finding.ts";
import { findTagged } from "../leak/tagged.ts";
import { digestMatches, digestOf } from "../core/digest.ts";
import { isKeyctlError } from "../core/errors.ts";
import { parseIssuedKey } from "../core/issued-key.ts";
import { uuidBytes } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import type { KeyWithVersion, LeakTag } from "./ports.ts";

export interface LeakedVersion {
  keyId: string;
  version: number;
}

type FindDeps = Pick<Deps, "store" | "keyring" | "caller" | "warn">;

/**
 * Which versions of the tenant's keys stand in a text. With the vault: issued keys whose digest matches, and every tagged
 * secret wherever it begins. Without it: issued keys by public id and checksum alone, and `complete` is false.
 */
export async function findLeaked(
  deps: FindDeps,
  text: Uint8Array,
): Promise<{ matches: LeakedVersion[]; complete: boolean }> {
  const issued = await issuedKeysIn(deps, text);
  try {
    const genuine: LeakedVersion[] = [];
    for (const { match, found } of issued) {
      if (await isGenuine(deps, match, found)) genuine.push(asLeaked(found));
    }
    return { matches: distinct([...genuine, ...(await taggedIn(deps, text))]), complete: true };
  } catch (error) {
    if (!isKeyctlError(error) || error.code !== "unavailable") throw error;
    deps.warn(
      `the vault does not answer (${error.message}): issued keys are matched by id and checksum, other secrets were not looked for`,
    );
    return { matches: distinct(issued.map(({ found }) => asLeaked(found))), complete: false };
  }
}

async function issuedKeysIn(
  deps: FindDeps,
  text: Uint8Array,
): Promise<{ match: RawMatch; found: KeyWithVersion }[]> {
  const scanner = new Scanner({ rules: [], now: null });
  scanner.start();
  const known: { match: RawMatch; found: KeyWithVersion }[] = [];
  for (const match of [...scanner.write(text), ...scanner.finish()]) {
    if (match.publicId === null || match.confidence !== "certain") continue;
    const found = await deps.store.versionByPublicId(match.publicId);
    if (found?.key.tenantId === deps.caller.tenant.id) known.push({ match, found });
  }
  return known;
}

/** The digest tells a leaked key from one that only carries its public id. */
async function isGenuine(deps: FindDeps, match: RawMatch, found: KeyWithVersion): Promise<boolean> {
  const parts = parseIssuedKey(match.secret);
  const { key, version } = found;
  if (parts === null || version.digest === null || version.pepperVersion === null) return false;
  const { keys } = await deps.keyring.keys(version.pepperVersion);
  return digestMatches(
    digestOf(keys.verifierKey, { ...parts, tenant16: uuidBytes(key.tenantId) }),
    version.digest,
  );
}

async function taggedIn(deps: FindDeps, text: Uint8Array): Promise<LeakedVersion[]> {
  const tags: LeakTag[] = [];
  for await (const tag of deps.store.leakTags(deps.caller.tenant.id)) tags.push(tag);
  const leaked: LeakedVersion[] = [];
  for (const [pepperVersion, group] of Map.groupBy(tags, (tag) => tag.pepperVersion)) {
    const { key } = await deps.keyring.leakKey(deps.caller.tenant.id, pepperVersion);
    leaked.push(...findTagged(text, key, group).map(({ keyId, version }) => ({ keyId, version })));
  }
  return leaked;
}

function asLeaked({ key, version }: KeyWithVersion): LeakedVersion {
  return { keyId: key.id, version: version.version };
}

function distinct(matches: readonly LeakedVersion[]): LeakedVersion[] {
  return [...new Map(matches.map((match) => [`${match.keyId}/${match.version}`, match])).values()];
}
