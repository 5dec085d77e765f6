import { dirname } from "node:path";
import { assertNotOlder } from "./app/older-vault.ts";
import type { Clock, Random, Store, Vault } from "./app/ports.ts";
import type { SessionOptions } from "./cli/context.ts";
import type { Asker } from "./compose-session.ts";
import type { ResolvedSettings } from "./config/settings.ts";
import { KeyctlError } from "./core/errors.ts";
import { isThere, makeFolder } from "./files/folders.ts";
import type { UnlockMethod, UnlockSource } from "./vault/embedded/unlock.ts";

/** What the vault is opened for: a store, and whoever may be asked for a passphrase. */
interface VaultSurroundings {
  asker: Pick<Asker, "talk" | "system" | "readPassphrase">;
  clock: Clock;
  random: Random;
  store: Store;
}

/** The vault, opened at first use and at most once; never one older than the store has seen. */
export function vaultOpener(
  around: VaultSurroundings,
  settings: ResolvedSettings,
  options: SessionOptions,
): { open: () => Promise<Vault>; close: () => Promise<void> } {
  let opened: Promise<Vault> | null = null;
  const open = async (): Promise<Vault> => {
    opened ??= openVault(around, settings, options).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return await opened;
  };
  return {
    open,
    close: async () => {
      const vault = await opened?.catch(() => null);
      await vault?.close();
    },
  };
}

async function openVault(
  around: VaultSurroundings,
  settings: ResolvedSettings,
  options: SessionOptions,
): Promise<Vault> {
  const { createEmbeddedVault, openEmbeddedVault } = await import("./vault/embedded/open.ts");
  const { path, url } = settings.vault.value;
  const keyFile = { path: settings.places.unlockKey, uid: around.asker.system.uid };
  const isNew = options.make && !(await isThere(path));
  const unlock: UnlockSource = {
    keyFile,
    readPassphrase: async () => await around.asker.readPassphrase({ isNew }),
  };
  const common = { path, unlock, random: around.random, clock: around.clock };
  if (!isNew) return await notOlder(await openEmbeddedVault(common), around.store, options.acceptVault);
  await assertNeverHadVault(around.store, url);
  const method: UnlockMethod = options.vaultKey ?? "file";
  await makeFolder(dirname(path));
  if (method === "file") await makeFolder(dirname(keyFile.path));
  const isShared = await isThere(keyFile.path);
  const vault = await createEmbeddedVault({ ...common, method });
  around.asker.talk.note(`made a new vault at ${url}`);
  around.asker.talk.note(
    method === "file"
      ? `its unlock key is ${keyFile.path}${isShared ? ", which was there before: every vault that was made with it opens with it" : ""}: back it up, and not beside the vault`
      : "it opens with your passphrase only",
  );
  return vault;
}

/** A store that has roots belongs to a vault that existed: making an empty one in its place would hide the loss. */
async function assertNeverHadVault(store: Store, url: string): Promise<void> {
  if ((await store.rootReferences("pepper")).length === 0) return;
  throw new KeyctlError("unavailable", `the vault ${url} is missing, and the store has keys in it`, {
    hint: "restore the vault file and its unlock key from their backups",
    retryable: false,
  });
}

async function notOlder(vault: Vault, store: Store, accepted: number | undefined): Promise<Vault> {
  const seen = (await store.meta()).vaultGeneration;
  const generation = seen === null ? null : await vault.generation();
  if (generation !== null && generation === accepted) return vault;
  try {
    assertNotOlder(vault, { generation, seen });
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}
