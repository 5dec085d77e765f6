import { sql } from "kysely";
import { KeyctlError } from "../core/errors.ts";
import { operationKinds, operationSteps } from "../core/operation.ts";
import type { Operation, ProcessIdentity, StoreReader, StoreTransaction } from "../app/ports.ts";
import { parseScalarMap, parseWord } from "./column-values.ts";
import type { OperationRow } from "./schema.ts";
import type { FixedQuery, Session } from "./session.ts";
import { lookup } from "./session.ts";

const statuses = ["open", "done", "superseded", "abandoned"] as const satisfies Operation["status"][];

const byId: FixedQuery<OperationRow> = (db) => db.selectFrom("operations").selectAll().where("id", "=", "");
const openOf: FixedQuery<OperationRow> = (db) =>
  db.selectFrom("operations").selectAll().where("status", "=", sql.lit("open")).where("key_id", "=", "");
const allOpen: FixedQuery<OperationRow> = (db) =>
  db
    .selectFrom("operations")
    .selectAll()
    .where("status", "=", sql.lit("open"))
    .orderBy("created_at")
    .orderBy("id");

function operationRow(operation: Operation): OperationRow {
  return {
    id: operation.id,
    tenant_id: operation.tenantId,
    key_id: operation.keyId,
    kind: operation.kind,
    version: operation.version,
    step: operation.step,
    status: operation.status,
    expected_revision: operation.expectedRevision,
    expected_active: operation.expectedActive,
    actor_id: operation.actorId,
    correlation_id: operation.correlationId,
    ...ownerColumns(operation.owner),
    created_at: operation.createdAt,
    updated_at: operation.updatedAt,
    input: JSON.stringify(operation.input),
  };
}

function ownerColumns(owner: ProcessIdentity) {
  return { owner_boot: owner.boot, owner_pid: owner.pid, owner_started_at: owner.startedAt };
}

function operationRecord(row: OperationRow): Operation {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    kind: parseWord("operation", row.kind, operationKinds),
    version: row.version,
    step: parseWord("step", row.step, operationSteps),
    status: parseWord("status", row.status, statuses),
    expectedRevision: row.expected_revision,
    expectedActive: row.expected_active,
    actorId: row.actor_id,
    correlationId: row.correlation_id,
    owner: { boot: row.owner_boot, pid: row.owner_pid, startedAt: row.owner_started_at },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    input: parseScalarMap("input", row.input),
  };
}

/** Reads of operations. */
export function operationReader(
  session: Session,
): Pick<StoreReader, "operationById" | "openOperationOf" | "openOperations"> {
  return {
    operationById: async (id) => {
      const [row] = await lookup(session, byId, [id]);
      return row === undefined ? null : operationRecord(row);
    },
    openOperationOf: async (keyId) => await openOperationOf(session, keyId),
    openOperations: async () => (await lookup(session, allOpen, [])).map(operationRecord),
  };
}

async function openOperationOf(session: Session, keyId: string): Promise<Operation | null> {
  const [row] = await lookup(session, openOf, [keyId]);
  return row === undefined ? null : operationRecord(row);
}

type OperationWriter = Pick<
  StoreTransaction,
  "insertOperation" | "advanceOperation" | "takeOperation" | "closeOperations"
>;

/** Writes of operations; all but the first are compare-and-set. */
export function operationWriter(session: Session): OperationWriter {
  return {
    insertOperation: async (operation) => {
      await insertOperation(session, operation);
    },
    advanceOperation: async ({ id, owner, from, to, status, at, input }) => {
      const changed = input === undefined ? {} : { input: JSON.stringify(input) };
      const result = await openOwnedBy(session, { id, owner })
        .where("step", "=", from)
        .set({ step: to, status, updated_at: at, ...changed })
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    takeOperation: async ({ id, from, to, at }) => {
      const result = await openOwnedBy(session, { id, owner: from })
        .set({ ...ownerColumns(to), updated_at: at })
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    closeOperations: async ({ keyIds, status, at }) => {
      const rows = await session.db
        .updateTable("operations")
        .set({ status, updated_at: at })
        .where("status", "=", sql.lit("open"))
        .where(session.dialect.anyOf("operations.key_id", keyIds))
        .returningAll()
        .execute();
      return rows.map(operationRecord);
    },
  };
}

function openOwnedBy(session: Session, { id, owner }: { id: string; owner: ProcessIdentity }) {
  return session.db
    .updateTable("operations")
    .where("id", "=", id)
    .where("status", "=", "open")
    .where("owner_boot", "=", owner.boot)
    .where("owner_pid", "=", owner.pid)
    .where("owner_started_at", "=", owner.startedAt);
}

/** The partial unique index decides, so that two processes cannot both think they were first. */
async function insertOperation(session: Session, operation: Operation): Promise<void> {
  const result = await session.db
    .insertInto("operations")
    .values(operationRow(operation))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (result.numInsertedOrUpdatedRows !== 0n) return;
  const open = await openOperationOf(session, operation.keyId);
  throw new KeyctlError("conflict", "another operation on this key is still open", {
    hint: "wait for it, or keyctl reconcile --fix when its process is gone",
    ...(open === null ? {} : { operationId: open.id }),
  });
}
