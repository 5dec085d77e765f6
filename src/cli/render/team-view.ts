import type { ListedActor } from "../../app/list-actors.ts";
import type { ListedTenant } from "../../app/list-tenants.ts";
import { isoTime } from "../../core/iso-time.ts";
import { relativeTime } from "./times.ts";
import type { Json, View } from "./view.ts";

/** Tenants, with the caller's role in each. */
export const tenantView: View<ListedTenant> = {
  columns: [
    { title: "NAME", field: "name", text: ({ tenant }) => tenant.name },
    { title: "YOUR ROLE", field: "role", text: ({ role }) => role },
    {
      title: "CREATED",
      field: "createdAt",
      text: ({ tenant }, now) => relativeTime(tenant.createdAt, now),
      csv: ({ tenant }) => isoTime(tenant.createdAt),
      narrow: "drop",
    },
    { title: "ID", field: "id", text: ({ tenant }) => tenant.id, wide: true },
  ],
  toJson: ({ tenant, role }) => ({
    id: tenant.id,
    name: tenant.name,
    createdAt: isoTime(tenant.createdAt),
    role,
  }),
  name: ({ tenant }) => tenant.name,
};

/** Actors, with their roles in the tenants that the caller may know of. */
export const actorView: View<ListedActor> = {
  columns: [
    { title: "NAME", field: "name", text: ({ actor }) => actor.name, narrow: "cut" },
    { title: "LOGIN", field: "login", text: ({ actor }) => actor.login },
    {
      title: "ROLES",
      field: "roles",
      text: ({ roles }) => roles.map(({ tenant, role }) => `${role} in ${tenant}`).join(", ") || "none",
    },
    { title: "ID", field: "id", text: ({ actor }) => actor.id, wide: true },
  ],
  toJson: ({ actor, roles }) => ({
    id: actor.id,
    name: actor.name,
    login: actor.login,
    roles: roles.map((each) => ({ ...each })),
  }),
  name: ({ actor }) => actor.login,
};

/** The same, with `dryRun` in its JSON. */
export function asPlan<Row>(view: View<Row>): View<Row> {
  return { ...view, toJson: (row) => ({ ...(view.toJson(row) as { [field: string]: Json }), dryRun: true }) };
}
