import { dirname } from "node:path";
import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check } from "./check.ts";
import { assertOwned, Keyring, rootName } from "./keyring.ts";
import { assertNotOlder } from "./older-vault.ts";
import type { Clock, RootRole, StoreReader, Vault, VaultLook } from "./ports.ts";

/** The vault that the settings name. */
export interface VaultTarget {
  url: string;
  path: string;
  isDefault: boolean;
  /** Null when there is none. */
  look(): Promise<VaultLook | null>;
  /** Whether a passphrase is given, or could be asked for. */
  passphraseAtHand(): Promise<boolean>;
}

export interface VaultDeps {
  clock: Clock;
  /** The file of the unlock key, for vaults that open with one. */
  unlockKey: string;
  /** Null when nothing can be read of the store. */
  store: StoreReader | null;
}

export interface VaultFindings {
  checks: Check[];
  look: VaultLook | null;
  /** The vault, when it opened and is the store's. */
  vault: Vault | null;
}

const reachable = { id: "vault", subject: "vault" };
const unlocking = { id: "vault.unlock", subject: "unlock key" };

/** Whether the vault is there, opens, is not an older copy, and holds what the store names. The caller closes it. */
export async function checkVault(deps: VaultDeps, target: VaultTarget): Promise<VaultFindings> {
  let look: VaultLook | null = null;
  const found = await checked(reachable, async () => {
    look = await target.look();
    return look === null ? [await missing(deps, target)] : [passed(reachable, "can be read")];
  });
  return await openFindings(deps, target, { found, look });
}

async function openFindings(
  deps: VaultDeps,
  target: VaultTarget,
  at: { found: Check[]; look: VaultLook | null },
): Promise<VaultFindings> {
  const { found, look } = at;
  if (look === null) return { checks: found, look, vault: null };
  const place = look.unlockedBy === "file" ? [checkPlace(deps.unlockKey, target.path)] : [];
  const opened = await checkUnlock(look, target);
  if (opened.generation === null)
    return { checks: [...found, ...place, ...opened.checks], look, vault: null };
  const { store } = deps;
  const belongs =
    store === null
      ? []
      : [
          ...(await checkGeneration(store, look.vault, opened.generation)),
          ...(await checkRoots({ clock: deps.clock, store }, look.vault)),
        ];
  return {
    checks: [...found, ...place, ...opened.checks, ...belongs],
    look,
    vault: belongs.every(({ status }) => status === "ok") ? look.vault : null,
  };
}

async function missing({ store }: VaultDeps, { url, isDefault }: VaultTarget): Promise<Check> {
  const isNeeded = store !== null && (await store.rootReferences("pepper")).length > 0;
  if (isNeeded) {
    return failed(
      reachable,
      `the vault ${url} is missing, and the store has keys in it`,
      "restore the vault file and its unlock key from their backups",
    );
  }
  if (isDefault) return doubtful(reachable, `there is none yet at ${url}`, "keyctl init");
  return failed(reachable, `there is no vault at ${url}`, "keyctl init, or restore the vault from a backup");
}

function checkPlace(unlockKey: string, vault: string): Check {
  const line = { id: "vault.unlock-key-place", subject: "unlock key's place" };
  if (dirname(unlockKey) !== dirname(vault)) return passed(line, "not beside the vault");
  return doubtful(
    line,
    `${unlockKey} lies beside the vault: whoever copies that folder has both`,
    "back the two up in different places; without KEYCTL_HOME they are in different folders",
  );
}

/** Opens it; an embedded vault is unlocked, and every row checked, when its generation is asked for. */
async function checkUnlock(
  look: VaultLook,
  target: VaultTarget,
): Promise<{ checks: Check[]; generation: number | null }> {
  if (look.unlockedBy === "passphrase" && !(await target.passphraseAtHand())) {
    const message = "the vault opens with a passphrase, and there is none here: not tried";
    const cure = "KEYCTL_PASSPHRASE_FILE=PATH keyctl doctor";
    return { checks: [doubtful(unlocking, message, cure)], generation: null };
  }
  let generation: number | null = null;
  const checks = await checked(unlocking, async () => {
    generation = await look.vault.generation();
    const how = look.unlockedBy === "file" ? "opens the vault" : "a passphrase, which opens the vault";
    return [passed(unlocking, how)];
  });
  return { checks, generation };
}

async function checkGeneration(store: StoreReader, vault: Vault, generation: number): Promise<Check[]> {
  const line = { id: "vault.generation", subject: "vault's generation" };
  return await checked(line, async () => {
    const { vaultGeneration: seen } = await store.meta();
    assertNotOlder(vault, { generation, seen });
    return [passed(line, `${generation}; the store has seen ${seen ?? "none"}`)];
  });
}

/** Every root secret can be read, and every root key is there, under the name that it must have. */
async function checkRoots(deps: { clock: Clock; store: StoreReader }, vault: Vault): Promise<Check[]> {
  const line = { id: "vault.roots", subject: "root keys" };
  return await checked(line, async () => {
    const { store } = deps;
    const keyring = new Keyring({ ...deps, vault: async () => await Promise.resolve(vault) });
    // Each of the four has at least one.
    await Promise.all([keyring.current(), keyring.envelopeKey(null), keyring.kek(), keyring.checkpointKey()]);
    const { uuid } = await store.meta();
    let count = 0;
    for (const role of ["pepper", "k-auth", "kek", "checkpoint-key"] as const) {
      for (const { version, reference } of await store.rootReferences(role)) {
        await openRoot({ role, version, reference, name: rootName(role, uuid) }, { keyring, vault });
        count += 1;
      }
    }
    return [passed(line, `${count}, all there`)];
  });
}

async function openRoot(
  root: { role: RootRole; version: number; reference: string; name: string },
  { keyring, vault }: { keyring: Keyring; vault: Vault },
): Promise<void> {
  switch (root.role) {
    case "pepper":
      await keyring.keys(root.version);
      return;
    case "k-auth":
      await keyring.envelopeKey(root.version);
      return;
    case "kek":
    case "checkpoint-key":
      assertOwned(vault, root.reference, root.name);
      await vault.keys.publicKey(root.reference);
  }
}
