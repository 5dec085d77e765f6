import type { KeySelector } from "../../app/find-key.ts";
import type { RevokeInput, RevokePlan, RevokeTarget } from "../../app/plan-revoke.ts";
import { KeyctlError } from "../../core/errors.ts";
import { assertOwner } from "../../core/key-spec.ts";
import { revokeReasons, severities } from "../../core/model.ts";
import type { CommandDefinition, CommandInput } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { readStdin } from "../secret-input.ts";
import { readPath } from "./target.ts";

/** 64 MiB: a text to revoke by is held in memory once. */
const leakedTextBytesMax = 64 << 20;

export const revokeCommand: CommandDefinition = {
  name: "revoke",
  section: "Emergencies",
  summary: "deny keys, in the store first; tells which place enforces it and what is still open",
  description:
    "Works while the vault is down: what the vault has to do is queued (exit 8). Reasons key-compromise and security-incident, and --leaked, make versions compromised: they never come back. A provider's key must be deleted at the provider too; --upstream-done records that.",
  arguments: [
    {
      name: "NAME",
      summary: "the keys: name, env/name or tenant/env/name",
      required: false,
      variadic: true,
      completes: "key",
    },
  ],
  options: [
    {
      name: "id",
      value: "ID",
      repeatable: true,
      summary: "by UUID, or by the public id inside an issued key (then only that version)",
    },
    { name: "version", value: "N", summary: "only this version" },
    { name: "leaked", summary: "the versions whose secrets stand in the text on stdin" },
    { name: "all", summary: "every key that the --where- flags choose" },
    { name: "where-tenant", value: "NAME", completes: "tenant", summary: "with --all: of this tenant" },
    { name: "where-owner", value: "WHO", summary: "with --all: of this owner" },
    { name: "where-tag", value: "K=V", repeatable: true, summary: "with --all: with this tag" },
    { name: "where-provider", value: "NAME", summary: "with --all: of this provider" },
    {
      name: "reason",
      value: "CODE",
      choices: revokeReasons,
      summary: "why; needed but with --leaked, --undo and --upstream-done",
    },
    { name: "severity", value: "HOW", choices: severities, summary: "how bad it is, for the log" },
    { name: "wait", summary: "wait until the vault has answered" },
    { name: "undo", summary: "take the last revoke of the key back, within 60 minutes" },
    { name: "upstream-done", summary: "record that the provider has deleted its key" },
  ],
  examples: [
    { command: "keyctl revoke payments --reason key-compromise --yes", does: "deny it now and for ever" },
    { command: "keyctl revoke --leaked --dry-run < job.log", does: "which of our keys stand in this log" },
    {
      command: "keyctl revoke --all --where-owner user:42 --reason privilege-withdrawn --dry-run",
      does: "list what would be denied, with a plan hash",
    },
  ],
  danger: "severe",
  mutation: "idempotent",
  run: async (context, input) => {
    if (input.flags.on("undo")) return await undo(context, input);
    if (input.flags.on("upstream-done")) return await upstreamDone(context, input);
    const { awaitVault, planRevokeKeys, revokeKeys } = await import("../../app/revoke-keys.ts");
    const { revokeOutcome, showRevocation, showRevokePlan } = await import("./revocation.ts");
    const target = await readRevokeTarget(context, input);
    const session = await context.session();
    const request = readRequest(context, input, target);
    const plan = await planRevokeKeys(session, request);
    if (context.globals.dryRun) {
      await showRevokePlan(context, plan);
      return plan.complete ? "ok" : "partial";
    }
    const unwrapToo = await agree(context, plan);
    const confirmed = {
      ...request,
      unwrapToo,
      // Only who names a plan wants exactly that one: else a rotation that comes between must not save the key.
      planHash: context.globals.confirm === plan.planHash ? plan.planHash : null,
      agreed: plan.planned.map(({ key }) => key.id),
    };
    let result = await revokeKeys(session, confirmed);
    if (input.flags.on("wait")) result = await awaitVault(session, result, pause);
    await showRevocation(context, result);
    return revokeOutcome(result);
  },
};

const pauseMs = 1000;

async function pause(): Promise<void> {
  await new Promise((resume) => {
    setTimeout(resume, pauseMs);
  });
}

function readRequest(context: CommandContext, { flags }: CommandInput, target: RevokeTarget): RevokeInput {
  const reason = flags.choice("reason", revokeReasons) ?? ("leakedText" in target ? "key-compromise" : null);
  if (reason === null) {
    throw new KeyctlError("usage", "--reason is missing", { hint: `one of ${revokeReasons.join(", ")}` });
  }
  // Its --reason is a code, not free text.
  const options = { ...context.mutationOptions(), reason: null };
  return {
    target,
    reason,
    severity: flags.choice("severity", severities),
    unwrapToo: false,
    planHash: null,
    options,
  };
}

async function readRevokeTarget({ io }: CommandContext, input: CommandInput): Promise<RevokeTarget> {
  const { flags, args } = input;
  const ids = flags.list("id");
  const named = args.length + ids.length > 0;
  const ways = [named, flags.on("leaked"), flags.on("all")].filter(Boolean).length;
  if (ways !== 1) {
    throw new KeyctlError(
      "usage",
      ways === 0
        ? "which keys: NAME, --id, --leaked or --all is missing"
        : "NAME or --id, --leaked and --all exclude each other",
      {
        hint: "keyctl revoke --help",
      },
    );
  }
  if (flags.on("leaked")) {
    if (io.stdin.isTTY)
      throw new KeyctlError("usage", "--leaked reads the text on stdin, and stdin is the terminal", {
        hint: "keyctl revoke --leaked < job.log",
      });
    const leakedText = await readStdin(io, leakedTextBytesMax);
    if (leakedText.length > 0) return { leakedText };
    throw new KeyctlError("usage", "--leaked found nothing on stdin to look through", {
      hint: "keyctl revoke --leaked < job.log",
    });
  }
  if (!flags.on("all")) {
    const keys = [...args.map((path) => ({ path: readPath(path, flags) })), ...ids.map((id) => ({ id }))];
    return { keys, version: flags.integer("version") };
  }
  const tenant = flags.text("where-tenant");
  const owner = flags.text("where-owner");
  // A slip of the pen would match nobody, and the answer would look as if all were done.
  if (owner !== null) assertOwner(owner, "--where-owner");
  const provider = flags.text("where-provider");
  const tags = flags.pairs("where-tag");
  return {
    where: {
      ...(tenant === null ? {} : { tenant }),
      ...(owner === null ? {} : { owner }),
      ...(provider === null ? {} : { provider }),
      ...(Object.keys(tags).length === 0 ? {} : { tags }),
    },
  };
}

/** Asks as the targets demand; answers whether an encryption key's unwrapping is to be disabled as well. */
async function agree(context: CommandContext, plan: RevokePlan): Promise<boolean> {
  const { keyPath } = await import("../render/key-view.ts");
  const touched = plan.planned.filter(({ changes }) => changes.length > 0);
  const [only] = touched;
  if (only === undefined) return isNamed(context, plan);
  if (touched.length > 1) {
    const count = String(touched.length);
    await context.confirm({
      class: "severe",
      question: `revoke ${count} keys`,
      word: count,
      planHash: plan.planHash,
    });
    return false;
  }
  const { key } = only;
  const { globals, io, talk } = context;
  const words = { word: key.name, alsoAccepted: [key.id, "1"], planHash: plan.planHash };
  await context.confirm({ class: "moderate", question: `revoke ${keyPath(key)}`, ...words });
  if (key.kind !== "encryption") return false;
  if (globals.confirm !== null) return globals.confirm === key.name || globals.confirm === key.id;
  if (globals.yes) {
    talk.note("wrap is refused from now on, unwrap stays: --confirm NAME also disables the key in the vault");
    return false;
  }
  const prompter = await io.openPrompter();
  if (prompter === null) return false;
  try {
    const typed = await prompter.text(
      `Disable it in the vault too? What it protects goes dark. Type ${key.name}, or Enter to leave unwrap working`,
    );
    return typed.trim() === key.name;
  } finally {
    prompter.close();
  }
}

/** A revoke that is given again by its name goes on with what the vault was not told the first time. */
function isNamed({ globals }: CommandContext, { planned }: RevokePlan): boolean {
  const [only] = planned;
  if (only === undefined || planned.length > 1 || only.key.kind !== "encryption") return false;
  return globals.confirm === only.key.name || globals.confirm === only.key.id;
}

async function undo(context: CommandContext, input: CommandInput): Promise<"ok"> {
  const { planUndoRevoke, undoRevoke } = await import("../../app/undo-revoke.ts");
  const { keyPath, keyView } = await import("../render/key-view.ts");
  const { tenantNames } = await import("../../app/tenant-names.ts");
  const request = { target: readSingle(input), options: context.mutationOptions() };
  const session = await context.session();
  const key = await planUndoRevoke(session, request);
  if (context.globals.dryRun) {
    await context.answer.one(keyView(await tenantNames(session), context.io.now()), key);
    context.talk.note(`would undo the last revoke of ${keyPath(key)}; nothing was done`);
    return "ok";
  }
  await context.confirm({
    class: "moderate",
    question: `undo the revoke of ${keyPath(key)}`,
    word: key.name,
    alsoAccepted: [key.id],
  });
  const restored = await undoRevoke(session, request);
  context.talk.note(
    `what the revoke of ${keyPath(key)} denied is suspended now, still denied; keyctl resume ${keyPath(key)} --reason TEXT makes it accepted again`,
  );
  await context.answer.one(keyView(await tenantNames(session), context.io.now()), restored);
  return "ok";
}

async function upstreamDone(context: CommandContext, input: CommandInput): Promise<"ok"> {
  const { confirmUpstream, planConfirmUpstream } = await import("../../app/undo-revoke.ts");
  const { keyPath, keyView } = await import("../render/key-view.ts");
  const { tenantNames } = await import("../../app/tenant-names.ts");
  const request = { target: readSingle(input), options: context.mutationOptions() };
  const session = await context.session();
  const view = keyView(await tenantNames(session), context.io.now());
  if (context.globals.dryRun) {
    await context.answer.one(view, await planConfirmUpstream(session, request));
    return "ok";
  }
  const key = await confirmUpstream(session, request);
  context.talk.note(`recorded: the provider has deleted its key of ${keyPath(key)}`);
  await context.answer.one(view, key);
  return "ok";
}

/** NAME and `--id` may be many for a revoke; these two take one key. */
function readSingle({ args, flags }: CommandInput): KeySelector {
  const [only, ...more] = [
    ...args.map((path) => ({ path: readPath(path, flags) })),
    ...flags.list("id").map((id) => ({ id })),
  ];
  if (only !== undefined && more.length === 0) return only;
  throw new KeyctlError(
    "usage",
    only === undefined ? "which key: NAME or --id is missing" : "this takes one key at a time",
  );
}
