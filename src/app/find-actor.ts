import { reachOf } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import type { Actor, Membership } from "../core/model.ts";
import { nearestName } from "../core/near-name.ts";
import type { Caller } from "./deps.ts";
import type { StoreReader } from "./ports.ts";

type FindDeps = { store: StoreReader; caller: Caller };

/** Every role in the tenants whose actors the caller may know, because it may read their logs; deleted tenants left out. */
export async function knownRoles({ store, caller }: FindDeps): Promise<(Membership & { tenant: string })[]> {
  const tenants = new Map(
    (await store.tenants()).filter(({ deletedAt }) => deletedAt === null).map(({ id, name }) => [id, name]),
  );
  const held = await store.memberships({ actorId: caller.actor.id });
  const found: (Membership & { tenant: string })[] = [];
  for (const { tenantId, role } of held) {
    const tenant = tenants.get(tenantId);
    if (tenant === undefined || reachOf(role, "audit") !== "all") continue;
    for (const membership of await store.memberships({ tenantId })) found.push({ ...membership, tenant });
  }
  return found;
}

/**
 * The actor that a person names by id, login or name. Of those the caller may know, each of the three will do; any other is found
 * by its exact id or login alone, so that a name tells nobody of another tenant's people. `conflict` when it means several,
 * `not-found` with the nearest known name when it means none.
 */
export async function findActor(deps: FindDeps, wanted: string): Promise<Actor> {
  const actors = await deps.store.actors();
  const known = new Set((await knownRoles(deps)).map(({ actorId }) => actorId));
  const ours = actors.filter(({ id }) => known.has(id));
  const found =
    onlyOne(ours, wanted) ?? actors.find(({ id, login }) => id === wanted || login === wanted) ?? null;
  if (found !== null) return found;
  const near = nearestOf(ours, wanted);
  const add = `keyctl actor add ${/^[\w.@+-]+$/u.test(wanted) ? wanted : "NAME --login LOGIN"}`;
  throw new KeyctlError("not-found", `no actor ${wanted}`, {
    hint: near === null ? `keyctl actor list; ${add}` : `did you mean ${near}? Else ${add}`,
  });
}

/** As `findActor`, of those who have a role in the context's tenant; anybody else is not there, be they known elsewhere or not. */
export async function findMember(deps: FindDeps, wanted: string): Promise<Actor> {
  const { tenant } = deps.caller;
  const members = new Set(
    (await deps.store.memberships({ tenantId: tenant.id })).map(({ actorId }) => actorId),
  );
  const here = (await deps.store.actors()).filter(({ id }) => members.has(id));
  const found = onlyOne(here, wanted);
  if (found !== null) return found;
  const near = nearestOf(here, wanted);
  throw new KeyctlError("not-found", `no actor ${wanted} with a role in tenant ${tenant.name}`, {
    hint: near === null ? "keyctl actor list" : `did you mean ${near}?`,
  });
}

function onlyOne(actors: readonly Actor[], wanted: string): Actor | null {
  const text = wanted.normalize("NFC");
  const meant = actors.filter(({ id, login, name }) => id === wanted || login === wanted || name === text);
  if (meant.length < 2) return meant[0] ?? null;
  throw new KeyctlError("conflict", `${wanted} means ${meant.length} actors`, {
    hint: `name one by its id: ${meant.map(({ id }) => id).join(", ")}`,
    retryable: false,
  });
}

function nearestOf(actors: readonly Actor[], wanted: string): string | null {
  return nearestName(
    wanted,
    actors.flatMap(({ login, name }) => [login, name]),
  );
}
