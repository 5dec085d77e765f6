import { systemLog } from "../audit/entry.ts";
import { isKeyctlError } from "../core/errors.ts";
import type { KeyctlError } from "../core/errors.ts";
import type { KeyRecord, Role } from "../core/model.ts";
import type { Attempt } from "./attempt.ts";
import type { Caller, Deps } from "./deps.ts";
import { placeOf, roleIn } from "./find-key.ts";
import type { KeySelector } from "./find-key.ts";
import { auditEntry } from "./record-audit.ts";
import type { AuditEvent, EntryDeps } from "./record-audit.ts";
import { Trespass } from "./trespass.ts";

type RefusalDeps = EntryDeps & Pick<Deps, "store" | "warn">;

/**
 * Appends the one entry that an attempt came to nothing, to the log of the tenant that it was about; CRITICAL when a role
 * forbade it. A store that cannot be written is a warning: the refusal stands all the same.
 */
export async function recordRefusal(
  deps: RefusalDeps & { caller: Caller },
  refusal: Attempt & { startedAt: number; error: KeyctlError },
): Promise<void> {
  const { operation, startedAt, error } = refusal;
  if (error instanceof Trespass) return await recordTrespass(deps, { operation, startedAt, error });
  await written(deps, async () => {
    const { log, key, role } = await whereTried(deps, refusal.target ?? null);
    return [
      log,
      {
        operation,
        outcome: "denied",
        sensitivity: error.code === "forbidden" ? "CRITICAL" : "HIGH",
        key,
        after: { error: error.code, role },
        startedAt,
      },
    ];
  });
}

/**
 * As `recordRefusal`, for whoever has no business in the tenant: the entry goes to the log `system`, because another tenant's
 * log is not theirs to write to, and their own is not to tell them what they found.
 */
export async function recordTrespass(
  deps: RefusalDeps,
  refusal: Pick<Attempt, "operation"> & { startedAt: number; error: KeyctlError },
): Promise<void> {
  const { operation, startedAt, error } = refusal;
  const { tenantId, keyId } = error instanceof Trespass ? error : { tenantId: null, keyId: null };
  const after = { error: error.code, tenant: tenantId, key: keyId };
  const event = { operation, outcome: "denied", sensitivity: "CRITICAL", after, startedAt } as const;
  await written(deps, async () => await Promise.resolve([systemLog, event]));
}

async function written(deps: RefusalDeps, find: () => Promise<[string, AuditEvent]>): Promise<void> {
  try {
    const [log, event] = await find();
    await deps.store.transaction(async (tx) => await tx.appendAudit(log, [auditEntry(deps, event, log)]));
  } catch (failure) {
    if (!isKeyctlError(failure)) throw failure;
    deps.warn(`this refusal is not in the audit log: ${failure.message}`);
  }
}

/** Which tenant the attempt was about, and which key of it, as far as the caller has a role there; else its own tenant. */
async function whereTried(
  deps: Pick<Deps, "store" | "caller">,
  target: KeySelector | null,
): Promise<{ log: string; key: KeyRecord | null; role: Role | null }> {
  const { caller } = deps;
  const own = { log: caller.tenant.id, key: null, role: caller.role };
  if (target === null) return own;
  const found = await named(deps, target).catch(() => null);
  if (found === null) return own;
  const role = await roleIn(deps, found.log);
  return role === null ? own : { ...found, role };
}

async function named(
  deps: Pick<Deps, "store" | "caller">,
  target: KeySelector,
): Promise<{ log: string; key: KeyRecord | null } | null> {
  if ("path" in target) {
    const place = await placeOf(deps, target.path);
    return { log: place.tenantId, key: await deps.store.keyByName(place) };
  }
  const byId = await deps.store.keyById(target.id.toLowerCase());
  const key = byId ?? (await deps.store.versionByPublicId(target.id))?.key ?? null;
  return key === null ? null : { log: key.tenantId, key };
}
