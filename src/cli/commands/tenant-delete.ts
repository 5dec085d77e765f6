import type { DeletedTenant, PlannedDeletion } from "../../app/delete-tenant.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { keyPath } from "../render/key-view.ts";
import { isoTime } from "../../core/iso-time.ts";
import type { Column, Json } from "../render/view.ts";
import { tenantArgument } from "./team.ts";

export const tenantDeleteCommand: CommandDefinition = {
  name: "tenant delete",
  section: "Team",
  summary: "end a tenant: all its keys are denied for ever, its log stays",
  description:
    "Revokes every live key of the tenant, in every environment, and ends it in the same moment; what the vault has to do is queued (exit 8). Only its owners may, and nobody can undo it. Its log can still be listed, exported and verified by who had a role that may: the audit verbs take --tenant NAME. The name is never given again. The tenant default cannot be deleted.",
  arguments: [tenantArgument],
  options: [],
  examples: [
    { command: "keyctl tenant delete acme --dry-run", does: "which live keys it has" },
    { command: "keyctl tenant delete acme --confirm acme", does: "end it" },
  ],
  danger: "severe",
  asks: "Wants the tenant's name typed; scripts pass --confirm.",
  mutation: "keyless",
  run: async (context, { args: [name = ""] }) => {
    const { deleteTenant, planDeleteTenant } = await import("../../app/delete-tenant.ts");
    const { revokeOutcome } = await import("./revocation.ts");
    const { globals, talk } = context;
    const request = { name, options: context.mutationOptions() };
    const session = await context.session();
    const planned = await planDeleteTenant(session, request);
    const { tenant, live, planHash } = planned;
    const alive = live.length === 1 ? "1 live key" : `${live.length} live keys`;
    if (globals.dryRun) {
      await showPlan(context, planned);
      talk.note(`would delete tenant ${tenant.name} with ${alive}; nothing was done`);
      talk.note(`plan ${planHash}: --confirm ${planHash} does exactly this`);
      return "ok";
    }
    for (const { key } of live.slice(0, shownMax))
      talk.note(`live: ${keyPath(key)}, ${key.kind}, ${key.state}`);
    if (live.length > shownMax) talk.note(`and ${live.length - shownMax} more: --dry-run lists them all`);
    const question = `delete tenant ${tenant.name} and deny its ${alive}, for ever`;
    await context.confirm({
      class: "severe",
      question,
      word: tenant.name,
      alsoAccepted: [tenant.id],
      planHash,
    });
    const agreed = globals.confirm === planHash ? planHash : null;
    const deleted = await deleteTenant(session, { ...request, planHash: agreed });
    await showDeleted(context, deleted);
    return revokeOutcome(deleted.revoked);
  },
};

/** As many names as a person looks at before typing another. */
const shownMax = 20;

const columns: readonly Column<PlannedDeletion["live"][number]>[] = [
  { title: "NAME", field: "name", text: ({ key }) => keyPath(key) },
  { title: "KIND", field: "kind", text: ({ key }) => key.kind },
  { title: "STATE", field: "state", text: ({ key }) => key.state },
  { title: "OWNER", field: "owner", text: ({ key }) => key.owner, narrow: "cut" },
];

async function showPlan(
  { answer }: CommandContext,
  { tenant, live, planHash }: PlannedDeletion,
): Promise<void> {
  const { formatTable } = await import("../render/table.ts");
  const json: Json = {
    id: tenant.id,
    name: tenant.name,
    keys: live.map(({ key: { id, name, env, kind, state } }) => ({ id, name, env, kind, state })),
    planHash,
    dryRun: true,
  };
  await answer.value(json, async (style) =>
    live.length === 0 ? "" : await formatTable(columns, live, style),
  );
}

async function showDeleted(
  { answer, talk }: CommandContext,
  { tenant, revoked }: DeletedTenant,
): Promise<void> {
  const json: Json = {
    id: tenant.id,
    name: tenant.name,
    deletedAt: isoTime(tenant.deletedAt),
    keys: revoked.keys.map(({ key: { id, name, env, kind, state }, deniedAt, upstream }) => ({
      id,
      name,
      env,
      kind,
      state,
      deniedAt: isoTime(deniedAt),
      upstream,
    })),
    vault: revoked.vault,
    operationId: revoked.operationId,
  };
  const count = revoked.keys.length;
  await answer.value(json, `tenant ${tenant.name} is deleted; keys denied: ${count}\n`);
  const { done, total, pending } = revoked.vault;
  if (pending > 0) {
    talk.warn(`vault ${done}/${total}: until the rest is done it still gives what it was asked to disable`);
    talk.hint("keyctl reconcile --fix tries now");
  }
  for (const { key, upstream } of revoked.keys) {
    if (upstream?.status !== "open") continue;
    const page = upstream.url === null ? "" : `: ${upstream.url}`;
    talk.warn(
      `${keyPath(key)}: ${key.provider ?? "the provider"} accepts it until it is deleted there${page}`,
    );
  }
}
