import { isRecorded, operationKinds, stepsOf } from "../../src/core/operation.ts";
import type { OperationStep } from "../../src/core/operation.ts";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind } from "../../src/core/model.ts";

export const verbs = [...operationKinds, "revoke"] as const;
export type Verb = (typeof verbs)[number];

/** A mutation that is to be killed at each of its points. */
export interface Mutation {
  verb: Verb;
  kind: KeyKind;
  /** Whether an issued key goes to a file before it becomes active. */
  hasOutFile: boolean;
}

/** What recovery has to make of a mutation that was killed. */
export type Fate =
  /** It never was. */
  | "nothing"
  /** It was begun, and its value is nowhere. */
  | "abandoned"
  /** Its value is held by vault or store, or was handed over. */
  | "finished";

export interface KillPoint {
  /** As kill-child.ts takes it, after the signal. */
  name: string;
  fate: Fate;
}

/** Every verb for every kind; an issued key's with and without `--out-file`. */
export function allMutations(): Mutation[] {
  return verbs.flatMap((verb) =>
    keyKinds.flatMap((kind) => {
      const mutation = { verb, kind, hasOutFile: false };
      const makesIssued = kind === "issued" && (verb === "create" || verb === "rotate");
      return makesIssued ? [mutation, { ...mutation, hasOutFile: true }] : [mutation];
    }),
  );
}

export function nameOf({ verb, kind, hasOutFile }: Mutation): string {
  return `${verb} of kind ${kind}${hasOutFile ? " with --out-file" : ""}`;
}

/** The steps that a mutation goes through; a revoke is one write, which its observer calls `point`. */
export function stepsOfMutation({ verb, kind }: Mutation): readonly OperationStep[] {
  return verb === "revoke" ? ["point"] : stepsOf(verb, kind);
}

/** The step after which the mutation's value cannot be lost any more. */
function holdingStep({ verb, kind, hasOutFile }: Mutation): OperationStep {
  if (verb === "revoke") return "point";
  if (verb === "rollback") return "record";
  if (kind === "issued") return hasOutFile ? "deliver" : "point";
  return kind === "provider" ? "note" : "publish";
}

/** Before the first step, in the middle of each transaction that records one, and after every step: from the table alone. */
export function killPoints(mutation: Mutation): KillPoint[] {
  const steps = stepsOfMutation(mutation);
  const holds = steps.indexOf(holdingStep(mutation));
  const fateAfter = (index: number): Fate => {
    if (index < 0) return "nothing";
    return index >= holds ? "finished" : "abandoned";
  };
  const points: KillPoint[] = [{ name: "before record", fate: "nothing" }];
  steps.forEach((step, index) => {
    const isWritten = isRecorded(step) && (step !== "deliver" || mutation.hasOutFile);
    if (isWritten) points.push({ name: `inside ${step}`, fate: fateAfter(index - 1) });
    points.push({ name: `after ${step}`, fate: fateAfter(index) });
  });
  const isToldToVault =
    mutation.kind === "secret" && (mutation.verb === "revoke" || mutation.verb === "rollback");
  return isToldToVault ? [...points, { name: "inside answer", fate: "finished" }] : points;
}
