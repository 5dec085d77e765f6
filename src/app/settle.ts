import { isKeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
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

/**
 * Tells the vault what is queued for a key; answers how many tasks wait still. What needs no vault does not open it; a log is
 * signed only when the vault has answered.
 */
export async function tellVault(deps: Deps, key: Pick<KeyRecord, "id" | "tenantId">): Promise<number> {
  const { done } = await drainOutbox(deps, { keyId: key.id });
  const queue = await deps.store.outbox({ keyId: key.id, limit: 1000 });
  const now = deps.clock.now();
  // A sweep may wait for a process that hangs: what it may still find was never accepted.
  const own = queue.filter(({ task }) => task !== "sweep-secret" && task !== "sweep-key");
  const pending = own.filter((item) => item.notBefore <= now || item.attempts > 0).length;
  if (done > 0 && pending === 0) await signLog(deps, key.tenantId);
  return pending;
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
