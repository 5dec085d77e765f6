import { KeyctlError } from "../core/errors.ts";
import { planAbandon } from "../core/denial.ts";
import { planSuspend } from "../core/lifecycle.ts";
import { assertNotDeleted, changeKey, planChange } from "./change-key.ts";
import type { ChangedKey, ChangeKeyInput, PlannedChange, StoreChangeRule } from "./change-key.ts";
import type { Deps } from "./deps.ts";
import { denialTasks } from "./vault-tasks.ts";

/** What a suspension would do; refused where it would be. Nothing is written. */
export async function planSuspendKey(deps: Deps, input: ChangeKeyInput): Promise<PlannedChange> {
  return await planChange(deps, input, suspension(deps));
}

/**
 * Denies every active and rotated version, until `resume`. Needs the store only: a secret's vault versions are disabled as
 * far as the vault answers. What is suspended stays so; `refused` for a key that has nothing to suspend.
 */
export async function suspendKey(deps: Deps, input: ChangeKeyInput): Promise<ChangedKey> {
  return await changeKey(deps, input, suspension(deps));
}

const suspension = (deps: Deps): StoreChangeRule => ({
  operation: "key.suspend",
  sensitivity: "HIGH",
  action: "manage",
  plan: (found, open, now) => {
    const { key, versions } = found;
    assertNotDeleted(key);
    const pending = open === null ? [] : planAbandon(found, { version: open.version, now });
    const changes = [...planSuspend(found), ...pending];
    if (changes.length === 0 && open === null) {
      if (versions.some(({ state }) => state === "inactive")) return null;
      throw new KeyctlError("refused", `${key.name} has nothing to suspend (it is ${key.state})`, {
        hint: `keyctl show ${key.env}/${key.name}`,
      });
    }
    return {
      moves: [changes],
      set: {},
      after: {},
      tasks: async (_tx, after, operationId) =>
        await Promise.resolve(denialTasks(deps, { key, versions: after, operationId })),
    };
  },
});
