import { isKeyctlError } from "../core/errors.ts";
import type { Deps } from "./deps.ts";
import { drainOutbox } from "./drain-outbox.ts";
import { signCheckpoint } from "./sign-checkpoint.ts";

/**
 * What follows a mutation that spoke to the vault: tasks that are due, a signed checkpoint, the times of vault access.
 * The mutation stands already, so a failure here is a warning with the command that makes up for it.
 */
export async function settle(deps: Deps, change: { keyId: string; tenantId: string }): Promise<void> {
  try {
    await drainOutbox(deps, { keyId: change.keyId });
    await signCheckpoint(deps, change.tenantId, { onlyWhenStale: true });
    const vault = await deps.vault();
    const generation = await vault.generation();
    const accessed = deps.keyring.takeAccessed();
    await deps.store.transaction(async (tx) => {
      for (const { reference, at } of accessed) await tx.touchReference(reference, at);
      if (generation !== null) await tx.rememberVaultGeneration(generation);
    });
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    deps.warn(`the change is made, what follows it is not: ${error.message}; keyctl reconcile --fix does it`);
  }
}
