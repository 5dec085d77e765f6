import { formatDuration } from "../core/duration.ts";
import { KeyctlError } from "../core/errors.ts";
import { planSuspend } from "../core/lifecycle.ts";
import { recoveryWindowMs } from "../core/policy.ts";
import { changeKey, planChange, purged } from "./change-key.ts";
import type { ChangedKey, ChangeKeyInput, PlannedChange, StoreChangeRule } from "./change-key.ts";
import type { Deps } from "./deps.ts";

/** What a restoration would do; refused where it would be. Nothing is written. */
export async function planRestoreKey(deps: Deps, input: ChangeKeyInput): Promise<PlannedChange> {
  return await planChange(deps, input, restoration);
}

/**
 * Takes a deletion back within its 30 days. What was accepted then is suspended: `resume` makes it accepted again. `refused`
 * after the 30 days and after a purge; a key that is not deleted stays as it is.
 */
export async function restoreKey(deps: Deps, input: ChangeKeyInput): Promise<ChangedKey> {
  return await changeKey(deps, input, restoration);
}

const restoration: StoreChangeRule = {
  operation: "key.restore",
  sensitivity: "HIGH",
  action: "manage",
  plan: (found, _open, now) => {
    const { key } = found;
    if (key.purgedAt !== null) throw purged(key);
    if (key.deletedAt === null) return null;
    if (key.recoverableUntil === null || key.recoverableUntil <= now) {
      const window = formatDuration(recoveryWindowMs);
      throw new KeyctlError("refused", `${key.name} was deleted more than ${window} ago`, {
        hint: `keyctl delete ${key.env}/${key.name} --purge makes its name free`,
      });
    }
    return {
      moves: [planSuspend(found)],
      set: { deletedAt: null, recoverableUntil: null },
      after: { deleted: false },
      tasks: async () => await Promise.resolve([]),
    };
  },
};
