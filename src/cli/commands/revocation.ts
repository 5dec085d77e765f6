import type { RevokedKey, RevokeResult } from "../../app/describe-revocation.ts";
import { keyAfter, undoUntilOf } from "../../app/plan-revoke.ts";
import type { PlannedKey, RevokePlan } from "../../app/plan-revoke.ts";
import { tenantNames } from "../../app/tenant-names.ts";
import type { KeyRecord } from "../../core/model.ts";
import type { CommandContext } from "../context.ts";
import type { Outcome } from "../exit-codes.ts";
import { keyPath, toneOf } from "../render/key-view.ts";
import { formatTable } from "../render/table.ts";
import { isoTime } from "../../core/iso-time.ts";
import { relativeTime } from "../render/times.ts";
import type { Column, Json } from "../render/view.ts";
import type { Talk } from "../talk.ts";

/** `pending` while anything is open, `partial` when a text could not be looked through for every kind of secret. */
export function revokeOutcome(result: RevokeResult): Outcome {
  if (!result.complete) return "partial";
  const open =
    result.vault.pending > 0 ||
    result.keys.some((key) => key.deniedAt === null || key.upstream?.status === "open");
  return open ? "pending" : "ok";
}

const columns: readonly Column<RevokedKey>[] = [
  { title: "NAME", field: "name", text: ({ key }) => keyPath(key) },
  { title: "STATE", field: "state", text: ({ key }) => key.state, tone: ({ key }) => toneOf(key.state) },
  { title: "VERSIONS", field: "versions", text: ({ versions }) => versions.join(",") },
  { title: "ENFORCED BY", field: "enforcedBy", text: ({ enforcedBy }) => enforcedBy },
  {
    title: "DENIED",
    field: "deniedAt",
    text: ({ deniedAt }, now) => (deniedAt === null ? "not yet" : relativeTime(deniedAt, now)),
    tone: ({ deniedAt }) => (deniedAt === null ? "bad" : "good"),
  },
  {
    title: "PROVIDER",
    field: "upstream",
    text: ({ upstream }) =>
      upstream === null ? "-" : upstream.status === "open" ? "still accepts it" : "deleted",
  },
];

/** The answer of a revoke: what is true, what is not yet, and what comes next. */
export async function showRevocation(context: CommandContext, result: RevokeResult): Promise<void> {
  const { answer, talk } = context;
  const tenantOf = await tenantNames(await context.session());
  const json: Json = {
    revokedAt: isoTime(result.revokedAt),
    planHash: result.planHash,
    keys: result.keys.map((key) => revokedJson(key, tenantOf(key.key))),
    denied: result.denied,
    vault: result.vault,
    undoUntil: isoTime(result.undoUntil),
    operationId: result.operationId,
    replayed: result.replayed,
  };
  if (result.keys.length === 0) talk.note("no key of ours was named: nothing was revoked");
  await answer.value(json, async (style) =>
    result.keys.length === 0 ? "" : await formatTable(columns, result.keys, style),
  );
  if (result.vault.pending > 0) {
    const { done, total } = result.vault;
    talk.warn(
      `vault ${done}/${total}, the rest is queued and tried again: until then the vault still gives what it was asked to disable`,
    );
    talk.hint("keyctl reconcile --fix tries now; --wait waits for it");
  }
  for (const { key, upstream } of result.keys) {
    if (upstream?.status === "open") warnUpstream(talk, key, upstream.url);
  }
  if (!result.complete)
    talk.warn(
      "only issued keys were looked for in the text, by id and checksum: run it again when the vault answers",
    );
}

/** Says that a provider accepts what is denied here, where to delete it, and how to record that. */
export function warnUpstream(talk: Talk, key: KeyRecord, url: string | null): void {
  talk.warn(
    `${keyPath(key)}: ${key.provider ?? "the provider"} still accepts it until it is deleted there${url === null ? "" : `: ${url}`}`,
  );
  talk.hint(`then: keyctl revoke ${keyPath(key)} --upstream-done`);
}

function revokedJson(
  { key, versions, enforcedBy, deniedAt, effectiveAt, upstream }: RevokedKey,
  tenant: string,
): Json {
  return {
    id: key.id,
    name: key.name,
    tenant,
    env: key.env,
    versions,
    state: key.state,
    enforcedBy,
    deniedAt: isoTime(deniedAt),
    effectiveAt: isoTime(effectiveAt),
    upstream,
  };
}

const planColumns: readonly Column<PlannedKey>[] = [
  { title: "NAME", field: "name", text: ({ key }) => keyPath(key) },
  { title: "KIND", field: "kind", text: ({ key }) => key.kind },
  { title: "STATE", field: "state", text: ({ key }) => key.state, tone: ({ key }) => toneOf(key.state) },
  { title: "BECOMES", field: "becomes", text: (planned) => keyAfter(planned).state },
  {
    title: "VERSIONS",
    field: "versions",
    text: ({ changes }) => changes.map((change) => change.version).join(",") || "none",
  },
  { title: "OWNER", field: "owner", text: ({ key }) => key.owner },
];

/** What `--dry-run` answers: every target, and the hash that pins them. */
export async function showRevokePlan(context: CommandContext, plan: RevokePlan): Promise<void> {
  const { answer, talk, io } = context;
  const tenantOf = await tenantNames(await context.session());
  const json: Json = {
    dryRun: true,
    planHash: plan.planHash,
    keys: plan.planned.map((planned) => ({
      id: planned.key.id,
      name: planned.key.name,
      tenant: tenantOf(planned.key),
      env: planned.key.env,
      kind: planned.key.kind,
      state: planned.key.state,
      becomes: keyAfter(planned).state,
      versions: planned.changes.map((change) => change.version),
      undoUntil: isoTime(undoUntilOf(planned, io.now())),
    })),
  };
  await answer.value(json, async (style) => await formatTable(planColumns, plan.planned, style));
  talk.note(
    `would revoke ${plan.planned.filter(({ changes }) => changes.length > 0).length} of these; nothing was done`,
  );
  talk.note(`plan ${plan.planHash}: --confirm ${plan.planHash} does exactly this`);
}
