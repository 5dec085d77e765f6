import { KeyctlError } from "./errors.ts";
import type { Role } from "./model.ts";

/** What a verb needs: to change keys, to read their metadata, or to read the audit log. */
export type Action = "manage" | "read" | "audit";

const allowed: Readonly<Record<Role, readonly Action[]>> = {
  owner: ["manage", "read", "audit"],
  operator: ["manage", "read", "audit"],
  user: ["read"],
  auditor: ["audit"],
};

/** True when the role may do it; null is an actor without a role in the tenant. */
export function mayDo(role: Role | null, action: Action): boolean {
  return role !== null && allowed[role].includes(action);
}

/** Refuses with `forbidden`, naming the actor and the tenant. */
export function assertMay(action: Action, who: { role: Role | null; login: string; tenant: string }): void {
  if (mayDo(who.role, action)) return;
  const standing = who.role === null ? "has no role" : `is ${who.role}`;
  throw new KeyctlError(
    "forbidden",
    `${who.login} ${standing} in tenant ${who.tenant}: that does not allow to ${action}`,
    {
      hint: "an owner of the tenant can do it",
    },
  );
}
