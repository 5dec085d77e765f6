import { KeyctlError } from "../../core/errors.ts";
import { namingModes } from "../../core/naming.ts";
import type { CommandDefinition, CommandInput } from "../command.ts";
import type { CommandContext, Place, ProfilePlan } from "../context.ts";

export const initCommand: CommandDefinition = {
  name: "init",
  section: "Set up",
  summary: "make a store and a vault, or finish making them",
  description:
    "Makes the database, the vault with its root keys, the tenant `default` and you as its owner. What exists is left as it is, so it can be run again at any time. With --profile it first adds the profile to your config.json: what the flags say, and a store and a vault of its own where they say nothing.",
  arguments: [],
  options: [
    {
      name: "vault-key",
      value: "HOW",
      choices: ["file", "passphrase"],
      summary: "how a new embedded vault is unlocked",
      defaultText: "file",
    },
    {
      name: "naming",
      value: "HOW",
      choices: namingModes,
      summary: "with --profile: what happens to names that are not {environment}-{service}-{type}",
      defaultText: "off",
    },
  ],
  examples: [
    { command: "keyctl init", does: "set up the embedded default" },
    {
      command: "KEYCTL_PASSPHRASE_FILE=pass.txt keyctl init --vault-key passphrase",
      does: "a vault that opens with a passphrase only",
    },
    { command: "keyctl init --profile lab --env dev", does: "a profile with a store and a vault of its own" },
  ],
  danger: "mild",
  mutation: "keyless",
  run: async (context, input) => {
    const vaultKey = input.flags.choice("vault-key", ["file", "passphrase"]);
    const plan = await planOrAdd(context, input);
    const { settings } = await placeOf(context, plan);
    const profile = plan === null ? {} : { profile: { name: plan.name, path: plan.path, added: plan.isNew } };
    const places = { store: settings.store.value, vault: settings.vault.value };
    if (context.globals.dryRun) {
      const adds = plan?.isNew === true ? `would add profile ${plan.name} to ${plan.path}\n` : "";
      const text = `${adds}store ${places.store}\nvault ${places.vault}\nnothing was made: this was a dry run\n`;
      await context.answer.value({ ...profile, ...places, dryRun: true }, text);
      return "ok";
    }
    const { defaultTenant } = await import("../../app/init-store.ts");
    const session = await context.session({
      make: true,
      ...(vaultKey === null ? {} : { vaultKey }),
      // A profile may name a tenant that is made next.
      ...(plan === null ? {} : { tenant: defaultTenant }),
    });
    // Opening proves that the vault answers to its unlock key.
    await session.keyring.current();
    const { uuid } = await session.store.meta();
    const { actor } = session.caller;
    const tenant = settings.tenant.value;
    await context.answer.value(
      { ...profile, ...places, storeId: uuid, tenant, actor: { id: actor.id, login: actor.login } },
      `ready: ${places.store}, tenant ${session.caller.tenant.name}, ${actor.login} is its owner\n`,
    );
    if ((await session.store.tenantByName(tenant)) === null) {
      context.talk.warn(`tenant ${tenant} is not there yet`);
      // Until then only another tenant's name lets a command in.
      const where = plan === null ? "" : ` --profile ${plan.name}`;
      context.talk.hint(`keyctl tenant create ${tenant}${where} --tenant ${defaultTenant}`);
    }
    return "ok";
  },
};

/** The profile that `--profile` names, written unless this is a dry run; null without the flag. */
async function planOrAdd(
  { globals, services, talk }: CommandContext,
  { flags }: CommandInput,
): Promise<ProfilePlan | null> {
  const naming = flags.choice("naming", namingModes);
  const { profile: name } = globals;
  if (name === null) {
    if (naming === null) return null;
    throw new KeyctlError("usage", "--naming goes with --profile: it is kept in the profile", {
      hint: "KEYCTL_NAMING says it for one call",
    });
  }
  const profiles = await (await services()).profiles(globals);
  if (globals.dryRun) return await profiles.plan({ name, naming });
  const added = await profiles.add({ name, naming });
  if (added.isNew) {
    talk.note(`added profile ${name} to ${added.path}`);
    talk.hint(`keyctl profile use ${name} makes it the one without --profile`);
  }
  return added;
}

async function placeOf(context: CommandContext, plan: ProfilePlan | null): Promise<Place> {
  if (plan === null || !context.globals.dryRun) return await context.place();
  return await (await context.services()).resolve(context.globals, plan);
}
