import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  name: "init",
  section: "Set up",
  summary: "make a store and a vault, or finish making them",
  description:
    "Makes the database, the vault with its root keys, the tenant `default` and you as its owner. What exists is left as it is, so it can be run again at any time.",
  arguments: [],
  options: [
    {
      name: "vault-key",
      value: "HOW",
      choices: ["file", "passphrase"],
      summary: "how a new embedded vault is unlocked",
      defaultText: "file",
    },
  ],
  examples: [
    { command: "keyctl init", does: "set up the embedded default" },
    {
      command: "KEYCTL_PASSPHRASE_FILE=pass.txt keyctl init --vault-key passphrase",
      does: "a vault that opens with a passphrase only",
    },
  ],
  danger: "mild",
  mutation: "yes",
  run: async (context, { flags }) => {
    const vaultKey = flags.choice("vault-key", ["file", "passphrase"]);
    const { settings } = await context.place();
    if (context.globals.dryRun) {
      await context.answer.value(
        { store: settings.store.value, vault: settings.vault.value, dryRun: true },
        "nothing was made: this was a dry run\n",
      );
      return "ok";
    }
    const session = await context.session({ make: true, ...(vaultKey === null ? {} : { vaultKey }) });
    // Opening proves that the vault answers to its unlock key.
    await session.keyring.current();
    const { uuid } = await session.store.meta();
    const { tenant, actor } = session.caller;
    await context.answer.value(
      {
        store: settings.store.value,
        vault: settings.vault.value,
        storeId: uuid,
        tenant: tenant.name,
        actor: { id: actor.id, login: actor.login },
      },
      `ready: ${settings.store.value}, tenant ${tenant.name}, ${actor.login} is its owner\n`,
    );
    return "ok";
  },
};
