import { assertMay } from "../core/access.ts";
import { parseActorName, parseLogin } from "../core/actor-name.ts";
import { KeyctlError } from "../core/errors.ts";
import type { Actor, Role } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import type { MutationOptions } from "./deps.ts";
import { assertTenantLives } from "./find-key.ts";
import type { StoreReader } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";

export interface AddActorInput {
  name: string;
  /** What the system calls it; null when that is the name. */
  login: string | null;
  /** In the context's tenant. */
  role: Role;
  options: MutationOptions;
}

/** The actor as it would be recorded; refused where it would be. Nothing is written. */
export async function planAddActor(deps: AttemptDeps, input: AddActorInput): Promise<Actor> {
  return await attempted(deps, { operation: "actor.add" }, async () => await plan(deps, deps.store, input));
}

/**
 * Makes a person or a service known to the store, with a role in the context's tenant. `forbidden` but for owners; `conflict`
 * when the login is known; `usage` for a name or login that cannot be told from others.
 */
export async function addActor(deps: AttemptDeps, input: AddActorInput): Promise<Actor> {
  const work = async (): Promise<Actor> =>
    await deps.store.transaction(async (tx) => {
      const { role, options } = input;
      const actor = await plan(deps, tx, input);
      await tx.insertActor(actor);
      const tenantId = deps.caller.tenant.id;
      await tx.insertMembership({ actorId: actor.id, tenantId, role, createdAt: actor.createdAt });
      const after = { actor: actor.id, role };
      await recordAudit(tx, deps, { operation: "actor.add", sensitivity: "HIGH", after, options });
      return actor;
    });
  return await attempted(deps, { operation: "actor.add" }, work);
}

async function plan(deps: AttemptDeps, store: StoreReader, input: AddActorInput): Promise<Actor> {
  const { actor: self, tenant } = deps.caller;
  const role = await store.roleOf(self.id, tenant.id);
  assertMay({ role, actor: self, tenant: tenant.name }, "administer");
  await assertTenantLives(store, tenant);
  const name = parseActorName(input.name);
  const login = parseLogin(input.login ?? name);
  if ((await store.actorByLogin(login)) !== null) {
    throw new KeyctlError("conflict", `there is an actor with the login ${login} already`, {
      hint: `keyctl actor grant ${login} ${input.role} gives it a role here`,
      retryable: false,
    });
  }
  const now = deps.clock.now();
  return { id: uuidv7(now, deps.random.bytes(10)), name, login, createdAt: now };
}
