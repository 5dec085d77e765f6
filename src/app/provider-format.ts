import { leakRules } from "../leak/rules/index.ts";
import { Scanner } from "../leak/scanner.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import type { Deps } from "./deps.ts";

/**
 * Whether a value has the form that its provider gives to keys; such a form guarantees 128 bits, so the value gets a leak
 * tag. A value of another form is taken all the same, with a warning: providers change their forms. Other kinds: false.
 */
export function checkProviderFormat(deps: Pick<Deps, "warn">, key: KeyRecord, secret: Secret): boolean {
  if (key.kind !== "provider" || key.provider === null) return false;
  const rules = leakRules.filter((rule) => rule.provider === key.provider && rule.near === undefined);
  if (rules.length === 0) return false;
  const scanner = new Scanner({ rules, now: null });
  scanner.start();
  const found = [...scanner.write(secret.reveal()), ...scanner.finish()];
  const fits = found.some((match) => match.offset === 0 && match.endOffset === secret.byteLength);
  if (!fits) deps.warn(`the value does not look like a key of ${key.provider}: it is kept as it is`);
  return fits;
}
