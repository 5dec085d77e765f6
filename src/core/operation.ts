import type { KeyKind } from "./model.ts";

/** Operations that go through more than one transaction, or through the vault. */
export const operationKinds = ["create", "rotate", "rollback"] as const;
export type OperationKind = (typeof operationKinds)[number];

/**
 * The order of writes, as data: record → publish → note → test → deliver → point.
 *
 * - `record`: one transaction: the operation, the pending version, the audit intent
 * - `publish`: the vault call that makes the value exist there, tagged with the operation's id
 * - `note`: one transaction: the vault's versioned reference (or the sealed envelope) in our row
 * - `test`: read back what was published and compare; nothing is written
 * - `deliver`: the secret is in its `--out-file`, synced, and the operation says so
 * - `point`: one transaction: compare-and-set, pending becomes active, the predecessor rotated, audit outcome, outbox
 */
export const operationSteps = ["record", "publish", "note", "test", "deliver", "point"] as const;
export type OperationStep = (typeof operationSteps)[number];

const issued: readonly OperationStep[] = ["record", "test", "deliver", "point"];
const sealed: readonly OperationStep[] = ["record", "publish", "note", "test", "point"];
const pointer: readonly OperationStep[] = ["record", "point"];

const steps: Record<OperationKind, Record<KeyKind, readonly OperationStep[]>> = {
  create: { issued, provider: sealed, secret: sealed, encryption: sealed },
  rotate: { issued, provider: sealed, secret: sealed, encryption: sealed },
  rollback: { issued: pointer, provider: pointer, secret: sealed, encryption: pointer },
};

/** The steps of one operation, in order. The runner walks them; the kill test finds its points here. */
export function stepsOf(operation: OperationKind, kind: KeyKind): readonly OperationStep[] {
  return steps[operation][kind];
}

/** True when the step leaves a trace in the operation's row; the others are repeated after a crash. */
export function isRecorded(step: OperationStep): boolean {
  return step === "record" || step === "note" || step === "deliver" || step === "point";
}
