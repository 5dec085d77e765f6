import { commitPersonal, formatEntryParts, systemLog } from "../audit/entry.ts";
import type { AuditDraft } from "../audit/entry.ts";
import type { AuditOperation } from "../audit/operations.ts";
import { redactText } from "../leak/redact.ts";
import type { Actor, KeyRecord, Transition } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Caller, Deps, MutationOptions } from "./deps.ts";
import type { AuditAppend, StoreTransaction } from "./ports.ts";

/** What a use case says of an event; who, when, where and the commitments are filled in here. */
export interface AuditEvent {
  /** `key.create`, `key.rotate`, `key.verify` … */
  operation: AuditOperation;
  phase?: AuditDraft["phase"];
  outcome?: AuditDraft["outcome"];
  sensitivity: AuditDraft["sensitivity"];
  key?: KeyRecord | null;
  transitions?: Transition[];
  before?: AuditDraft["before"];
  after?: AuditDraft["after"];
  /** A revoke's reason code; free text goes into `options`. */
  reason?: string | null;
  operationId?: string | null;
  startedAt?: number;
  options?: Pick<MutationOptions, "reason" | "ticket">;
  /** More free text, by field: as a reason, the entry holds commitments to it only. */
  texts?: Readonly<Record<string, string>>;
}

/** What makes an entry: of the caller, who it is and how that is known. */
export type EntryDeps = Pick<Deps, "clock" | "random" | "tool"> & {
  caller: Pick<Caller, "auth" | "correlationId" | "personal"> & { actor: Pick<Actor, "id"> };
};

/** Makes the entry's bytes, all but the sequence number. */
export function auditEntry(deps: EntryDeps, event: AuditEvent, log: string): AuditAppend {
  const { caller } = deps;
  const now = deps.clock.now();
  const values = personalValues(deps, event);
  // One draw for all: asking the system's source costs more than what it gives.
  const drawn = drawer(deps.random.bytes(idBytes + blindBytes + values.length * saltBytes));
  const personal = values.map(([field, value]) => ({ field, salt: drawn(saltBytes), value }));
  const key = event.key ?? null;
  const draft: AuditDraft = {
    log,
    ts: now,
    id: uuidv7(now, drawn(idBytes)),
    operation: event.operation,
    phase: event.phase ?? "outcome",
    outcome: event.outcome ?? "success",
    sensitivity: event.sensitivity,
    actor: caller.actor.id,
    auth: caller.auth,
    tenant: log === systemLog ? null : log,
    key: key === null ? null : { id: key.id, name: key.name, env: key.env, kind: key.kind },
    transitions: event.transitions ?? [],
    before: event.before ?? null,
    after: event.after ?? null,
    reason: event.reason ?? null,
    correlationId: caller.correlationId,
    durationMs: event.startedAt === undefined ? 0 : Math.max(0, now - event.startedAt),
    tool: deps.tool,
    personal: Object.fromEntries(
      personal.map(({ field, salt, value }) => [field, hex(commitPersonal(salt, field, value))]),
    ),
    blind: hex(drawn(blindBytes)),
  };
  return {
    ...formatEntryParts(draft),
    ts: now,
    operation: draft.operation,
    outcome: draft.outcome,
    sensitivity: draft.sensitivity,
    actorId: draft.actor,
    keyId: key?.id ?? null,
    operationId: event.operationId ?? null,
    personal,
  };
}

/** Appends one event to the log of the key's tenant, else of the caller's. */
export async function recordAudit(
  tx: StoreTransaction,
  deps: Pick<Deps, "clock" | "random" | "caller" | "tool">,
  event: AuditEvent,
): Promise<void> {
  const log = event.key?.tenantId ?? deps.caller.tenant.id;
  await tx.appendAudit(log, [auditEntry(deps, event, log)]);
}

const idBytes = 10;
const blindBytes = 16;
const saltBytes = 32;

/** Hands out the bytes piece by piece, each once. */
function drawer(bytes: Uint8Array): (count: number) => Uint8Array {
  let at = 0;
  return (count) => bytes.slice(at, (at += count));
}

function personalValues(deps: EntryDeps, event: AuditEvent): [field: string, value: string][] {
  const values: Record<string, string> = { ...deps.caller.personal };
  if (event.options?.reason != null) values["reason"] = redactText(event.options.reason);
  if (event.options?.ticket != null) values["ticket"] = redactText(event.options.ticket);
  for (const [field, text] of Object.entries(event.texts ?? {})) values[field] = redactText(text);
  return Object.entries(values);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
