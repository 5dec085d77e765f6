/**
 * Every way a command can end other than well. Each name has exactly one exit code (`cli/exit-codes.ts`), so a script,
 * a JSON consumer and a person read the same word.
 */
export type ErrorCode =
  | "failure"
  | "usage"
  | "not-found"
  | "unauthenticated"
  | "forbidden"
  | "conflict"
  | "refused"
  | "pending"
  | "partial"
  | "unavailable"
  | "integrity"
  | "indeterminate"
  | "not-valid"
  | "leaks"
  | "managed-leak"
  | "incomplete"
  | "interrupted";

export interface ErrorDetails {
  /** The next command to type, or the cure; one sentence. */
  hint?: string;
  /** True when the same command may succeed later without anything being changed. */
  retryable?: boolean;
  /** The operation that `keyctl reconcile` knows, when one was begun. */
  operationId?: string;
  /** Kept for the debugger only; never printed, because drivers put data into their messages. */
  cause?: unknown;
}

/** The only error that keyctl throws on purpose. `message` and `hint` are public: no secret, no driver text. */
export class KeyctlError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly operationId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "KeyctlError";
    this.code = code;
    this.hint = details.hint;
    this.retryable = details.retryable ?? (code === "unavailable" || code === "conflict");
    this.operationId = details.operationId;
  }
}

export function isKeyctlError(error: unknown): error is KeyctlError {
  return error instanceof KeyctlError;
}
