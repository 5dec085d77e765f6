import { mayDo, ownNames, reachOf } from "../core/access.ts";
import type { Deps } from "./deps.ts";
import { knownRoles } from "./find-actor.ts";
import { standing } from "./find-key.ts";
import type { KeyFilter } from "./ports.ts";

type CompleteDeps = Pick<Deps, "store" | "caller" | "clock">;

/** More than anybody reads through; a shell asks while a person waits. */
const namesMax = 200;

/**
 * Names of the context's keys that begin with these letters and that the caller may see, sorted, 200 at most. Whoever may
 * see none gets none: completing is no attempt, so nothing is written to the log.
 */
export async function completeKeys(
  deps: CompleteDeps,
  input: { prefix: string; deleted: boolean },
): Promise<string[]> {
  const { caller, store } = deps;
  const filter = visible(deps);
  if (filter === null) return [];
  const keys = await store.listKeys({
    tenantId: caller.tenant.id,
    env: caller.env,
    filter: input.deleted ? { ...filter, state: "deleted" } : filter,
    now: deps.clock.now(),
    limit: namesMax,
    // Before every id of the first key that has this name or a later one.
    after: input.prefix === "" ? null : { name: input.prefix, id: "" },
  });
  return keys.map((key) => key.name).filter((name) => name.startsWith(input.prefix));
}

/** Environments of the tenant in which the caller sees a key; found in the first keys, not in all of a large store. */
export async function completeEnvironments(deps: CompleteDeps): Promise<string[]> {
  const { caller, store } = deps;
  const filter = visible(deps);
  if (filter === null) return [];
  const now = deps.clock.now();
  const page = { tenantId: caller.tenant.id, env: null, filter, now, limit: namesMax, after: null };
  return distinct([caller.env, ...(await store.listKeys(page)).map((key) => key.env)]);
}

/** Tenants in which the caller has a role. */
export async function completeTenants({ store, caller }: CompleteDeps): Promise<string[]> {
  const roles = await store.memberships({ actorId: caller.actor.id });
  const own = new Set(roles.map((role) => role.tenantId));
  const tenants = await store.tenants();
  return distinct(
    tenants.filter(({ id, deletedAt }) => own.has(id) && deletedAt === null).map(({ name }) => name),
  );
}

/** Logins of the actors, for whoever may read who did what; of no tenant but those whose log is the caller's to read. */
export async function completeActors({ store, caller }: CompleteDeps): Promise<string[]> {
  if (!mayDo(standing(caller), "audit")) return [];
  const known = new Set((await knownRoles({ store, caller })).map(({ actorId }) => actorId));
  const actors = (await store.actors()).filter(({ id }) => known.has(id));
  return distinct(actors.slice(0, namesMax).map((actor) => actor.login));
}

/** What the caller may see of the tenant's keys; null when that is nothing. */
function visible({ caller }: CompleteDeps): KeyFilter | null {
  const reach = reachOf(caller.role, "read");
  if (reach === "none") return null;
  return reach === "own" ? { ownedBy: ownNames(caller.actor) } : {};
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
