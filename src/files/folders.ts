import { mkdir, stat } from "node:fs/promises";
import { KeyctlError } from "../core/errors.ts";

/** Whether something is there; what cannot be looked at counts as there, for its opener to explain. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return !(
      error instanceof Error &&
      "code" in error &&
      (error.code === "ENOENT" || error.code === "ENOTDIR")
    );
  }
}

/** Makes a folder (0700) and those above it; `unavailable` when the system does not let us. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new KeyctlError("unavailable", `the folder ${path} cannot be made`, {
      hint: "check the path, and the permissions of the folder above it",
      retryable: false,
      cause: error,
    });
  }
}
