import { attempted } from "../app/attempt.ts";
import type { Caller, Deps } from "../app/deps.ts";
import type { Clock } from "../app/ports.ts";
import { isFresh } from "../app/verifier.ts";
import type { Moment } from "../app/verifier.ts";
import { reachOf } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";

type LiveDeps = Pick<Deps, "store" | "clock" | "random" | "caller" | "tool" | "warn"> & { stopwatch: Clock };

/**
 * The caller as it stands now. A process that lives long outlives grants: its role is read again after the five seconds for which
 * a row may be kept, and one that no longer opens keys, or whose tenant was deleted, is refused (`forbidden`).
 */
export class LiveCaller {
  readonly #deps: LiveDeps;
  #readAt: Moment | null = null;
  #caller: Promise<Caller> | null = null;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  async now(): Promise<Caller> {
    const { clock, stopwatch } = this.#deps;
    const now = { wall: clock.now(), elapsed: stopwatch.now() };
    if (this.#caller === null || this.#readAt === null || !isFresh(this.#readAt, now)) {
      this.#readAt = now;
      this.#caller = this.#read();
      this.#caller.catch((error: unknown) => {
        // A refusal stands as long as a grant would; a store that was away is asked again.
        if (!(error instanceof KeyctlError && error.code === "forbidden")) this.#caller = null;
      });
    }
    return await this.#caller;
  }

  async #read(): Promise<Caller> {
    const { caller, store } = this.#deps;
    const { actor, tenant } = caller;
    const role = await store.roleOf(actor.id, tenant.id);
    const live = { ...caller, role };
    return await attempted({ ...this.#deps, caller: live }, { operation: "key.open" }, async () => {
      if ((await store.tenantByName(tenant.name))?.deletedAt !== null) {
        throw new KeyctlError(
          "forbidden",
          `tenant ${tenant.name} was deleted: its keys are not used any more`,
        );
      }
      if (reachOf(role, "open") !== "none") return live;
      const has = role === null ? "has no role any more" : `is ${role}`;
      throw new KeyctlError(
        "forbidden",
        `${actor.login} ${has} in tenant ${tenant.name}: that does not allow to use keys`,
        { hint: "an owner of the tenant can grant it: keyctl actor grant" },
      );
    });
  }
}
