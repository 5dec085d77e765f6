import { KeyctlError } from "../core/errors.ts";
import { judgeVersion } from "../core/lifecycle.ts";
import type { KeyRecord, VersionRecord } from "../core/model.ts";
import { Secret } from "../core/secret.ts";
import type { KeyWithVersions } from "../core/transition.ts";
import { uuidv7 } from "../core/uuid.ts";
import { formatWrappedDataKey } from "../core/wrapped-data-key.ts";
import { attempted } from "./attempt.ts";
import type { Deps } from "./deps.ts";
import { findKey } from "./find-key.ts";
import { assertOwned } from "./keyring.ts";
import { assertGenuine } from "./mac-versions.ts";
import { assertAuthorizedService } from "./open-value.ts";
import { recordAudit } from "./record-audit.ts";
import { vaultName } from "./version-value.ts";

export type DataKeyDeps = Pick<
  Deps,
  "clock" | "random" | "store" | "vault" | "keyring" | "caller" | "tool" | "warn"
>;

/** A data key in both forms, and what wrapped it. */
export interface NewDataKey {
  /** 32 bytes, to encrypt with and to forget. */
  plaintext: Secret;
  /** `KCW1`, to keep beside what was encrypted. */
  wrapped: Uint8Array;
  /** Its own id, by which the store counts it. */
  id: string;
  key: KeyRecord;
  version: VersionRecord;
}

/**
 * A new 32-byte data key, wrapped by the active version of an encryption key. It is counted in the store and told in the log
 * before the caller gets it. `forbidden` by role or service, `refused` for another kind of key and one that has no accepted
 * version, `integrity` for a row that was changed behind keyctl, `unavailable` without the vault.
 */
export async function wrapDataKey(deps: DataKeyDeps, input: { path: string }): Promise<NewDataKey> {
  const target = { path: input.path };
  return await attempted(deps, { operation: "key.wrap", target }, async () => {
    const startedAt = deps.clock.now();
    const found = await findKey(deps, target, "open");
    assertWraps(found.key);
    assertAuthorizedService(deps.caller, found.key);
    const version = wrappingVersion(found, startedAt);
    const made = await wrapped(deps, found.key, version);
    await deps.store.transaction(async (tx) => {
      const now = await tx.keyById(found.key.id);
      // A revoke or a rotation that came meanwhile wins: nothing new is wrapped by what it replaced.
      if (now?.revision !== found.key.revision) throw changedMeanwhile(found.key);
      await tx.insertDataKey({
        id: made.id,
        tenantId: found.key.tenantId,
        keyId: found.key.id,
        version: version.version,
        createdAt: startedAt,
      });
      await tx.touchVersion({ keyId: found.key.id, version: version.version, lastUsedAt: startedAt });
      const after = { version: version.version, dataKey: made.id, service: deps.caller.service };
      const event = {
        operation: "key.wrap",
        sensitivity: "MEDIUM",
        key: found.key,
        after,
        startedAt,
      } as const;
      await recordAudit(tx, deps, event);
    });
    return { ...made, key: found.key, version };
  });
}

async function wrapped(
  deps: DataKeyDeps,
  key: KeyRecord,
  version: VersionRecord,
): Promise<Pick<NewDataKey, "plaintext" | "wrapped" | "id">> {
  await assertGenuine(deps.keyring, key, [version]);
  const { vault, reference } = await openVersion(deps, key, version);
  const plaintext = Secret.fromBytes(deps.random.bytes(32));
  const id = uuidv7(deps.clock.now(), deps.random.bytes(10));
  const dataKey = { tenantId: key.tenantId, keyId: key.id, id, version: version.version };
  const { wrapped: bytes } = await vault.keys.wrap(reference, plaintext);
  const kAuth = await deps.keyring.envelopeKey(null);
  return { plaintext, id, wrapped: formatWrappedDataKey({ ...dataKey, wrapped: bytes }, kAuth) };
}

/** The vault and the version's reference in it, which must point to the key's own object. */
export async function openVersion(
  deps: DataKeyDeps,
  key: KeyRecord,
  version: VersionRecord,
): Promise<{ vault: Awaited<ReturnType<Deps["vault"]>>; reference: string }> {
  const reference = version.vaultReference;
  if (reference === null) {
    throw new KeyctlError(
      "integrity",
      `version ${version.version} of ${key.name} says nowhere where its key is`,
      { hint: "keyctl audit-verify --state" },
    );
  }
  const vault = await deps.vault();
  assertOwned(vault, reference, await vaultName(deps.store, key));
  return { vault, reference };
}

function assertWraps(key: KeyRecord): void {
  if (key.kind === "encryption") return;
  throw new KeyctlError(
    "refused",
    `${key.name} is of kind ${key.kind}: only encryption keys wrap data keys`,
    {
      hint: `keyctl create NAME --kind encryption makes one`,
    },
  );
}

function wrappingVersion({ key, versions }: KeyWithVersions, now: number): VersionRecord {
  const active = versions.find(({ version }) => version === key.activeVersion);
  const judged = active === undefined ? key.state : judgeVersion(key, active, now);
  if (active !== undefined && judged === "accepted") return active;
  throw new KeyctlError("refused", `${key.name} wraps nothing new: it is ${judged}`, {
    hint: `keyctl show ${key.name}, then resume, restore or rotate it`,
  });
}

function changedMeanwhile(key: KeyRecord): KeyctlError {
  return new KeyctlError(
    "conflict",
    `${key.name} was changed meanwhile by somebody else: nothing was wrapped`,
    {
      hint: "try again",
    },
  );
}
