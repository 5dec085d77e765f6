import { assertMay } from "../core/access.ts";
import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import { attempted } from "./attempt.ts";
import type { Deps, MutationOptions } from "./deps.ts";
import { standing } from "./find-key.ts";
import { knownActor, logsOf } from "./known-actor.ts";
import type { LoggedActor } from "./known-actor.ts";
import { hashPlan } from "./plan-hash.ts";
import type { StoreReader } from "./ports.ts";
import { auditEntry } from "./record-audit.ts";

type EraseDeps = Pick<Deps, "store" | "caller" | "clock" | "random" | "tool" | "warn">;

export interface EraseInput {
  /** Id or login. */
  actor: string;
  options: MutationOptions;
}

/** What is kept of the actor beside one log. */
export interface PersonalInLog {
  /** The tenant's id, or `system`. */
  log: string;
  entries: number;
  fields: number;
}

export interface ErasePlan {
  actor: LoggedActor;
  logs: PersonalInLog[];
  entries: number;
  fields: number;
  planHash: string;
}

export interface ErasedPersonal extends Omit<ErasePlan, "planHash"> {
  /** False when the database's files may still hold erased values: the same command again takes them out. */
  scrubbed: boolean;
}

/**
 * What would be erased: beside the log of the caller's tenant, and beside the log `system` for owners of the tenant that
 * every store has, because nobody else stands above that log. `forbidden` but for owners; `not-found` for an actor that has
 * neither a role nor an entry there. `unknown` is whoever came with a login that is no actor's.
 */
export async function planEraseAudit(deps: EraseDeps, input: EraseInput): Promise<ErasePlan> {
  return await attempted(deps, { operation: "audit.erase" }, async () => await plan(deps, input));
}

/**
 * Takes the actor's personal data (salts and values of login, address, program, reasons, tickets) from beside the log; the
 * entries, and so every root and bundle, stay as they are, and so do login and roles. One entry per log says so; when nothing
 * is left to erase there is none. With `planHash` only exactly that plan is done, else `conflict`. Errors as `planEraseAudit`.
 */
export async function eraseAudit(
  deps: EraseDeps,
  input: EraseInput & { planHash: string | null },
): Promise<ErasedPersonal> {
  const startedAt = deps.clock.now();
  const { actor } = await planEraseAudit(deps, input);
  const logs = await deps.store.transaction(async (tx) => {
    const found = await personalOf(tx, logsOf(deps), actor);
    if (input.planHash !== null && input.planHash !== hashOf(actor, found)) throw planChanged();
    for (const { log, entries, fields } of found.filter((each) => each.fields > 0)) {
      await tx.erasePersonal({ log, actorId: actor.id });
      const after = { actor: actor.id, entries, fields };
      const event = { operation: "audit.erase", sensitivity: "HIGH", after, startedAt } as const;
      const entry = auditEntry(eraser(deps, actor), { ...event, options: input.options }, log);
      await tx.appendAudit(log, [entry]);
    }
    return found;
  });
  return { actor, logs, ...total(logs), scrubbed: await scrub(deps) };
}

/** Whoever erases its own data does not leave it behind with the entry that says so. */
function eraser(deps: EraseDeps, actor: LoggedActor): EraseDeps {
  const { caller } = deps;
  return caller.actor.id === actor.id ? { ...deps, caller: { ...caller, personal: {} } } : deps;
}

/** The data is out of the tables by now, so a failure here is told and does not undo that. */
async function scrub(deps: EraseDeps): Promise<boolean> {
  try {
    return await deps.store.scrub();
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    deps.warn(error.message);
    return false;
  }
}

async function plan(deps: EraseDeps, { actor: wanted }: EraseInput): Promise<ErasePlan> {
  const { store, caller } = deps;
  assertMay(standing(caller), "administer");
  const actor = await knownActor(deps, wanted);
  if (actor === null) {
    throw new KeyctlError("not-found", `no actor of that id or login in tenant ${caller.tenant.name}`, {
      hint: "keyctl actor list",
    });
  }
  const logs = await personalOf(store, logsOf(deps), actor);
  return { actor, logs, ...total(logs), planHash: hashOf(actor, logs) };
}

async function personalOf(store: StoreReader, logs: string[], actor: LoggedActor): Promise<PersonalInLog[]> {
  const found: PersonalInLog[] = [];
  for (const log of logs) found.push({ log, ...(await store.countPersonal({ log, actorId: actor.id })) });
  return found;
}

function total(logs: readonly PersonalInLog[]): { entries: number; fields: number } {
  return {
    entries: logs.reduce((sum, { entries }) => sum + entries, 0),
    fields: logs.reduce((sum, { fields }) => sum + fields, 0),
  };
}

function hashOf(actor: LoggedActor, logs: readonly PersonalInLog[]): string {
  const counts = logs.map(({ log, entries, fields }) => [log, entries, fields]);
  return hashPlan({ verb: "audit-erase", actor: actor.id, logs: counts });
}

function planChanged(): KeyctlError {
  return new KeyctlError("conflict", "there is other data of the actor now than the plan showed", {
    hint: "look again: keyctl audit-erase --dry-run",
    retryable: false,
  });
}
