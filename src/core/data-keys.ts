import type { KeyRecord, VersionRecord, VersionState } from "./model.ts";

/** What is to be said of a version that is asked to unwrap: nothing, that it should not be needed any more, or no. */
export type UnwrapVerdict = "fine" | "outdated" | "refused";

/**
 * By the state of the version that wrapped. Data must not become unreadable because its key was rotated, ran out or was
 * revoked: then it has to be wrapped anew. Suspending or deleting the key is how to stop its use at once.
 */
const verdicts: Readonly<Record<VersionState, UnwrapVerdict>> = {
  pending: "refused",
  active: "fine",
  rotated: "fine",
  inactive: "refused",
  expired: "outdated",
  revoked: "outdated",
  compromised: "outdated",
  destroyed: "refused",
};

/** Whether an encryption key's version may unwrap at `now`; a vault that has disabled it refuses all the same. */
export function judgeUnwrap(key: KeyRecord, version: VersionRecord, now: number): UnwrapVerdict {
  if (key.deletedAt !== null) return "refused";
  const isOver = version.expiresAt !== null && version.expiresAt <= now;
  const verdict = verdicts[version.state];
  return verdict === "fine" && isOver ? "outdated" : verdict;
}
