import type { KeyObject } from "node:crypto";
import type { Random } from "../../app/ports.ts";
import type { Secret } from "../../core/secret.ts";
import { damagedVault, vaultFailure } from "./failures.ts";
import { loadUnlockFile, makeUnlockFile } from "./unlock-file.ts";
import type { UnlockFile } from "./unlock-file.ts";
import {
  assertStrongPassphrase,
  formatPassphraseParameters,
  newPassphraseParameters,
  parsePassphraseParameters,
  stretchPassphrase,
} from "./unlock-passphrase.ts";

/** How a vault is unlocked; chosen when it is made, and kept in it. */
export type UnlockMethod = "file" | "passphrase";

/** Where the unlock key comes from; which of the two is used, the vault says. */
export interface UnlockSource {
  keyFile: UnlockFile;
  /** Asks for it: only when the vault wants one, and again only after a wrong one. */
  readPassphrase: () => Promise<Secret>;
}

/** As stored: the method and, for a passphrase, its KDF's costs and salt; empty for a file. */
export interface UnlockParameters {
  method: UnlockMethod;
  parameters: string;
}

/** Makes the unlock key of a new vault; it is safely on the disk (file) or strong enough (passphrase) afterwards. */
export async function makeUnlockKey(
  source: UnlockSource,
  { method, random }: { method: UnlockMethod; random: Random },
): Promise<UnlockParameters & { key: KeyObject }> {
  if (method === "file") {
    try {
      return { method, parameters: "", key: await makeUnlockFile(source.keyFile, random) };
    } catch (error) {
      throw vaultFailure(error, source.keyFile.path);
    }
  }
  const passphrase = await source.readPassphrase();
  assertStrongPassphrase(passphrase);
  const parameters = newPassphraseParameters(random);
  const key = await stretchPassphrase(passphrase, parameters);
  return { method, parameters: formatPassphraseParameters(parameters), key };
}

/** Gets the unlock key of an existing vault at `vaultPath`. Whether it is the right one, the vault's key check tells. */
export async function loadUnlockKey(
  source: UnlockSource,
  { method, parameters }: UnlockParameters,
  vaultPath: string,
): Promise<KeyObject> {
  if (method === "file") {
    try {
      return await loadUnlockFile(source.keyFile);
    } catch (error) {
      throw vaultFailure(error, source.keyFile.path);
    }
  }
  const costs = parsePassphraseParameters(parameters);
  if (costs === null) throw damagedVault(vaultPath);
  return await stretchPassphrase(await source.readPassphrase(), costs);
}
