import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
  await home.ok(["actor", "add", "uma", "--role", "operator"]);
});
afterEach(() => home.remove());

describe("a create that is asked for again under its idempotency key", () => {
  const argv = ["create", "orders", "--owner", "app", "--idempotency-key", "once", "-o", "json"];

  it("is answered again, without the secret", async () => {
    await home.ok(argv, { login: "uma" });
    const again = JSON.parse(await home.ok(argv, { login: "uma" }));
    expect(again).toMatchObject({ name: "orders", secret: null, replayed: true });
  });

  it.each(["user", "auditor"])("tells nothing to who has become a %s since", async (role) => {
    await home.ok(argv, { login: "uma" });
    await home.ok(["actor", "grant", "uma", role, "--yes"]);
    const again = await home.run(argv, { login: "uma" });
    expect(again.code).toBe(5);
    expect(again.out).toBe("");
    const log = JSON.parse(await home.ok(["audit-list", "--limit", "1", "-o", "json"]));
    expect(log).toMatchObject([{ operation: "key.create", outcome: "denied", sensitivity: "CRITICAL" }]);
  });
});
