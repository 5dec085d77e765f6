import type { Actor, Role, Tenant } from "../core/model.ts";
import type { NamingMode } from "../core/naming.ts";
import type { OperationStep } from "../core/operation.ts";
import type { Keyring } from "./keyring.ts";
import type { CheckpointMemory, Clock, PrivateFiles, ProcessTable, Random, Store, Vault } from "./ports.ts";

/** Who asks, and in which tenant and environment. */
export interface Caller {
  actor: Actor;
  /** How the actor was known, in the words of the audit log. */
  auth: string;
  /** Null when the actor has no role in the tenant. */
  role: Role | null;
  tenant: Tenant;
  env: string;
  /** The service that this process says it is; null when it says nothing. Not proven: keys name who is meant to open them. */
  service: string | null;
  correlationId: string;
  /** Personal data of this call (login, IP, user agent): enters the log only as commitments. */
  personal: Record<string, string>;
}

/** All that use cases may need; each names the part it uses. */
export interface Deps {
  clock: Clock;
  random: Random;
  processes: ProcessTable;
  store: Store;
  /** Opened at first use: what needs no vault works without one. */
  vault: () => Promise<Vault>;
  keyring: Keyring;
  /** What happens to a new key whose name does not follow the convention. */
  naming: NamingMode;
  files: PrivateFiles;
  memory: CheckpointMemory;
  caller: Caller;
  /** Name and version of the program, for the log. */
  tool: string;
  /** Tells the operator what went less well without failing the command. */
  warn: (message: string) => void;
  /** Told after each step of an operation that it is done. */
  observer?: (step: OperationStep, operationId: string) => void;
}

/** What every mutation takes. */
export interface MutationOptions {
  /** Free text for the log. */
  reason: string | null;
  ticket: string | null;
  ifRevision: number | null;
  idempotencyKey: string | null;
}
