import { planAbandon } from "../core/denial.ts";
import { planPurge } from "../core/lifecycle.ts";
import { recoveryWindowMs } from "../core/policy.ts";
import { changeKey, planChange } from "./change-key.ts";
import type { ChangedKey, ChangeKeyInput, PlannedChange, StoreChangeRule } from "./change-key.ts";
import type { Deps } from "./deps.ts";
import { cancelDenials, denialTasks, purgeTasks } from "./vault-tasks.ts";

export interface DeleteKeyInput extends ChangeKeyInput {
  /** For good: values are erased, the vault's objects too, and the name is free. Only for an owner of the tenant. */
  purge: boolean;
}

/** What a deletion would do; refused where it would be. Nothing is written. */
export async function planDeleteKey(deps: Deps, input: DeleteKeyInput): Promise<PlannedChange> {
  return await planChange(deps, input, input.purge ? purge(deps) : deletion(deps));
}

/**
 * Denies the key at once, and keeps it for 30 days in which `restore` brings it back; or purges it. Needs the store only:
 * what the vault has to do follows as far as it answers. What is deleted stays so.
 */
export async function deleteKey(deps: Deps, input: DeleteKeyInput): Promise<ChangedKey> {
  return await changeKey(deps, input, input.purge ? purge(deps) : deletion(deps));
}

/** The versions keep their states: that the key is deleted denies them all. */
const deletion = (deps: Deps): StoreChangeRule => ({
  operation: "key.delete",
  sensitivity: "HIGH",
  action: "manage",
  plan: (found, open, now) => {
    const { key } = found;
    if (key.deletedAt !== null) return null;
    return {
      moves: [open === null ? [] : planAbandon(found, { version: open.version, now })],
      set: { deletedAt: now, recoverableUntil: now + recoveryWindowMs },
      after: { deleted: true },
      tasks: async (_tx, after, operationId) =>
        await Promise.resolve(denialTasks(deps, { key, versions: after, operationId })),
    };
  },
});

/** Leak tags and public ids stay: when a purged key is found in a text, it is known whose it was. */
const purge = (deps: Deps): StoreChangeRule => ({
  operation: "key.purge",
  sensitivity: "CRITICAL",
  action: "administer",
  plan: (found, open, now) => {
    const { key } = found;
    if (key.purgedAt !== null) return null;
    return {
      moves: planPurge(found, now),
      set: { deletedAt: key.deletedAt ?? now, recoverableUntil: null, rollbackUntil: null, purgedAt: now },
      after: { deleted: true, purged: true },
      tasks: async (tx, _after, operationId) => {
        await tx.eraseValues(key.id);
        await cancelDenials(tx, key.id, now);
        // While the process of an operation that this one supersedes lives, it may put one more version into the vault.
        return await purgeTasks(deps, tx, { key, operationId: open?.id ?? operationId });
      },
    };
  },
});
