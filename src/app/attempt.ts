import { isKeyctlError } from "../core/errors.ts";
import type { ErrorCode, KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { placeOf } from "./find-key.ts";
import type { KeySelector } from "./find-key.ts";
import { recordAudit } from "./record-audit.ts";

type AttemptDeps = Pick<Deps, "store" | "caller" | "clock" | "random" | "tool" | "warn">;

/** What somebody tried. */
export interface Attempt {
  /** As the entry of its success is called: `key.rotate`. */
  operation: string;
  /** The key it was about, as it was named. */
  target?: KeySelector | null;
}

/** Refusals that belong in the log; what was mistyped, or is only busy or away, was no attempt on a key. */
const logged: ReadonlySet<ErrorCode> = new Set(["forbidden", "refused", "integrity"]);

/**
 * Does the work; an attempt that a role, a policy or a broken row refuses is one entry in the log of the caller's tenant,
 * CRITICAL when the role forbade it. The refusal is thrown on, also when it could not be written down.
 */
export async function attempted<T>(deps: AttemptDeps, attempt: Attempt, work: () => Promise<T>): Promise<T> {
  const startedAt = deps.clock.now();
  try {
    return await work();
  } catch (error) {
    if (isKeyctlError(error) && logged.has(error.code))
      await recordRefusal(deps, { ...attempt, startedAt, error });
    throw error;
  }
}

async function recordRefusal(
  deps: AttemptDeps,
  refusal: Attempt & { startedAt: number; error: KeyctlError },
): Promise<void> {
  const { operation, startedAt, error } = refusal;
  try {
    const key = await triedKey(deps, refusal.target ?? null);
    await deps.store.transaction(
      async (tx) =>
        await recordAudit(tx, deps, {
          operation,
          outcome: "denied",
          sensitivity: error.code === "forbidden" ? "CRITICAL" : "HIGH",
          key,
          after: { error: error.code, role: deps.caller.role },
          startedAt,
        }),
    );
  } catch (failure) {
    if (!isKeyctlError(failure)) throw failure;
    deps.warn(`this refusal is not in the audit log: ${failure.message}`);
  }
}

/** The key of the caller's own tenant that was named; another tenant's log is not the caller's to write to. */
async function triedKey(deps: AttemptDeps, target: KeySelector | null): Promise<KeyRecord | null> {
  if (target === null) return null;
  const key = await namedKey(deps, target).catch(() => null);
  return key?.tenantId === deps.caller.tenant.id ? key : null;
}

async function namedKey(deps: AttemptDeps, target: KeySelector): Promise<KeyRecord | null> {
  if ("path" in target) return await deps.store.keyByName(await placeOf(deps, target.path));
  const byId = await deps.store.keyById(target.id.toLowerCase());
  return byId ?? (await deps.store.versionByPublicId(target.id))?.key ?? null;
}
