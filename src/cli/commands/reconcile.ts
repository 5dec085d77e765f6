import type { ReconcileReport, WaitingTask } from "../../app/reconcile.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { keyPath } from "../render/key-view.ts";
import { isoTime } from "../../core/iso-time.ts";
import type { Json } from "../render/view.ts";

export const reconcileCommand: CommandDefinition = {
  name: "reconcile",
  section: "Health",
  summary: "show, and with --fix repair, what crashes and outages left behind",
  description:
    "With --fix it ends operations of dead processes, does what the vault still has to do, writes expiries, signs the logs. It never deletes, but for what somebody has purged. Run it from cron. Exit 0 when nothing is left, 8 when something waits, 11 when vault and store disagree.",
  arguments: [],
  options: [
    { name: "fix", summary: "repair, not only show" },
    {
      name: "accept-vault",
      value: "GENERATION",
      summary: "go on with an older copy of the vault; what it does not have is lost, and is revoked",
    },
  ],
  examples: [
    { command: "keyctl reconcile", does: "what is open" },
    { command: "keyctl reconcile --fix -o json", does: "maintenance, for cron" },
  ],
  danger: "severe",
  asks: "Asks nothing, but with --accept-vault it wants the generation typed; scripts pass --confirm.",
  mutation: "keyless",
  run: async (context, { flags }) => {
    const { reconcile, reconcileOutcome } = await import("../../app/reconcile.ts");
    const acceptVault = flags.integer("accept-vault");
    const fix = flags.on("fix") && !context.globals.dryRun;
    if (acceptVault !== null) await agreeToOlderVault(context, { acceptVault, fix });
    const session = await context.session({ make: false, ...(acceptVault === null ? {} : { acceptVault }) });
    const report = await reconcile(session, { fix, acceptVault });
    await context.answer.value(
      toJson(report),
      lines(report)
        .map((line) => `${line}\n`)
        .join(""),
    );
    const outcome = reconcileOutcome(report);
    if (outcome !== "ok" && !report.fixed) context.talk.hint("keyctl reconcile --fix");
    return outcome;
  },
};

async function agreeToOlderVault(
  context: CommandContext,
  wish: { acceptVault: number; fix: boolean },
): Promise<void> {
  if (!wish.fix) throw new KeyctlError("usage", "--accept-vault goes with --fix");
  await context.confirm({
    class: "severe",
    question: `go on with the vault of generation ${wish.acceptVault}: secrets and keys made since then are lost for ever`,
    word: String(wish.acceptVault),
  });
}

function toJson(report: ReconcileReport): Json {
  return {
    fixed: report.fixed,
    operations: report.operations.map(({ operation, key, action }) => ({
      id: operation.id,
      kind: operation.kind,
      key: key === null ? null : keyPath(key),
      version: operation.version,
      step: operation.step,
      since: isoTime(operation.createdAt),
      action,
    })),
    queue: { done: report.outbox.done, due: report.outbox.due.length, waiting: report.outbox.waiting },
    expired: report.expired,
    drift: report.drift.map(({ key, version, what, mended }) => ({
      key: keyPath(key),
      version,
      what,
      mended,
    })),
    lost: report.lost.map(({ key, version }) => ({ key: keyPath(key), version })),
    upstreams: report.upstreams.map(({ keyId, upstreamUrl, revokedAt }) => ({
      keyId,
      url: upstreamUrl,
      revokedAt: isoTime(revokedAt),
    })),
  };
}

const actions = {
  running: "is running",
  finished: "was finished",
  abandoned: "was given up: its value was nowhere",
  "would-end": "belongs to a process that is gone",
} as const;

const tasks = {
  "disable-secret": "disabling",
  "disable-key": "disabling",
  "purge-secret": "purging",
  "purge-key": "purging",
  "sweep-secret": "clearing up after",
  "sweep-key": "clearing up after",
} as const;

function taskLine({ item, key }: WaitingTask): string {
  const what = `${key === null ? item.keyId : keyPath(key)} version ${item.version}`;
  const tried =
    item.attempts === 0 ? "" : `, after ${item.attempts} ${item.attempts === 1 ? "attempt" : "attempts"}`;
  return `${what}: ${tasks[item.task]} it in the vault waits${tried}`;
}

function expiryLine(count: number, isWritten: boolean): string {
  if (isWritten) return `${count} ${count === 1 ? "key was" : "keys were"} written as expired`;
  return `${count} ${count === 1 ? "version is past its" : "versions are past their"} expiry`;
}

function lines(report: ReconcileReport): string[] {
  const { operations, outbox, expired, drift, upstreams } = report;
  const found = [
    ...operations.map(
      ({ operation, key, action }) =>
        `${operation.kind} of ${key === null ? operation.keyId : keyPath(key)}, version ${operation.version}, step ${operation.step}: ${actions[action]}`,
    ),
    ...outbox.due.map(taskLine),
    ...drift.map(
      ({ key, version, what, mended }) =>
        `${keyPath(key)} version ${version}: ${what}${mended ? ", mended" : ""}`,
    ),
    ...upstreams.map(
      ({ keyId, upstreamUrl }) =>
        `key ${keyId} is revoked here and still accepted by its provider${upstreamUrl === null ? "" : `: ${upstreamUrl}`}`,
    ),
  ];
  found.push(
    ...report.lost.map(
      ({ key, version }) =>
        `${keyPath(key)} version ${version} is lost and was revoked: keyctl rotate ${keyPath(key)} --replace`,
    ),
  );
  if (outbox.done > 0)
    found.push(`vault: ${outbox.done} queued ${outbox.done === 1 ? "task" : "tasks"} done`);
  if (outbox.waiting > 0)
    found.push(`${outbox.waiting} ${outbox.waiting === 1 ? "grace is" : "graces are"} running`);
  if (expired > 0) found.push(expiryLine(expired, report.fixed));
  return found.length === 0 ? ["nothing is left over"] : found;
}
