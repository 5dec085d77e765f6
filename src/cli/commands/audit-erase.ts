import type { ErasePlan, ErasedPersonal } from "../../app/erase-audit.ts";
import type { Tenant } from "../../core/model.ts";
import type { CommandDefinition } from "../command.ts";
import type { Json } from "../render/view.ts";

export const auditEraseCommand: CommandDefinition = {
  name: "audit-erase",
  section: "Audit",
  summary: "erase an actor's personal data from beside the audit log; the log still verifies",
  description:
    "Takes away logins, addresses, programs, reasons and tickets of every entry by that actor, for ever. The entries stay and go on to verify, and so do bundles that were exported before; bundles made with --with-personal still hold the data. The actor's login and roles stay. It covers the tenant's own log, and for the tenant `default` also the log `system`, where the actor `unknown` is everybody who came with a login that is no actor's. All personal data that is left is written anew, so on a large log it takes a while.",
  arguments: [],
  options: [{ name: "actor", value: "ID", summary: "whose data: id or login", completes: "actor" }],
  examples: [
    { command: "keyctl audit-erase --actor tester --dry-run", does: "how much there is, in which log" },
    {
      command:
        "keyctl audit-erase --actor 0192f0c1-0000-7000-8000-00000000000a --confirm 0192f0c1-0000-7000-8000-00000000000a",
      does: "erase it; the id is what has to be confirmed",
    },
  ],
  danger: "severe",
  asks: "Wants the actor's id typed; scripts pass --confirm.",
  mutation: "keyless",
  run: async (context, { flags }) => {
    const { eraseAudit, planEraseAudit } = await import("../../app/erase-audit.ts");
    const { talk, globals } = context;
    const request = { actor: flags.required("actor"), options: context.mutationOptions() };
    const session = await context.session({ make: false, deletedTenant: true });
    const plan = await planEraseAudit(session, request);
    const { actor, planHash } = plan;
    const { tenant } = session.caller;
    if (globals.dryRun) {
      await context.answer.value(
        { ...toJson(plan), planHash, dryRun: true },
        lines(plan, tenant, "to erase"),
      );
      return "ok";
    }
    if (plan.fields > 0) {
      const question = `erase the personal data of ${actor.login} in the audit log, for ever (fields: ${plan.fields})`;
      await context.confirm({ class: "severe", question, word: actor.id, planHash });
    }
    const agreed = globals.confirm === planHash ? planHash : null;
    const erased = await eraseAudit(session, { ...request, actor: actor.id, planHash: agreed });
    await context.answer.value(
      { ...toJson(erased), scrubbed: erased.scrubbed },
      lines(erased, tenant, "erased"),
    );
    if (erased.fields === 0) talk.note("nothing was left to erase");
    else talk.note("bundles that were exported with --with-personal before still hold it");
    if (erased.scrubbed) return "ok";
    talk.warn("the database's files may still hold what was erased");
    talk.hint("run it again when no other keyctl reads the store");
    return "pending";
  },
};

function toJson({ actor, logs, entries, fields }: ErasePlan | ErasedPersonal): { [field: string]: Json } {
  return { actor: actor.id, logs: logs.map((log) => ({ ...log })), entries, fields };
}

function lines({ logs }: ErasePlan | ErasedPersonal, tenant: Tenant, did: string): string {
  const nameOf = (log: string): string => (log === tenant.id ? `of tenant ${tenant.name}` : log);
  return logs
    .map(({ log, entries, fields }) => `log ${nameOf(log)}: fields ${did}: ${fields} (entries: ${entries})\n`)
    .join("");
}
