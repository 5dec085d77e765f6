import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, Random, Vault } from "../../src/app/ports.ts";
import { Secret } from "../../src/core/secret.ts";
import { createEmbeddedVault, openEmbeddedVault } from "../../src/vault/embedded/open.ts";
import type { EmbeddedVaultOptions } from "../../src/vault/embedded/open.ts";

export const random: Random = { bytes: (count) => randomBytes(count) };
export const clock: Clock = { now: () => Date.now() };
export const uid = process.getuid?.() ?? null;

/** A folder for one vault and its key, with the options that both are made and opened by. */
export interface VaultPlace {
  folder: string;
  path: string;
  keyPath: string;
  options: EmbeddedVaultOptions;
}

/** The same place as `place`, seen from wherever: also from another process. */
export function placeIn(folder: string): VaultPlace {
  const path = join(folder, "data", "vault.db");
  const keyPath = join(folder, "config", "unlock.key");
  const readPassphrase = async (): Promise<Secret> =>
    await Promise.resolve(Secret.fromUtf8("correct horse battery"));
  const unlock = { keyFile: { path: keyPath, uid }, readPassphrase };
  return { folder, path, keyPath, options: { path, unlock, random, clock } };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "keyctl-vault-"));
}

export async function createIn(place: VaultPlace, more: Partial<EmbeddedVaultOptions> = {}): Promise<Vault> {
  return await createEmbeddedVault({ ...place.options, ...more, method: "file" });
}

export async function openIn(place: VaultPlace, more: Partial<EmbeddedVaultOptions> = {}): Promise<Vault> {
  return await openEmbeddedVault({ ...place.options, ...more });
}
