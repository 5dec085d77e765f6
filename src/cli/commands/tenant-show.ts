import type { ShownTenant } from "../../app/show-tenant.ts";
import type { CommandDefinition } from "../command.ts";
import { isoTime } from "../../core/iso-time.ts";
import { relativeTime } from "../render/times.ts";
import type { Json } from "../render/view.ts";
import { tenantArgument } from "./team.ts";

export const tenantShowCommand: CommandDefinition = {
  name: "tenant show",
  section: "Team",
  summary: "show a tenant: how many keys in which state, who is in it, how long its log is",
  description: "Owners, operators and auditors may ask; auditors see no keys, not even how many.",
  arguments: [
    { ...tenantArgument, summary: "the tenant's name; without it, the context's", required: false },
  ],
  options: [],
  examples: [
    { command: "keyctl tenant show", does: "the tenant you work in" },
    { command: "keyctl tenant show default -o json", does: "for a script" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { args: [name] }) => {
    const { showTenant } = await import("../../app/show-tenant.ts");
    const shown = await showTenant(await context.session(), name ?? null);
    await context.answer.value(toJson(shown), lines(shown, context.io.now()));
    return "ok";
  },
};

function toJson({ tenant, keys, actors, log }: ShownTenant): Json {
  return {
    id: tenant.id,
    name: tenant.name,
    createdAt: isoTime(tenant.createdAt),
    keys: keys === null ? null : Object.fromEntries(keys.map(({ state, count }) => [state, count])),
    actors: actors.map(({ actor: { id, name, login }, role }) => ({ id, name, login, role })),
    log: { ...log, newestCheckpointAt: isoTime(log.newestCheckpointAt) },
  };
}

function lines({ tenant, keys, actors, log }: ShownTenant, now: number): string {
  const counts = keys?.map(({ state, count }) => `${count} ${state}`).join(", ");
  const signed =
    log.newestCheckpointAt === null
      ? "never signed"
      : `signed to ${log.signedSize}, ${relativeTime(log.newestCheckpointAt, now)}`;
  return [
    `tenant  ${tenant.name}, made ${relativeTime(tenant.createdAt, now)}`,
    `keys    ${counts === undefined ? "not for your role" : counts || "none"}`,
    ...actors.map(({ actor, role }) => `actor   ${actor.login}, ${role}`),
    `log     ${log.size} ${log.size === 1 ? "entry" : "entries"}, ${signed}`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}
