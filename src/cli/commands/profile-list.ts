import type { CommandDefinition } from "../command.ts";
import type { ListedProfile } from "../../app/ports.ts";
import type { View } from "../render/view.ts";

const view: View<ListedProfile> = {
  columns: [
    { title: "NAME", field: "name", text: ({ name }) => name },
    {
      title: "CURRENT",
      field: "current",
      text: ({ isCurrent }) => (isCurrent ? "*" : ""),
      csv: ({ isCurrent }) => String(isCurrent),
    },
    { title: "TENANT", field: "tenant", text: ({ tenant }) => tenant },
    { title: "ENV", field: "env", text: ({ env }) => env },
    { title: "STORE", field: "store", text: ({ store }) => store },
    { title: "VAULT", field: "vault", text: ({ vault }) => vault, wide: true },
    {
      title: "AUTH",
      field: "auth",
      text: ({ auth }) => auth ?? "-",
      csv: ({ auth }) => auth ?? "",
      wide: true,
    },
    { title: "NAMING", field: "naming", text: ({ naming }) => naming, wide: true },
  ],
  toJson: ({ name, isCurrent, ...rest }) => ({ name, current: isCurrent, ...rest }),
  name: ({ name }) => name,
};

export const profileListCommand: CommandDefinition = {
  name: "profile list",
  section: "Set up",
  summary: "list the profiles of your config.json, and the default",
  arguments: [],
  options: [],
  examples: [
    { command: "keyctl profile list", does: "which there are, and which one is used here" },
    { command: "keyctl profile list -o name", does: "their names, for a script" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context) => {
    const profiles = await (await context.services()).profiles(context.globals);
    const found = await profiles.list();
    await context.answer.list(view, found, { empty: "no profiles" });
    if (!found.some(({ isCurrent }) => isCurrent)) {
      context.talk.warn("the profile that is chosen here is none of them");
      context.talk.hint("keyctl doctor tells who chose it");
    }
    return "ok";
  },
};
