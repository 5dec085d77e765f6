import { fileURLToPath } from "node:url";
import { commandsReference, exitCodesReference } from "../../src/cli/reference.ts";
import { commands } from "../../src/cli/tree.ts";

/** What the generated pages of docs/ must say. */
export function generatedPages(): { path: string; text: string }[] {
  const at = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
  return [
    { path: at("commands.md"), text: commandsReference(commands) },
    { path: at("exit-codes.md"), text: exitCodesReference() },
  ];
}
