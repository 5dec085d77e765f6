import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Secret } from "../core/secret.ts";
import { secretText } from "../core/secret-text.ts";
import type { KeySelector } from "./find-key.ts";
import { openValue, planOpenValue } from "./open-value.ts";
import type { OpenableValue, OpenDeps } from "./open-value.ts";

/** An environment variable, and the key whose value it shall hold. */
export interface VariableRequest {
  variable: string;
  target: KeySelector;
}

export interface PlannedVariable extends OpenableValue {
  variable: string;
}

export interface OpenedVariable extends PlannedVariable {
  /** UTF-8 without a zero byte: an environment variable can hold it. */
  secret: Secret;
}

/** Which versions `openVariables` would open, all of them or an error; asks no vault. */
export async function planVariables(
  deps: OpenDeps,
  requests: readonly VariableRequest[],
): Promise<PlannedVariable[]> {
  const planned: PlannedVariable[] = [];
  for (const { variable, target } of requests)
    planned.push({
      variable,
      ...(await planOpenValue(deps, { target, version: null, operation: "key.exec" })),
    });
  return planned;
}

/**
 * The values for a program's environment: all of them, or none. Looked up all before the first is opened, so that a mistyped
 * name opens nothing. Each is an entry of the log. `refused` for a value that no environment variable can hold.
 */
export async function openVariables(
  deps: OpenDeps,
  requests: readonly VariableRequest[],
): Promise<OpenedVariable[]> {
  await planVariables(deps, requests);
  const opened: OpenedVariable[] = [];
  for (const { variable, target } of requests) {
    const value = await openValue(deps, { target, version: null, operation: "key.exec" });
    assertFitsVariable(value.secret, value.key);
    opened.push({ variable, ...value });
  }
  return opened;
}

function assertFitsVariable(secret: Secret, key: KeyRecord): void {
  const text = secretText(secret);
  if (text !== null && !text.includes("\0")) return;
  const why = text === null ? "it is not UTF-8" : "it has a zero byte in it";
  throw new KeyctlError("refused", `the value of ${key.name} fits into no environment variable: ${why}`, {
    hint: `keyctl reveal ${key.name} --out-file PATH, and give the program the path`,
  });
}
