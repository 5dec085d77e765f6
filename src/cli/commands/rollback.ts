import type { KeyRecord } from "../../core/model.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { Outcome } from "../exit-codes.ts";
import { idOption, nameArgument, readTarget } from "./target.ts";

export const rollbackCommand: CommandDefinition = {
  name: "rollback",
  section: "Keys",
  summary: "point a key back to an earlier version, within its window",
  description:
    "With --compromised a provider's key must be deleted at the provider too: exit 8 until keyctl revoke --upstream-done records that.",
  arguments: [nameArgument],
  options: [
    idOption,
    {
      name: "to-version",
      value: "N",
      summary: "which version",
      defaultText: "the one that the active version replaced",
    },
    {
      name: "compromised",
      summary: "the version left behind is known to others: deny it at once and for ever",
    },
  ],
  examples: [
    {
      command: "keyctl rollback payments --yes",
      does: "the former version is active again; the newer one keeps its grace",
    },
    { command: "keyctl rollback payments --compromised --yes", does: "the newer one leaked" },
  ],
  danger: "moderate",
  mutation: "yes",
  run: async (context, input) => {
    const { planRollbackKey, rollbackKey } = await import("../../app/rollback-key.ts");
    const { showMade, showPlanned } = await import("./made-version.ts");
    const { keyPath } = await import("../render/key-view.ts");
    const request = {
      target: readTarget(input),
      toVersion: input.flags.integer("to-version"),
      compromised: input.flags.on("compromised"),
      options: context.mutationOptions(),
    };
    const session = await context.session();
    const { key, toVersion, planHash } = await planRollbackKey(session, request);
    if (context.globals.dryRun) {
      await showPlanned(context, key, { would: "roll back", version: toVersion, planHash });
      return "ok";
    }
    const question = `roll ${keyPath(key)} back to version ${toVersion}`;
    await context.confirm({ class: "moderate", question, word: key.name, alsoAccepted: [key.id], planHash });
    const made = await rollbackKey(session, { ...request, toVersion });
    await showMade(context, made, "rolled back");
    return request.compromised ? await tellUpstream(context, made.key) : "ok";
  },
};

/** `pending` while the provider of a compromised value still accepts it, as after a revoke. */
async function tellUpstream(context: CommandContext, key: KeyRecord): Promise<Outcome> {
  const { warnUpstream } = await import("./revocation.ts");
  const { store } = await context.session();
  const open = (await store.revocations(key.id)).find(({ upstream }) => upstream === "open");
  if (open === undefined) return "ok";
  warnUpstream(context.talk, key, open.upstreamUrl);
  return "pending";
}
