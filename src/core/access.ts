import { KeyctlError } from "./errors.ts";
import { isOwner } from "./key-spec.ts";
import type { Role } from "./model.ts";

/**
 * What a verb needs: to read keys' metadata, to change keys, to get or use their values, to read the audit log, or to decide
 * over actors, the tenant itself and what cannot be undone.
 */
export const actions = ["read", "manage", "open", "audit", "administer"] as const;
export type Action = (typeof actions)[number];

/** How far a role's right to an action goes: every key of the tenant, only the actor's own ones, or none. */
export type Reach = "all" | "own" | "none";

/** A user has its own keys and nothing else; keys of the app or the company need an operator. */
const reaches: Readonly<Record<Role, Readonly<Record<Action, Reach>>>> = {
  owner: { read: "all", manage: "all", open: "all", audit: "all", administer: "all" },
  operator: { read: "all", manage: "all", open: "all", audit: "all", administer: "none" },
  user: { read: "own", manage: "own", open: "own", audit: "none", administer: "none" },
  auditor: { read: "none", manage: "none", open: "none", audit: "all", administer: "none" },
};

/** Who asks, in which tenant; `role` is null without one there. */
export interface Standing {
  role: Role | null;
  actor: { id: string; login: string };
  /** The tenant's name. */
  tenant: string;
}

/** How far the role reaches; an actor without a role reaches nothing. */
export function reachOf(role: Role | null, action: Action): Reach {
  return role === null ? "none" : reaches[role][action];
}

/** The owners whose keys are an actor's own: `user:` and its login, or its id. */
export function ownNames(actor: { id: string; login: string }): string[] {
  return [`user:${actor.login}`, `user:${actor.id}`];
}

/** Whose a new key is when nobody says so: a user's own, by its login where that can stand in an owner; else the app's. */
export function defaultOwner(role: Role | null, actor: { id: string; login: string }): string {
  if (reachOf(role, "manage") !== "own") return "app";
  return isOwner(`user:${actor.login}`) ? `user:${actor.login}` : `user:${actor.id}`;
}

/** True when the standing allows it on a key of that owner; without an owner, on everything. */
export function mayDo(standing: Standing, action: Action, owner?: string): boolean {
  const reach = reachOf(standing.role, action);
  return (
    reach === "all" || (reach === "own" && owner !== undefined && ownNames(standing.actor).includes(owner))
  );
}

const words: Readonly<Record<Action, string>> = {
  read: "see keys",
  manage: "change keys",
  open: "open keys",
  audit: "read the audit log or see who has a role",
  administer: "decide over actors, tenants and what cannot be undone",
};

const needed: Readonly<Record<Action, string>> = {
  read: "an owner or operator of the tenant can do it",
  manage: "an owner or operator of the tenant can do it",
  open: "an owner or operator of the tenant can do it",
  audit: "an owner, operator or auditor of the tenant can do it",
  administer: "an owner of the tenant can do it",
};

/** Refuses with `forbidden`, naming the actor, its role, the tenant, and who could do it. */
export function assertMay(standing: Standing, action: Action, owner?: string): void {
  if (mayDo(standing, action, owner)) return;
  const { role, actor, tenant } = standing;
  const has = role === null ? "has no role" : `is ${role}`;
  const limit = reachOf(role, action) === "own" ? `${words[action]} other than its own` : words[action];
  throw new KeyctlError(
    "forbidden",
    `${actor.login} ${has} in tenant ${tenant}: that does not allow to ${limit}`,
    {
      hint: needed[action],
    },
  );
}
