import { KeyctlError } from "../core/errors.ts";
import { deriveKeys, leakKey } from "../core/root-keys.ts";
import type { DerivedKeys } from "../core/root-keys.ts";
import { uuidBytes } from "../core/uuid.ts";
import type { Clock, RootReference, RootRole, StoreReader, Vault } from "./ports.ts";

export interface VersionedKeys {
  /** Which pepper they come from. */
  version: number;
  keys: DerivedKeys;
}

/** What root secrets and keys of a store are called in its vault. The store's uuid keeps two stores apart in one vault. */
export function rootName(role: RootRole, storeUuid: string): string {
  return `keyctl-${storeUuid}-${role}`;
}

/**
 * Root secrets of this store, fetched from the vault at first use and kept for the life of the process. Only references
 * that the store recorded and that point into the profile's vault, under the name that the role must have, are followed.
 */
export class Keyring {
  readonly #source: { store: StoreReader; vault: () => Promise<Vault>; clock: Clock };
  readonly #peppers = new Map<number, Promise<Uint8Array>>();
  readonly #auth = new Map<number, Promise<Uint8Array>>();
  readonly #derived = new Map<number, VersionedKeys>();
  readonly #accessed = new Map<string, number>();

  constructor(source: { store: StoreReader; vault: () => Promise<Vault>; clock: Clock }) {
    this.#source = source;
  }

  /** The keys that new digests and row MACs are made with. */
  async current(): Promise<VersionedKeys> {
    const newest = await this.#newest("pepper");
    return await this.keys(newest.version);
  }

  async keys(pepperVersion: number): Promise<VersionedKeys> {
    const known = this.#derived.get(pepperVersion);
    if (known !== undefined) return known;
    const made = { version: pepperVersion, keys: deriveKeys(await this.#pepper(pepperVersion)) };
    this.#derived.set(pepperVersion, made);
    return made;
  }

  /** Kleak of a tenant, from the newest pepper or the one that a tag names. */
  async leakKey(tenantId: string, pepperVersion?: number): Promise<{ version: number; key: Uint8Array }> {
    const version = pepperVersion ?? (await this.#newest("pepper")).version;
    return { version, key: leakKey(await this.#pepper(version), uuidBytes(tenantId)) };
  }

  /** K_auth of envelopes: the newest for sealing, or the version that an envelope names. */
  async envelopeKey(version: number | null): Promise<{ version: number; key: Uint8Array }> {
    const wanted = version ?? (await this.#newest("k-auth")).version;
    return { version: wanted, key: await this.#secret("k-auth", wanted, this.#auth) };
  }

  /** The versioned KEK that new DEKs are wrapped with. */
  async kek(): Promise<string> {
    return (await this.#newest("kek")).reference;
  }

  /** The versioned key that signs checkpoints. */
  async checkpointKey(): Promise<string> {
    return (await this.#newest("checkpoint-key")).reference;
  }

  /** References fetched by this process and not yet written to `last_accessed_at`; asking empties the list. */
  takeAccessed(): { reference: string; at: number }[] {
    const accessed = [...this.#accessed].map(([reference, at]) => ({ reference, at }));
    this.#accessed.clear();
    return accessed;
  }

  async #pepper(version: number): Promise<Uint8Array> {
    return await this.#secret("pepper", version, this.#peppers);
  }

  async #secret(
    role: RootRole,
    version: number,
    cache: Map<number, Promise<Uint8Array>>,
  ): Promise<Uint8Array> {
    let value = cache.get(version);
    if (value === undefined) {
      value = this.#fetch(role, version);
      cache.set(version, value);
      value.catch(() => cache.delete(version));
    }
    return await value;
  }

  async #fetch(role: RootRole, version: number): Promise<Uint8Array> {
    const roots = await this.#source.store.rootReferences(role);
    const root = roots.find((candidate) => candidate.version === version);
    if (root === undefined) {
      throw new KeyctlError(
        "integrity",
        `the store names ${role} version ${version}, and has no reference to it`,
        {
          hint: "keyctl audit-verify --state",
        },
      );
    }
    const vault = await this.#open(root);
    const secret = await vault.secrets.get(root.reference);
    this.#accessed.set(root.reference, this.#source.clock.now());
    return secret.reveal();
  }

  async #newest(role: RootRole): Promise<RootReference> {
    const newest = (await this.#source.store.rootReferences(role)).at(-1);
    if (newest === undefined) {
      throw new KeyctlError("unavailable", `the store has no ${role} yet: its set-up was interrupted`, {
        hint: "keyctl init",
      });
    }
    await this.#open(newest);
    return newest;
  }

  async #open(root: RootReference): Promise<Vault> {
    const vault = await this.#source.vault();
    const { uuid } = await this.#source.store.meta();
    // Without the name a changed row could make any known secret of the vault the pepper.
    assertOwned(vault, root.reference, rootName(root.role, uuid));
    return vault;
  }
}

/** A reference to another place than the profile's vault is refused: a changed row must not choose where we look. */
export function assertOwned(vault: Vault, reference: string, name?: string): void {
  if (vault.owns(reference, name)) return;
  throw new KeyctlError("integrity", `a vault reference points outside the profile's vault ${vault.url}`, {
    hint: "check --vault and the profile; if they are right, the row was changed behind keyctl: keyctl audit-verify --state",
  });
}
