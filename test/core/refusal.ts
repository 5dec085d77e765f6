import { isKeyctlError } from "../../src/core/errors.ts";
import type { KeyctlError } from "../../src/core/errors.ts";

/** What a call was refused with; null when it went through. Any other error is a crash, and fails the test. */
export function refusalOf(call: () => unknown): KeyctlError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (isKeyctlError(error)) return error;
    throw error;
  }
}

/** The code of the refusal; null when the call went through. */
export function codeOf(call: () => unknown): string | null {
  return refusalOf(call)?.code ?? null;
}
