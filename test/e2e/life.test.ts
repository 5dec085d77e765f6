import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const hourMs = 3_600_000;

async function verify(key: string): Promise<{ valid: boolean; reason: string | null }> {
  const { out } = await home.run(["verify", "-o", "json"], { stdin: key });
  return JSON.parse(out);
}

describe("the life of an issued key", () => {
  it("is accepted when made, through the grace of its successor, and denied after a revoke", async () => {
    const first = (await home.ok(["create", "payments", "--scopes", "read"])).trim();
    expect(await verify(first)).toMatchObject({ valid: true });
    const second = (await home.ok(["rotate", "payments", "--yes"])).trim();
    expect(await verify(first)).toMatchObject({ valid: true });
    expect(await verify(second)).toMatchObject({ valid: true });
    home.now += 25 * hourMs;
    expect(await verify(first)).toMatchObject({ valid: false, reason: "grace-over" });
    await home.ok(["rollback", "payments", "--yes"]);
    expect(await verify(first)).toMatchObject({ valid: true });
    await home.ok(["revoke", "payments", "--reason", "superseded", "--yes"]);
    expect(await verify(first)).toMatchObject({ valid: false, reason: "revoked" });
    expect(await verify(second)).toMatchObject({ valid: false, reason: "revoked" });
    const verdict = JSON.parse(await home.ok(["audit-verify", "--state", "-o", "json"]));
    expect(verdict).toMatchObject({ integrity: "ok", completeness: "ok", differences: [] });
  });
});
