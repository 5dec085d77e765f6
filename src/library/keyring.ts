import type { VerifyResult } from "../app/describe-verification.ts";
import type { Secret } from "../core/secret.ts";

/** What a verification may be asked for, and what the log may be told of who asks. */
export interface VerifyOptions {
  /** The key must have all of these. */
  scopes?: readonly string[];
  /** Of whoever presented it. Kept, as a commitment, with denials only. */
  ip?: string;
  userAgent?: string;
  /** The request's own id: up to 64 visible ASCII characters, others are left out. Not for personal data. */
  requestId?: string;
}

/** A value that was opened. */
export interface OpenedKey {
  secret: Secret;
  keyId: string;
  name: string;
  version: number;
  /** ISO 8601, UTC; null when it does not expire. */
  expiresAt: string | null;
}

/** A provider's key, and whose it is. */
export interface OpenedProviderKey extends OpenedKey {
  provider: string;
  /** `user:ID`, `company` or `app` */
  owner: string;
  preferredModel: string | null;
}

/** A data key in both forms. */
export interface DataKey {
  /** 32 bytes: encrypt with it, then forget it. */
  plaintext: Secret;
  /** Keep it beside what was encrypted; `unwrap` makes the plaintext of it again. */
  wrapped: Uint8Array;
  keyId: string;
  version: number;
}

/** Sealing of whole values, each under a data key of its own. */
export interface Values {
  /** The value as bytes to keep anywhere. `context` says where it belongs (`patients/42/notes`); it is not kept in them. */
  seal(
    name: string,
    plaintext: string | Uint8Array | Secret,
    place: { context: string },
  ): Promise<Uint8Array>;
  /** The value again; `integrity` when the bytes were changed or the context is another. */
  open(sealed: Uint8Array, place: { context: string }): Promise<Secret>;
}

/**
 * Keys of one tenant and environment, for a process that lives long. Every method rejects with a `KeyctlError`: `forbidden` for
 * the role or the service, `not-found`, `refused` for a key that is not accepted, `integrity` for what was changed behind
 * keyctl, `unavailable` when store or vault cannot be reached, `usage` once it is closed.
 */
export interface Keyring {
  /**
   * Judges an issued key; never rejects because of the key, whatever it is. A row is kept for at most five seconds, so a revoke
   * is seen within that; and what no row has, or belongs to another tenant or environment, is `invalid`.
   */
  verify(secret: string | Uint8Array | Secret, options?: VerifyOptions): Promise<VerifyResult>;
  /** The active value of a provider key or of a secret, named as on the command line. Each call is an entry of the log. */
  open(name: string): Promise<OpenedKey>;
  /** The active key for a provider: the user's own, else the company's, else the app's. Each call is an entry of the log. */
  providerKey(provider: string, user?: string): Promise<OpenedProviderKey>;
  /** A new 32-byte data key, wrapped by the active version of an encryption key. */
  dataKey(name: string): Promise<DataKey>;
  /** The data key in `wrapped`. A version that expired or was revoked still unwraps, with a warning. */
  unwrap(wrapped: Uint8Array): Promise<Secret>;
  readonly values: Values;
  /** The text with every secret masked that the leak rules know, or that this keyring handed out lately. Best effort. */
  redact(text: string): string;
  /** Writes what is only in memory yet: validations and denials. Happens by itself every minute, and within `close`. */
  flush(): Promise<void>;
  /** Waits for what is under way, writes what is left, and lets go of store and vault. The same again does nothing. */
  close(): Promise<void>;
}
