import { digestMatches, digestOf } from "../core/digest.ts";
import { openEnvelope, parseEnvelopeHeader, sealEnvelope } from "../core/envelope.ts";
import type { EnvelopeContext } from "../core/envelope.ts";
import { KeyctlError } from "../core/errors.ts";
import { parseIssuedKey } from "../core/issued-key.ts";
import type { KeyRecord, VersionRecord, WrappedKey } from "../core/model.ts";
import { Secret } from "../core/secret.ts";
import { uuidBytes } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import { assertOwned, rootName } from "./keyring.ts";
import type { Operation, StoreReader, Vault, VaultVersion } from "./ports.ts";
import type { Published } from "./run-operation.ts";

type ValueDeps = Pick<Deps, "random" | "keyring" | "vault" | "store">;

/** What the vault calls the object of a `secret` or `encryption` key. */
export async function vaultName(store: StoreReader, key: KeyRecord): Promise<string> {
  const tenant = (await store.tenants()).find((candidate) => candidate.id === key.tenantId);
  return `${tenant?.name ?? key.tenantId}/${key.env}/${key.name}`;
}

const operationTag = "keyctl-operation";
/** Whose version it is: the key's id. */
export const keyTag = "keyctl-key";

/** Tags by which a vault version is found again after a lost answer. No secret data. */
export function vaultTags(key: KeyRecord, operation: Operation): Record<string, string> {
  return {
    [operationTag]: operation.id,
    [keyTag]: key.id,
    "keyctl-version": String(operation.version),
    "keyctl-env": key.env,
  };
}

/** An object of that name which this key did not make is never written to. */
function assertOurs(key: KeyRecord, versions: VaultVersion[]): void {
  if (versions.every((version) => version.tags[keyTag] === key.id)) return;
  throw new KeyctlError(
    "conflict",
    `the vault already holds an object called ${key.env}/${key.name} that this key did not make`,
    {
      hint: "choose another name for the key",
    },
  );
}

/** Makes the value exist in the vault (or sealed for the store), tagged with the operation. */
export async function publishValue(
  deps: ValueDeps,
  key: KeyRecord,
  make: { operation: Operation; secret: Secret | null },
): Promise<Published> {
  const { operation, secret } = make;
  const vault = await deps.vault();
  const tags = vaultTags(key, operation);
  switch (key.kind) {
    case "issued":
      return {};
    case "provider":
      return await sealValue(deps, key, { version: operation.version, secret: given(secret, operation) });
    case "secret": {
      const name = await vaultName(deps.store, key);
      assertOurs(key, await vault.secrets.versions(name));
      return { reference: (await vault.secrets.put(name, given(secret, operation), { tags })).reference };
    }
    case "encryption": {
      const name = await vaultName(deps.store, key);
      const versions = await vault.keys.versions(name);
      assertOurs(key, versions);
      const made =
        versions.length === 0
          ? await vault.keys.create(name, { type: "rsa-3072", tags })
          : await vault.keys.rotate(name, { tags });
      return { reference: made.reference };
    }
  }
}

function given(secret: Secret | null, operation: Operation): Secret {
  if (secret !== null) return secret;
  throw new KeyctlError("conflict", "the value of an interrupted operation is gone", {
    hint: "keyctl reconcile --fix",
    operationId: operation.id,
  });
}

/** What an earlier run of this operation left in the vault: the first is kept, further ones are disabled. */
export async function recoverValue(
  deps: ValueDeps,
  key: KeyRecord,
  operation: Operation,
): Promise<Published | null> {
  if (key.kind !== "secret" && key.kind !== "encryption") return null;
  const room = key.kind === "secret" ? (await deps.vault()).secrets : (await deps.vault()).keys;
  const made = await ofOperation(room, await vaultName(deps.store, key), operation.id);
  const [first, ...extras] = made;
  for (const extra of extras) await room.disable(extra.reference);
  return first === undefined ? null : { reference: first.reference };
}

/** Enabled versions that carry the operation's tag, oldest first. */
export async function ofOperation(
  room: Vault["keys"] | Vault["secrets"],
  name: string,
  operationId: string,
): Promise<VaultVersion[]> {
  const versions = await room.versions(name);
  return versions
    .filter((version) => version.enabled && version.tags[operationTag] === operationId)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.reference < b.reference ? -1 : 1));
}

function envelopeContext(key: KeyRecord, version: number): EnvelopeContext {
  return {
    table: "key_versions",
    column: "envelope",
    tenant16: uuidBytes(key.tenantId),
    row16: uuidBytes(key.id),
    version: BigInt(version),
  };
}

async function sealValue(
  deps: ValueDeps,
  key: KeyRecord,
  value: { version: number; secret: Secret },
): Promise<Published> {
  const vault = await deps.vault();
  const dek = Secret.fromBytes(deps.random.bytes(32));
  const kAuth = await deps.keyring.envelopeKey(null);
  const kekReference = await deps.keyring.kek();
  const envelope = sealEnvelope({
    kAuth: kAuth.key,
    kAuthVersion: kAuth.version,
    dek: dek.reveal(),
    context: envelopeContext(key, value.version),
    plaintext: value.secret,
    random: { salt32: deps.random.bytes(32), nonce12: deps.random.bytes(12) },
  });
  const { algorithm, wrapped } = await vault.keys.wrap(kekReference, dek);
  return { envelope, wrapped: { kekReference, algorithm, wrapped } };
}

/** Opens a provider key's envelope. The row's state and MAC are the caller's to judge first. */
export async function openSealed(
  deps: ValueDeps,
  key: KeyRecord,
  sealed: { version: number; envelope: Uint8Array; wraps: readonly WrappedKey[] },
): Promise<Secret> {
  const [wrap] = sealed.wraps;
  if (wrap === undefined) {
    throw new KeyctlError("integrity", `version ${sealed.version} of ${key.name} has no wrapped data key`, {
      hint: "keyctl audit-verify --state",
    });
  }
  const vault = await deps.vault();
  assertOwned(vault, wrap.kekReference, rootName("kek", (await deps.store.meta()).uuid));
  const dek = await vault.keys.unwrap(wrap.kekReference, wrap);
  const kAuth = await deps.keyring.envelopeKey(parseEnvelopeHeader(sealed.envelope).kAuthVersion);
  const context = envelopeContext(key, sealed.version);
  return openEnvelope({ bytes: sealed.envelope, kAuth: kAuth.key, dek: dek.reveal(), context });
}

/** Reads back what was published and compares it with what was meant; nothing is written. */
export async function testValue(
  deps: ValueDeps,
  key: KeyRecord,
  test: { version: VersionRecord; expected: Secret | null },
): Promise<void> {
  const { version, expected } = test;
  const failed = (): KeyctlError =>
    new KeyctlError(
      "integrity",
      `version ${version.version} of ${key.name} could not be read back as it was written`,
      {
        hint: "nothing was activated: run the command again, and keyctl reconcile if it fails again",
      },
    );
  switch (key.kind) {
    case "issued":
      if (expected !== null && !(await digestFits(deps, key, { version, issued: expected }))) throw failed();
      return;
    case "provider": {
      if (version.envelope === null) throw failed();
      const wraps = await deps.store.wrappedKeys(key.id, version.version);
      const opened = await openSealed(deps, key, {
        version: version.version,
        envelope: version.envelope,
        wraps,
      });
      if (expected !== null && !opened.equals(expected)) throw failed();
      return;
    }
    case "secret": {
      const held = await (await deps.vault()).secrets.get(referenceOf(version));
      if (expected !== null && !held.equals(expected)) throw failed();
      return;
    }
    case "encryption": {
      const vault = await deps.vault();
      const probe = Secret.fromBytes(deps.random.bytes(32));
      const wrapped = await vault.keys.wrap(referenceOf(version), probe);
      if (!(await vault.keys.unwrap(referenceOf(version), wrapped)).equals(probe)) throw failed();
      return;
    }
  }
}

function referenceOf(version: VersionRecord): string {
  if (version.vaultReference !== null) return version.vaultReference;
  throw new KeyctlError("integrity", `version ${version.version} has no vault reference`, {
    hint: "keyctl reconcile",
  });
}

/** Whether what is handed out is what the stored row will accept. */
async function digestFits(
  deps: ValueDeps,
  key: KeyRecord,
  made: { version: VersionRecord; issued: Secret },
): Promise<boolean> {
  const { version, issued } = made;
  const parts = parseIssuedKey(issued);
  if (parts === null || version.pepperVersion === null || parts.publicId !== version.publicId) return false;
  const { keys } = await deps.keyring.keys(version.pepperVersion);
  const digest = digestOf(keys.verifierKey, { ...parts, tenant16: uuidBytes(key.tenantId) });
  return digestMatches(digest, version.digest) && parts.prefix === key.prefix;
}
