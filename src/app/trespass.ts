import { KeyctlError } from "../core/errors.ts";

/**
 * Somebody asked for what is in a tenant in which they have no role. Whoever asks is told `not-found`, word for word as if it
 * were not there; where it is caught, the log is told what it was.
 */
export class Trespass extends KeyctlError {
  readonly tenantId: string;
  readonly keyId: string | null;

  constructor(answer: KeyctlError, found: { tenantId: string; keyId: string | null }) {
    super("not-found", answer.message, answer.hint === undefined ? {} : { hint: answer.hint });
    this.tenantId = found.tenantId;
    this.keyId = found.keyId;
  }
}
