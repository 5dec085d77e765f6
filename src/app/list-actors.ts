import { assertMay } from "../core/access.ts";
import type { Actor, Role } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import { knownRoles } from "./find-actor.ts";
import { standing } from "./find-key.ts";

export interface ListedActor {
  actor: Actor;
  /** In the tenants whose actors the caller may know. */
  roles: { tenant: string; role: Role }[];
}

/** Who has a role in the context's tenant, by login; `forbidden` to a role that may not read the log. */
export async function listActors(deps: AttemptDeps): Promise<ListedActor[]> {
  return await attempted(deps, { operation: "actor.list" }, async () => {
    const { store, caller } = deps;
    assertMay(standing(caller), "audit");
    const known = await knownRoles(deps);
    const here = new Set(
      known.filter(({ tenantId }) => tenantId === caller.tenant.id).map(({ actorId }) => actorId),
    );
    const actors = (await store.actors()).filter(({ id }) => here.has(id));
    return actors
      .map((actor) => ({
        actor,
        roles: known
          .filter(({ actorId }) => actorId === actor.id)
          .map(({ tenant, role }) => ({ tenant, role })),
      }))
      .toSorted((a, b) => (a.actor.login < b.actor.login ? -1 : 1));
  });
}
