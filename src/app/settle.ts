import { isKeyctlError } from "../core/errors.ts";
import type { Deps } from "./deps.ts";
import { drainOutbox } from "./drain-outbox.ts";
import { signCheckpoint } from "./sign-checkpoint.ts";

/**
 * What follows a mutation that spoke to the vault: tasks that are due, a signed checkpoint, the times of vault access.
 * The mutation stands already, so a failure here is a warning with the command that makes up for it.
 */
export async function settle(deps: Deps, change: { keyId: string; tenantId: string }): Promise<void> {
  await afterwards(deps, async () => {
    await drainOutbox(deps, { keyId: change.keyId });
    await noteVault(deps, change.tenantId);
  });
}

/** As `settle`, when the tasks were done already. */
export async function signLog(deps: Deps, tenantId: string): Promise<void> {
  await afterwards(deps, async () => await noteVault(deps, tenantId));
}

async function noteVault(deps: Deps, log: string): Promise<void> {
  await signCheckpoint(deps, log, { onlyWhenStale: true });
  const generation = await (await deps.vault()).generation();
  const accessed = deps.keyring.takeAccessed();
  await deps.store.transaction(async (tx) => {
    for (const { reference, at } of accessed) await tx.touchReference(reference, at);
    if (generation !== null) await tx.rememberVaultGeneration(generation);
  });
}

async function afterwards(deps: Pick<Deps, "warn">, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    deps.warn(`the change is made, what follows it is not: ${error.message}; keyctl reconcile --fix does it`);
  }
}
