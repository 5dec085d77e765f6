import type { ErrorCode } from "../core/errors.ts";

/** How a command can end: well, or in one of the ways of `ErrorCode`. */
export type Outcome = "ok" | ErrorCode;

/** A name's number for scripts, and what it means. `docs/exit-codes.md` and `keyctl help exit-codes` are made from this. */
export const exitCodes: Readonly<Record<Outcome, { code: number; meaning: string }>> = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "unexpected; report it" },
  usage: { code: 2, meaning: "wrong flags, or an answer was needed and there is no terminal" },
  "not-found": { code: 3, meaning: "no such key, version, tenant or profile" },
  unauthenticated: { code: 4, meaning: "the login is missing or was not accepted" },
  forbidden: { code: 5, meaning: "the role or the tenant does not allow it" },
  conflict: { code: 6, meaning: "changed meanwhile, or exists already" },
  refused: { code: 7, meaning: "policy forbids it: rollback window over, weak secret, approval missing" },
  pending: { code: 8, meaning: "accepted, but not yet enforced everywhere, or waiting for approval" },
  partial: { code: 9, meaning: "some targets done, some not; the output lists both" },
  unavailable: {
    code: 10,
    meaning: "vault, store or a file is missing, cannot be reached, is full or throttles",
  },
  integrity: { code: 11, meaning: "audit chain broken or shorter than once seen, MAC wrong, drift" },
  indeterminate: { code: 12, meaning: "it may have happened; keyctl reconcile will tell" },
  "not-valid": { code: 13, meaning: "verify: this key is not accepted" },
  leaks: { code: 20, meaning: "leak-scan found secrets" },
  "managed-leak": {
    code: 21,
    meaning: "leak-scan found a key that keyctl manages and that is not revoked in its records",
  },
  incomplete: { code: 22, meaning: "leak-scan could not read everything, and found nothing in what it read" },
  interrupted: { code: 130, meaning: "stopped by Ctrl-C, or by a question answered with no" },
};

/** The exit status of another program, which a command passes on. */
export interface ProgramStatus {
  status: number;
}

/** The process's exit status for an outcome. */
export function exitCodeOf(outcome: Outcome | ProgramStatus): number {
  return typeof outcome === "string" ? exitCodes[outcome].code : outcome.status;
}
