import type { RoleChange } from "../../app/change-role.ts";
import { KeyctlError } from "../../core/errors.ts";
import { nearestName } from "../../core/near-name.ts";
import { roles } from "../../core/model.ts";
import type { Role } from "../../core/model.ts";
import type { ArgumentDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";

export const tenantArgument: ArgumentDefinition = {
  name: "TENANT",
  summary: "the tenant's name",
  required: true,
  completes: "tenant",
};

export const actorArgument: ArgumentDefinition = {
  name: "ACTOR",
  summary: "the actor's login, name or id",
  required: true,
  completes: "actor",
};

/** One of the roles; `usage` with the nearest one. */
export function parseRole(text: string): Role {
  const found = roles.find((role) => role === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearestName(text, roles);
  throw new KeyctlError("usage", "the role is none of the roles", {
    hint: near === null ? `one of ${roles.join(", ")}` : `did you mean ${near}?`,
  });
}

/** Asks, does it, and answers with what the actor's role in the tenant was and is. */
export async function runRoleChange(
  context: CommandContext,
  request: { actor: string; role: Role | null },
): Promise<"ok"> {
  const { changeRole, planRole } = await import("../../app/change-role.ts");
  const input = { ...request, options: context.mutationOptions() };
  const session = await context.session();
  const { globals, talk } = context;
  const tenant = session.caller.tenant.name;
  const planned = await planRole(session, input);
  const { actor, planHash } = planned;
  if (globals.dryRun) {
    await showRole(context, planned, { tenant, dryRun: true });
    talk.note(`plan ${planHash}: --confirm ${planHash} does exactly this`);
    return "ok";
  }
  const becomes = planned.after === null ? "no role" : planned.after;
  if (planned.before !== planned.after) {
    const question = `${actor.login} in tenant ${tenant}: ${planned.before ?? "no role"} becomes ${becomes}`;
    const alsoAccepted = [actor.id, actor.name];
    await context.confirm({ class: "moderate", question, word: actor.login, alsoAccepted, planHash });
  }
  const agreed = globals.confirm === planHash ? planHash : null;
  const changed = await changeRole(session, { ...input, actor: actor.id, planHash: agreed });
  if (changed.before === changed.after) talk.note(`${actor.login} is ${becomes} in tenant ${tenant} already`);
  if (changed.after === null)
    talk.note(`keys of user:${actor.login} stay as they are: keyctl list --owner user:${actor.login}`);
  await showRole(context, changed, { tenant });
  return "ok";
}

async function showRole(
  context: CommandContext,
  { actor, before, after, planHash }: RoleChange,
  more: { tenant: string; dryRun?: true },
): Promise<void> {
  const { id, name, login } = actor;
  const json = { login, before, after, planHash, ...more };
  const text = `${login}: ${before ?? "no role"} -> ${after ?? "no role"} in tenant ${more.tenant}\n`;
  // Before they are in the tenant, a login tells nobody who is behind it.
  if (more.dryRun === true) await context.answer.value(json, `would be: ${text}`);
  else await context.answer.value({ id, name, ...json }, text);
}
