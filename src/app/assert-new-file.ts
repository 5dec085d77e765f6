import { KeyctlError } from "../core/errors.ts";
import type { Deps } from "./deps.ts";

/**
 * A key's `--out-file` must not exist: after a crash between writing it and activating the key it would hold a key that is
 * never accepted, and the one it held before would be gone.
 */
export async function assertNewFile(deps: Pick<Deps, "files">, path: string | null): Promise<void> {
  if (path === null || !(await deps.files.exists(path))) return;
  throw new KeyctlError("conflict", `${path} exists already: a new key is never written over an old one`, {
    hint: "name a new file",
    retryable: false,
  });
}
