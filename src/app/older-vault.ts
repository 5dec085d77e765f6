import { KeyctlError } from "../core/errors.ts";

/** Refuses (`integrity`) a vault that stands before what the store has seen of it: an older copy was put back. */
export function assertNotOlder(
  vault: { url: string },
  at: { generation: number | null; seen: number | null },
): void {
  const { generation, seen } = at;
  if (generation === null || seen === null || generation >= seen) return;
  throw new KeyctlError(
    "integrity",
    `the vault ${vault.url} is an older copy: it is at generation ${generation}, and was at ${seen}`,
    {
      hint: `put the newest copy back; if there is none: keyctl reconcile --fix --accept-vault ${generation} --confirm ${generation}`,
    },
  );
}
