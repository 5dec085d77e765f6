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
  const text = wanted.normalize("NFC");
  const ours = actors.filter(({ id }) => known.has(id));
  const meant = ours.filter(({ id, login, name }) => id === wanted || login === wanted || name === text);
  const [first, ...more] =
    meant.length > 0 ? meant : actors.filter(({ id, login }) => id === wanted || login === wanted);
  if (first === undefined) throw unknownActor(wanted, ours);
  if (more.length === 0) return first;
  throw new KeyctlError("conflict", `${wanted} means ${more.length + 1} actors`, {
    hint: `name one by its id: ${[first, ...more].map(({ id }) => id).join(", ")}`,
    retryable: false,
  });
}

function unknownActor(wanted: string, ours: readonly Actor[]): KeyctlError {
  const near = nearestName(
    wanted,
    ours.flatMap(({ login, name }) => [login, name]),
  );
  const add = `keyctl actor add ${/^[\w.@+-]+$/u.test(wanted) ? wanted : "NAME --login LOGIN"}`;
  return new KeyctlError("not-found", `no actor ${wanted}`, {
    hint: near === null ? `keyctl actor list; ${add}` : `did you mean ${near}? Else ${add}`,
  });
}

/** Whether the tenant has to do with the actor: by a role in it, or by what it did there once. */
export async function isKnownHere({ store, caller }: FindDeps, actor: Actor): Promise<boolean> {
  if ((await store.roleOf(actor.id, caller.tenant.id)) !== null) return true;
  const query = { log: caller.tenant.id, actorId: actor.id, limit: 1 };
  for await (const _entry of store.auditEntries(query)) return true;
  return false;
}
