import { describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import { isRecorded, operationKinds, operationSteps, stepsOf } from "../../src/core/operation.ts";
import type { OperationKind } from "../../src/core/operation.ts";

const all = operationKinds.flatMap((operation) =>
  keyKinds.map((kind) => ({ operation, kind, steps: stepsOf(operation, kind) })),
);
const makesVersion: OperationKind[] = ["create", "rotate"];

describe("the order of writes", () => {
  it("starts with the record and ends with the point, once each, for every operation of every kind", () => {
    for (const { operation, kind, steps } of all) {
      expect(steps[0], `${operation} ${kind}`).toBe("record");
      expect(steps.at(-1), `${operation} ${kind}`).toBe("point");
      expect(new Set(steps).size, `${operation} ${kind}`).toBe(steps.length);
    }
  });

  it("never deviates from the one order of all steps", () => {
    for (const { operation, kind, steps } of all) {
      const inOrder = operationSteps.filter((step) => steps.includes(step));
      expect(steps, `${operation} ${kind}`).toEqual(inOrder);
    }
  });

  it("notes at once what was published, and tests it before pointing to it", () => {
    for (const { operation, kind, steps } of all.filter((each) => each.steps.includes("publish"))) {
      const at = steps.indexOf("publish");
      expect(steps.slice(at, at + 3), `${operation} ${kind}`).toEqual(["publish", "note", "test"]);
    }
  });

  it("tests every new value before it becomes active", () => {
    for (const { operation, kind, steps } of all.filter((each) => makesVersion.includes(each.operation))) {
      expect(steps, `${operation} ${kind}`).toContain("test");
    }
  });

  it("delivers an issued key before it becomes active, and no other kind at all", () => {
    for (const { operation, kind, steps } of all) {
      const delivers = kind === "issued" && makesVersion.includes(operation);
      expect(steps.includes("deliver"), `${operation} ${kind}`).toBe(delivers);
    }
  });

  it("only moves the pointer in a rollback, but for a secret, which is put again", () => {
    for (const kind of keyKinds.filter((each) => each !== "secret")) {
      expect(stepsOf("rollback", kind)).toEqual(["record", "point"]);
    }
    expect(stepsOf("rollback", "secret")).toEqual(["record", "publish", "note", "test", "point"]);
  });

  it("uses every step somewhere", () => {
    expect(new Set(all.flatMap(({ steps }) => steps))).toEqual(new Set(operationSteps));
  });

  it("leaves a trace in the operation for each step but those that can be repeated", () => {
    const repeated = operationSteps.filter((step) => !isRecorded(step));
    expect(repeated).toEqual(["publish", "test"]);
  });
});
