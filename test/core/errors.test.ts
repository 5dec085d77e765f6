import { describe, expect, it } from "vitest";
import { KeyctlError, isKeyctlError } from "../../src/core/errors.ts";

describe("KeyctlError", () => {
  it("carries a code, a public message, a hint and the operation", () => {
    const error = new KeyctlError("conflict", "changed meanwhile", {
      hint: "keyctl show",
      operationId: "op",
    });
    expect(error).toMatchObject({
      name: "KeyctlError",
      code: "conflict",
      message: "changed meanwhile",
      hint: "keyctl show",
      operationId: "op",
    });
    expect(isKeyctlError(error)).toBe(true);
    expect(isKeyctlError(new Error("another"))).toBe(false);
    expect(isKeyctlError(null)).toBe(false);
  });

  it("says that a conflict and an outage may pass, and nothing else, unless told otherwise", () => {
    expect(new KeyctlError("conflict", "m").retryable).toBe(true);
    expect(new KeyctlError("unavailable", "m").retryable).toBe(true);
    expect(new KeyctlError("refused", "m").retryable).toBe(false);
    expect(new KeyctlError("conflict", "m", { retryable: false }).retryable).toBe(false);
  });

  it("keeps the cause out of its message, and has none when none was given", () => {
    const error = new KeyctlError("unavailable", "the store cannot be reached", {
      cause: new Error("password=hunter2"),
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(`${error.message}${error.hint ?? ""}`).not.toContain("hunter2");
    expect("cause" in new KeyctlError("failure", "m")).toBe(false);
    expect(new KeyctlError("failure", "m").hint).toBe(undefined);
  });
});
