import type { MadeVersion } from "../../app/create-key.ts";
import { tenantNames } from "../../app/tenant-names.ts";
import type { KeyRecord } from "../../core/model.ts";
import type { CommandContext } from "../context.ts";
import { keyJson, keyPath, keyView } from "../render/key-view.ts";
import { deliverSecret } from "../secret-output.ts";

/** The answer of a mutation of one key: the key object, and an issued key's secret where it has to be shown. */
export async function showMade(context: CommandContext, made: MadeVersion, did: string): Promise<void> {
  const { answer, talk, io, globals } = context;
  const session = await context.session();
  const tenantOf = await tenantNames(session);
  const { key, version, secret, replayed, operationId } = made;
  const path = keyPath(key);
  const json = { ...keyJson(key, tenantOf, io.now()), version, replayed, operationId };
  if (replayed) talk.note("this request was done before: the same answer again, without the secret");
  else talk.note(`${path} ${did}, version ${version} is active`);
  if (globals.outFile !== null && !replayed) talk.note(`the secret is in ${globals.outFile}, 0600`);
  if (secret !== null) {
    await deliverSecret(context, { keyPath: path, version, secret, json });
    return;
  }
  const whole = { ...json, ...(key.kind === "issued" ? { secret: null } : {}) };
  await answer.one({ ...keyView(tenantOf, io.now()), toJson: () => whole }, key);
}

/** What `--dry-run` answers for one key. */
export async function showPlanned(
  context: CommandContext,
  key: KeyRecord,
  plan: { would: string; version: number; planHash?: string },
): Promise<void> {
  const { answer, talk, io } = context;
  const tenantOf = await tenantNames(await context.session());
  talk.note(`would ${plan.would} ${keyPath(key)}, version ${plan.version}; nothing was done`);
  if (plan.planHash !== undefined)
    talk.note(`plan ${plan.planHash}: --confirm ${plan.planHash} does exactly this`);
  const json = {
    ...keyJson(key, tenantOf, io.now()),
    dryRun: true,
    version: plan.version,
    planHash: plan.planHash ?? null,
  };
  await answer.one({ ...keyView(tenantOf, io.now()), toJson: () => json }, key);
}
