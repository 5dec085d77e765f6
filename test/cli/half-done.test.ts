import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rotateKey } from "../../src/app/rotate-key.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

/** A rotation of `name` that stops after its first step and stays open, because its process (this one) lives. */
async function leaveOpen(name: string): Promise<void> {
  const session = await home.session((step) => {
    throw new Error(`stopped after ${step}`);
  });
  const options = { reason: null, ticket: null, ifRevision: null, idempotencyKey: null };
  const more = { graceMs: null, secret: null, generateLength: null, replace: false, outFile: null };
  try {
    await expect(rotateKey(session, { target: { path: name }, ...more, options })).rejects.toThrow("stopped");
  } finally {
    await session.close();
  }
}

describe("a rotation that hangs half done", () => {
  it("is shown by show and reconcile, which leave it alone while its process lives", async () => {
    await home.ok(["create", "payments"]);
    await leaveOpen("payments");
    const shown = await home.run(["show", "payments"]);
    expect(shown.code).toBe(0);
    expect(shown.err).toContain("hint: a rotate is open on it since step record: keyctl reconcile");
    for (const argv of [["reconcile"], ["reconcile", "--fix"]]) {
      const { code, out } = await home.run(argv);
      expect(code).toBe(8);
      expect(out).toContain("rotate of prod/payments, version 2, step record: is running");
    }
    const report: unknown = JSON.parse((await home.run(["reconcile", "-o", "json"])).out);
    expect(report).toMatchObject({
      operations: [{ kind: "rotate", key: "prod/payments", version: 2, step: "record", action: "running" }],
    });
  });

  it("keeps others from rotating it, not from revoking it", async () => {
    await home.ok(["create", "payments"]);
    await leaveOpen("payments");
    const rotated = await home.run(["rotate", "payments", "--yes"]);
    expect(rotated.code, rotated.err).toBe(6);
    const revoked = await home.run(["revoke", "payments", "--reason", "superseded", "--yes", "-o", "json"]);
    expect(revoked.code, revoked.err).toBe(0);
    const shown = await home.ok(["show", "payments", "-o", "json"]);
    expect(shown).not.toContain('"state": "pending"');
    expect(shown).toContain('"operation": null');
    expect((await home.run(["audit-verify", "--state"])).code).toBe(0);
  });
});
