import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import type { OperationKind } from "../core/operation.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Deps } from "./deps.ts";
import { operationWork } from "./operation-work.ts";
import type { Operation } from "./ports.ts";
import { takeOver } from "./run-operation.ts";

/** A new operation on a key as `record` will leave it; its owner is this process. */
export function newOperation(
  deps: Pick<Deps, "clock" | "random" | "caller" | "processes">,
  begin: { kind: OperationKind; key: KeyRecord; version: number; input: Operation["input"] },
): Operation {
  const now = deps.clock.now();
  return {
    id: uuidv7(now, deps.random.bytes(10)),
    tenantId: begin.key.tenantId,
    keyId: begin.key.id,
    kind: begin.kind,
    version: begin.version,
    step: "record",
    status: "open",
    expectedRevision: begin.key.revision,
    expectedActive: begin.key.activeVersion,
    actorId: deps.caller.actor.id,
    correlationId: deps.caller.correlationId,
    owner: deps.processes.current(),
    createdAt: now,
    updatedAt: now,
    input: begin.input,
  };
}

/**
 * Ends what a dead process left open on the key: finished or given up. `conflict` while its owner lives. Answers true
 * when something was ended, so that the caller reads the key again.
 */
export async function clearTheWay(deps: Deps, key: KeyRecord): Promise<boolean> {
  const open = await deps.store.openOperationOf(key.id);
  if (open === null) return false;
  await takeOver(deps, open, operationWork(deps, key, open));
  return true;
}

/** `--if-revision N`: the key must still be as it was seen. */
export function assertRevision(key: KeyRecord, ifRevision: number | null): void {
  if (ifRevision === null || key.revision === ifRevision) return;
  throw new KeyctlError("conflict", `${key.name} is at revision ${key.revision}, not ${ifRevision}`, {
    hint: `keyctl show ${key.name}`,
    retryable: false,
  });
}
