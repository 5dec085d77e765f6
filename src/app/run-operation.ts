import { KeyctlError, isKeyctlError } from "../core/errors.ts";
import { stepsOf } from "../core/operation.ts";
import type { OperationStep } from "../core/operation.ts";
import type { Deps } from "./deps.ts";
import type { Operation, StoreTransaction } from "./ports.ts";

/** What a kind's value becomes once it exists: what `note` writes down. */
export interface Published {
  reference?: string;
  envelope?: Uint8Array;
  wrapped?: { kekReference: string; algorithm: string; wrapped: Uint8Array };
}

/**
 * The work of one operation, step by step. Only `publish`, `recover` and `test` speak to the vault; what gets a
 * transaction must not. A missing method is a step that this operation does not need.
 */
export interface OperationWork {
  publish?(operation: Operation): Promise<Published>;
  /** After a crash: what an earlier `publish` of this operation left in the vault; null when nothing. */
  recover?(operation: Operation): Promise<Published | null>;
  note?(
    tx: StoreTransaction,
    operation: Operation,
    published: Published,
  ): Promise<Operation["input"] | undefined>;
  test?(operation: Operation): Promise<void>;
  /** Hands the secret over before it is accepted anywhere; false when there is nowhere to deliver to. */
  deliver?(operation: Operation): Promise<boolean>;
  /** Anything `point` needs that takes waiting. */
  prepare?(operation: Operation): Promise<void>;
  point(tx: StoreTransaction, operation: Operation): Promise<void>;
  /** The operation will not be finished: says so in the store. */
  abandon(tx: StoreTransaction, operation: Operation): Promise<void>;
}

/**
 * Walks the steps after the one that the operation's row names, in the order of `core/operation.ts`. Each recorded step
 * is a compare-and-set on owner and step, so an owner that was taken over, or whose operation a revoke superseded, stops
 * with `conflict` before it changes anything. Answers the finished operation.
 */
export async function runOperation(
  deps: Deps,
  operation: Operation,
  work: OperationWork,
): Promise<Operation> {
  const key = await deps.store.keyById(operation.keyId);
  if (key === null)
    throw new KeyctlError("integrity", "an operation names a key that does not exist", {
      operationId: operation.id,
    });
  const steps = stepsOf(operation.kind, key.kind);
  let state: Progress = { operation, published: null };
  try {
    for (const step of steps.slice(steps.indexOf(operation.step) + 1)) {
      state = await runStep(deps, { ...state, step, work });
      deps.observer?.(step, operation.id);
    }
    return state.operation;
  } catch (error) {
    throw await giveUp(deps, { operation: state.operation, work, error });
  }
}

interface Progress {
  operation: Operation;
  /** What the last `publish` made and `note` has still to write. */
  published: Published | null;
}

async function runStep(
  deps: Deps,
  run: Progress & { step: OperationStep; work: OperationWork },
): Promise<Progress> {
  const { operation, step, work } = run;
  const record = async (
    to: RecordedStep,
    write: (tx: StoreTransaction) => Promise<Operation["input"] | undefined>,
  ) => ({
    operation: await advance(deps, operation, to, write),
    published: null,
  });
  switch (step) {
    case "record":
      throw new KeyctlError("failure", "an operation is recorded before it runs", {
        operationId: operation.id,
      });
    case "publish":
      return { operation, published: (await work.publish?.(operation)) ?? null };
    case "note": {
      const { published } = run;
      if (published === null) return run;
      return await record("note", async (tx) => await work.note?.(tx, operation, published));
    }
    case "test":
      await work.test?.(operation);
      return run;
    case "deliver":
      if ((await work.deliver?.(operation)) !== true) return run;
      return await record("deliver", async () => undefined);
    case "point":
      await work.prepare?.(operation);
      return await record("point", async (tx) => {
        await work.point(tx, operation);
        return undefined;
      });
  }
}

type RecordedStep = "note" | "deliver" | "point";

async function advance(
  deps: Deps,
  operation: Operation,
  to: RecordedStep,
  write: (tx: StoreTransaction) => Promise<Operation["input"] | undefined>,
): Promise<Operation> {
  const at = deps.clock.now();
  const status = to === "point" ? "done" : "open";
  return await deps.store.transaction(async (tx) => {
    const input = (await write(tx)) ?? operation.input;
    const change = {
      id: operation.id,
      owner: operation.owner,
      from: operation.step,
      to,
      status,
      at,
      input,
    } as const;
    if (!(await tx.advanceOperation(change))) throw lost(operation);
    return { ...operation, step: to, status, updatedAt: at, input };
  });
}

/** Somebody else has the operation, or ended it. */
function lost(operation: Operation, cause?: unknown): KeyctlError {
  return new KeyctlError(
    "conflict",
    "the key was changed meanwhile: this operation was superseded or taken over",
    {
      hint: "keyctl show the key, then decide again",
      operationId: operation.id,
      cause,
    },
  );
}

/**
 * After a failed step: an operation that is still ours and whose value may not exist anywhere is given up at once, so
 * that the next command finds a clean key. After an answer that may have been lost it stays open for `reconcile`.
 */
async function giveUp(
  deps: Deps,
  failed: { operation: Operation; work: OperationWork; error: unknown },
): Promise<unknown> {
  const { operation, work, error } = failed;
  if (!isKeyctlError(error) || error.code === "indeterminate") return error;
  try {
    const isOurs = await deps.store.transaction(async (tx) => {
      const change = {
        id: operation.id,
        owner: operation.owner,
        from: operation.step,
        to: operation.step,
      } as const;
      const at = deps.clock.now();
      if (!(await tx.advanceOperation({ ...change, status: "abandoned", at }))) return false;
      await work.abandon(tx, operation);
      return true;
    });
    // A revoke that came between may be why the step failed: that is what whoever waits should read.
    return isOurs ? error : lost(operation, error);
  } catch {
    return new KeyctlError(error.code, error.message, {
      hint: "the operation is still open: keyctl reconcile --fix",
      retryable: error.retryable,
      operationId: operation.id,
      cause: error,
    });
  }
}

/**
 * Takes over an operation whose owner is dead: finishes it where its value is held by vault or store, gives it up
 * otherwise. `conflict` while the owner lives or when another was faster. Answers which it was.
 */
export async function takeOver(
  deps: Deps,
  operation: Operation,
  work: OperationWork,
): Promise<"finished" | "abandoned"> {
  if (deps.processes.isAlive(operation.owner)) {
    throw new KeyctlError(
      "conflict",
      `another ${operation.kind} of this key is running (process ${operation.owner.pid})`,
      {
        hint: "wait for it, or keyctl revoke, which waits for nothing",
        operationId: operation.id,
        retryable: true,
      },
    );
  }
  const at = deps.clock.now();
  const owner = deps.processes.current();
  const taken = await deps.store.transaction(
    async (tx) => await tx.takeOperation({ id: operation.id, from: operation.owner, to: owner, at }),
  );
  if (!taken) throw lost(operation);
  const mine = { ...operation, owner };
  const resumable = await recoverValue(deps, mine, work);
  if (resumable === null) {
    await deps.store.transaction(async (tx) => {
      const change = { id: mine.id, owner, from: mine.step, to: mine.step, status: "abandoned", at } as const;
      if (!(await tx.advanceOperation(change))) throw lost(mine);
      await work.abandon(tx, mine);
    });
    return "abandoned";
  }
  try {
    await runOperation(deps, resumable, work);
    return "finished";
  } catch (error) {
    // What can no longer be finished (a rollback whose window is over meanwhile) was given up on the way out.
    const left = isKeyctlError(error) ? await deps.store.operationById(mine.id) : null;
    if (left?.status === "abandoned") return "abandoned";
    throw error;
  }
}

/** The operation as it can go on from, or null when its value is nowhere. */
async function recoverValue(
  deps: Deps,
  operation: Operation,
  work: OperationWork,
): Promise<Operation | null> {
  if (operation.step !== "record") return operation;
  if (work.recover === undefined) return null;
  const value = await work.recover(operation);
  if (value === null) return null;
  if (value.reference === undefined && value.envelope === undefined) return operation;
  return await advance(deps, operation, "note", async (tx) => await work.note?.(tx, operation, value));
}
