import type { ChangedKey, PlannedChange } from "../../app/change-key.ts";
import { tenantNames } from "../../app/tenant-names.ts";
import type { MutationOptions } from "../../app/deps.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { KeyRecord } from "../../core/model.ts";
import type { CommandContext } from "../context.ts";
import type { Danger } from "../danger.ts";
import { keyJson, keyPath, keyView } from "../render/key-view.ts";
import type { View } from "../render/view.ts";

/** The answer of a verb that changes one key: the key object, and `pending` while the vault has not followed. */
export async function showChanged(
  context: CommandContext,
  made: ChangedKey,
  did: string,
): Promise<"ok" | "pending"> {
  const { answer, talk } = context;
  const { key, changed, vaultPending } = made;
  talk.note(
    changed ? `${keyPath(key)} ${did}` : `${keyPath(key)} is ${key.state}: nothing was to be changed`,
  );
  await answer.one(await viewWith(context, { changed, vaultPending }), key);
  if (vaultPending === 0) return "ok";
  const tasks = vaultPending === 1 ? "1 task" : `${vaultPending} tasks`;
  talk.warn(`the vault has still to follow (${tasks} queued): keyctl itself denies the key already`);
  talk.hint("keyctl reconcile --fix tries now");
  return "pending";
}

/** What `--dry-run` answers: the key as it would be. */
export async function showWouldChange(
  context: CommandContext,
  planned: PlannedChange,
  would: string,
): Promise<"ok"> {
  const { answer, talk } = context;
  const { key, changed, planHash } = planned;
  const what = changed
    ? `would ${would} ${keyPath(key)}`
    : `${keyPath(key)} is ${key.state}: nothing would be changed`;
  talk.note(`${what}; nothing was done`);
  if (changed) talk.note(`plan ${planHash}: --confirm ${planHash} does exactly this`);
  await answer.one(await viewWith(context, { changed, dryRun: true, planHash }), key);
  return "ok";
}

/**
 * Asks as the class demands; nothing for a change that is none. Answers the options for it: what was agreed to by a plan's hash,
 * or is severe, is done to the key as it was then or not at all; else to whatever the key is by now.
 */
export async function agreeToChange(
  context: CommandContext,
  planned: PlannedChange,
  danger: Pick<Danger, "class"> & { verb: string },
): Promise<MutationOptions> {
  const { key, changed, planHash } = planned;
  const options = context.mutationOptions();
  if (!changed) return options;
  const words = { word: key.name, alsoAccepted: [key.id], planHash };
  await context.confirm({ class: danger.class, question: `${danger.verb} ${keyPath(key)}`, ...words });
  const isPinned = danger.class === "severe" || context.globals.confirm === planHash;
  return isPinned ? { ...options, ifRevision: key.revision - 1 } : options;
}

/** `usage` without `--reason`, naming the command to run: a suspension and its end are not told apart later without it. */
export function requireReason(context: CommandContext): void {
  if (context.mutationOptions().reason !== null) return;
  throw new KeyctlError("usage", "--reason is missing: the log keeps why", {
    hint: context.lineWith(["--reason", "TEXT"]),
  });
}

async function viewWith(
  context: CommandContext,
  more: Record<string, boolean | number | string>,
): Promise<View<KeyRecord>> {
  const tenantOf = await tenantNames(await context.session());
  const now = context.io.now();
  return { ...keyView(tenantOf, now), toJson: (key) => ({ ...keyJson(key, tenantOf, now), ...more }) };
}
