import { isKeyctlError } from "../../src/core/errors.ts";

/** The code of the `KeyctlError` that the work throws; `no error`, or `another error`, which is always a bug. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isKeyctlError(error) ? error.code : "another error";
  }
  return "no error";
}

/** Its public message; empty when nothing is thrown. */
export function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isKeyctlError(error) ? error.message : "another error";
  }
  return "";
}
