import { systemLog } from "../audit/entry.ts";
import type { Actor } from "../core/model.ts";
import { unknownActor } from "./admit-caller.ts";
import type { Deps } from "./deps.ts";
import { defaultTenant } from "./init-store.ts";

type KnownDeps = Pick<Deps, "store" | "caller">;

/** What the log can be asked for. */
export type LoggedActor = Pick<Actor, "id" | "login">;

/** The logs whose personal data is the tenant's to decide over: its own, and for the tenant that every store has the log `system`. */
export function logsOf({ caller: { tenant } }: Pick<Deps, "caller">): string[] {
  return tenant.name === defaultTenant ? [tenant.id, systemLog] : [tenant.id];
}

/**
 * The actor of that id or login that the tenant has to do with, by a role in it or by an entry of `logsOf`; else null. Whoever
 * came with a login that was no actor's is `unknown`.
 */
export async function knownActor(deps: KnownDeps, wanted: string): Promise<LoggedActor | null> {
  const stranger = { id: unknownActor, login: unknownActor };
  const actors: LoggedActor[] = [...(await deps.store.actors()), stranger];
  const actor = actors.find(({ id, login }) => id === wanted || login === wanted);
  return actor !== undefined && (await isKnownHere(deps, actor)) ? actor : null;
}

async function isKnownHere(deps: KnownDeps, { id }: LoggedActor): Promise<boolean> {
  const { store, caller } = deps;
  if ((await store.roleOf(id, caller.tenant.id)) !== null) return true;
  for (const log of logsOf(deps)) {
    for await (const _entry of store.auditEntries({ log, actorId: id, limit: 1 })) return true;
  }
  return false;
}
