import type { AuditOperation } from "../audit/operations.ts";
import { isKeyctlError } from "../core/errors.ts";
import type { ErrorCode, KeyctlError } from "../core/errors.ts";
import type { Deps } from "./deps.ts";
import type { KeySelector } from "./find-key.ts";
import { Trespass } from "./trespass.ts";

export type AttemptDeps = Pick<Deps, "store" | "caller" | "clock" | "random" | "tool" | "warn">;

/** What somebody tried. */
export interface Attempt {
  /** As the entry of its success is called: `key.rotate`. */
  operation: AuditOperation;
  /** The key it was about, as it was named. */
  target?: KeySelector | null;
}

/** Refusals that belong in the log; what was mistyped, or is only busy or away, was no attempt on a key. */
const logged: ReadonlySet<ErrorCode> = new Set(["forbidden", "refused", "integrity"]);

/** What is in the log already: a use case inside another one tells it once. */
const told = new WeakSet<KeyctlError>();

/**
 * Does the work; an attempt that a role, a policy or a broken row refuses is one entry in the log of the tenant it was about,
 * CRITICAL when the role forbade it; one on a tenant without any role there is one in the log `system`. The refusal is thrown
 * on, also when it could not be written down.
 */
export async function attempted<T>(
  deps: AttemptDeps,
  attempt: Attempt,
  work: () => Promise<T> | T,
): Promise<T> {
  const startedAt = deps.clock.now();
  try {
    return await work();
  } catch (error) {
    if (isKeyctlError(error) && isLogged(error) && !told.has(error)) {
      told.add(error);
      // Loaded now and not before: what goes well, and only reads, does not wait for the rules of what a log may hold.
      const { recordRefusal } = await import("./record-refusal.ts");
      await recordRefusal(deps, { ...attempt, startedAt, error });
    }
    throw error;
  }
}

function isLogged(error: KeyctlError): boolean {
  return logged.has(error.code) || error instanceof Trespass;
}
