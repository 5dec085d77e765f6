import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";

const shells = ["bash", "zsh", "fish", "powershell"] as const;

export const completionCommand: CommandDefinition = {
  name: "completion",
  section: "Set up",
  summary: "print a script by which a shell completes keyctl's commands, flags and names",
  description: [
    "The script completes commands and flags, and names of keys, environments, tenants, actors and profiles: those that the caller may see, read from the store without the vault. Values of keys are never completed. Nothing is said when the store cannot be read.",
    'bash, in ~/.bashrc: eval "$(keyctl completion bash)"',
    "zsh, in ~/.zshrc after compinit: source <(keyctl completion zsh)",
    "fish: keyctl completion fish > ~/.config/fish/completions/keyctl.fish",
    "PowerShell, in $PROFILE: keyctl completion powershell | Out-String | Invoke-Expression",
  ].join("\n\n"),
  arguments: [{ name: "SHELL", summary: "whose", required: true, choices: shells }],
  options: [],
  examples: [
    { command: "keyctl completion bash", does: "look at the script before it is used" },
    { command: "keyctl completion fish --out-file keyctl.fish", does: "keep the script in a file" },
  ],
  danger: "none",
  mutation: "no",
  run: async ({ answer }, { args }) => {
    const shell = shells.find((known) => known === args[0]?.toLowerCase());
    if (shell === undefined)
      throw new KeyctlError("usage", "there is no completion for that shell", {
        hint: `one of ${shells.join(", ")}`,
      });
    const script = await scriptOf(shell);
    await answer.value({ shell, script }, script);
    return "ok";
  },
};

async function scriptOf(shell: (typeof shells)[number]): Promise<string> {
  switch (shell) {
    case "bash":
      return (await import("../completion/bash.ts")).bashScript;
    case "zsh":
      return (await import("../completion/zsh.ts")).zshScript;
    case "fish":
      return (await import("../completion/fish.ts")).fishScript;
    case "powershell":
      return (await import("../completion/powershell.ts")).powershellScript;
  }
}
