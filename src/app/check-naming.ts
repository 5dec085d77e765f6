import { KeyctlError } from "../core/errors.ts";
import { followsNaming, namingPattern, suggestName, typeWords } from "../core/naming.ts";
import type { NamedKey } from "../core/naming.ts";
import type { Deps } from "./deps.ts";

/** Warns of a new key's name that does not follow the convention, or refuses it, as the setting says; with a suggestion. */
export function checkNaming(deps: Pick<Deps, "naming" | "warn">, key: NamedKey): void {
  if (deps.naming === "off" || followsNaming(key)) return;
  const message = `${key.name} does not follow the naming convention ${namingPattern}`;
  const suggested = suggestName(key);
  const ends = typeWords(key).join(" or ");
  const hint = `${suggested === null ? "use a shorter environment" : `for example ${suggested}`}; such a key ends with ${ends}`;
  if (deps.naming === "enforce") throw new KeyctlError("refused", message, { hint });
  deps.warn(`${message}: ${hint}`);
}
