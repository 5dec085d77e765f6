import { assertMay } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import type { Actor, Role } from "../core/model.ts";
import { attempted } from "./attempt.ts";
import type { Attempt, AttemptDeps } from "./attempt.ts";
import type { MutationOptions } from "./deps.ts";
import { findActor, findMember } from "./find-actor.ts";
import { assertTenantLives } from "./find-key.ts";
import { hashPlan } from "./plan-hash.ts";
import type { StoreReader } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";

export interface RoleInput {
  /** Id, login or name. */
  actor: string;
  /** In the context's tenant; null takes the role away. */
  role: Role | null;
  options: MutationOptions;
}

export interface RoleChange {
  actor: Actor;
  before: Role | null;
  after: Role | null;
  planHash: string;
}

/**
 * What a change of role would do. `forbidden` but for owners; `not-found` for an unknown actor, and for one without a role that
 * could be taken; `refused` when the tenant would be left without an owner. Nothing is written.
 */
export async function planRole(deps: AttemptDeps, input: RoleInput): Promise<RoleChange> {
  return await attempted(deps, attemptOf(input), async () => await plan(deps, deps.store, input));
}

/**
 * Gives an actor a role in the context's tenant in place of the one it had, or takes it away. Who may do it, and whether an owner
 * is left, is looked at where nobody else writes: of two owners who remove each other at once, one stays. The role that it has
 * already changes nothing. With `planHash` only exactly that plan is done, else `conflict`. Errors as `planRole`.
 */
export async function changeRole(
  deps: AttemptDeps,
  input: RoleInput & { planHash: string | null },
): Promise<RoleChange> {
  return await attempted(
    deps,
    attemptOf(input),
    async () =>
      await deps.store.transaction(async (tx) => {
        const { tenant } = deps.caller;
        const change = await plan(deps, tx, input);
        if (input.planHash !== null && input.planHash !== change.planHash) throw planChanged();
        const { actor, before, after } = change;
        if (before === after) return change;
        if (before !== null) await tx.removeMembership({ actorId: actor.id, tenantId: tenant.id });
        if (after !== null) {
          const createdAt = deps.clock.now();
          await tx.insertMembership({ actorId: actor.id, tenantId: tenant.id, role: after, createdAt });
        }
        await recordAudit(tx, deps, {
          ...attemptOf(input),
          sensitivity: "HIGH",
          before: { actor: actor.id, role: before },
          after: { actor: actor.id, role: after },
          options: input.options,
        });
        return change;
      }),
  );
}

function attemptOf({ role }: RoleInput): Pick<Attempt, "operation"> {
  return { operation: role === null ? "actor.revoke" : "actor.grant" };
}

async function plan(deps: AttemptDeps, store: StoreReader, input: RoleInput): Promise<RoleChange> {
  const { actor: self, tenant } = deps.caller;
  const role = await store.roleOf(self.id, tenant.id);
  assertMay({ role, actor: self, tenant: tenant.name }, "administer");
  await assertTenantLives(store, tenant);
  const look = { store, caller: deps.caller };
  const actor = await (input.role === null ? findMember(look, input.actor) : findActor(look, input.actor));
  const before = await store.roleOf(actor.id, tenant.id);
  if (before === "owner" && input.role !== "owner") await assertOtherOwner(store, actor, tenant);
  const ids = { tenant: tenant.id, actor: actor.id };
  const planHash = hashPlan({ verb: "actor-role", ...ids, before, after: input.role });
  return { actor, before, after: input.role, planHash };
}

async function assertOtherOwner(
  store: StoreReader,
  actor: Actor,
  tenant: { id: string; name: string },
): Promise<void> {
  const members = await store.memberships({ tenantId: tenant.id });
  if (members.some(({ role, actorId }) => role === "owner" && actorId !== actor.id)) return;
  throw new KeyctlError("refused", `${actor.login} is the last owner of tenant ${tenant.name}`, {
    hint: "first make somebody else owner: keyctl actor grant ACTOR owner",
  });
}

function planChanged(): KeyctlError {
  return new KeyctlError("conflict", "the actor's role is another than the plan showed: nothing was done", {
    hint: "run it with --dry-run again",
    retryable: false,
  });
}
