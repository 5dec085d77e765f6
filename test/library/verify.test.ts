import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import type { VerifyOptions } from "../../src/library/keyring.ts";
import { alterStore } from "../e2e/altered-store.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, OpenedKeyring } from "../fakes/home.ts";

const secondMs = 1_000;

let home: Home;
let keyring: OpenedKeyring;
let issued: string;

beforeEach(async () => {
  home = await makeHome();
  const argv = ["create", "orders", "--kind", "issued", "--scopes", "orders:read,orders:write"];
  issued = (await home.ok([...argv, "--expires", "30d"])).trim();
  keyring = await home.keyring();
});
afterEach(async () => {
  await keyring.close();
  home.remove();
});

const changed = (key: string): string => `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;

describe("a presented key", () => {
  it("is judged as keyctl verify judges it, in the same words", async () => {
    const said: unknown = JSON.parse(await home.ok(["verify", "-o", "json"], { stdin: issued }));
    expect(await keyring.verify(issued)).toEqual(said);
    expect(await keyring.verify(Buffer.from(issued))).toEqual(said);
    expect(await keyring.verify(Secret.fromUtf8(issued))).toEqual(said);
  });

  it("must have every scope that is asked for", async () => {
    expect(await keyring.verify(issued, { scopes: ["orders:read", "orders:write"] })).toMatchObject({
      valid: true,
    });
    const refused = await keyring.verify(issued, { scopes: ["orders:read", "admin"] });
    expect(refused).toMatchObject({ valid: false, reason: "missing-scope", name: "orders" });
  });

  it("that is none gets one and the same answer, whatever it is, and never an error", async () => {
    const uniform = await keyring.verify("");
    expect(uniform).toEqual({
      valid: false,
      reason: "invalid",
      ...Object.fromEntries(
        ["keyId", "name", "tenant", "version", "state", "scopes", "tier", "expiresAt", "rateLimit"].map(
          (field) => [field, null],
        ),
      ),
    });
    const others: unknown[] = [
      changed(issued),
      `${issued}x`,
      issued.slice(1),
      "x".repeat(10_000_000),
      new Uint8Array(2_000),
      undefined,
      null,
      42,
      ["a"],
      {},
    ];
    for (const other of others) expect(await keyring.verify(other as string)).toEqual(uniform);
  });

  it("of another tenant or another environment is unknown here", async () => {
    const elsewhere = (await home.ok(["create", "orders", "--kind", "issued", "--env", "staging"])).trim();
    expect(await keyring.verify(elsewhere)).toMatchObject({ valid: false, reason: "invalid", name: null });
    const staging = await home.keyring({ env: "staging" });
    expect(await staging.verify(elsewhere)).toMatchObject({ valid: true });
    expect(await staging.verify(issued)).toMatchObject({ valid: false, reason: "invalid" });
    await staging.close();
    await home.ok(["tenant", "create", "acme"]);
    const acme = await home.keyring({ tenant: "acme" });
    expect(await acme.verify(issued)).toMatchObject({ valid: false, reason: "invalid", name: null });
    await acme.close();
  });

  it("is not accepted by a mistaken question", async () => {
    for (const scopes of ["orders:read", [1], {}, [["orders:read"]]]) {
      const asked = keyring.verify(issued, { scopes: scopes as string[] });
      await expect(asked).rejects.toMatchObject({ name: "KeyctlError", code: "usage" });
    }
    for (const options of [null, "admin", ["admin"], { scope: ["admin"] }]) {
      const asked = keyring.verify(issued, options as VerifyOptions);
      await expect(asked).rejects.toMatchObject({ code: "usage" });
    }
  });
});

describe("a row whose expiry is no moment", () => {
  it("is an error with a code, as everywhere: somebody changed it behind keyctl", async () => {
    const issued = (await home.ok(["create", "late"])).trim();
    alterStore(home, "update key_versions set expires_at = 9000000000000000");
    await expect(keyring.verify(issued)).rejects.toMatchObject({ name: "KeyctlError", code: "integrity" });
  });
});

describe("what is kept of a row", () => {
  const revoke = async (): Promise<unknown> =>
    await home.ok(["revoke", "orders", "--reason", "key-compromise", "--yes"]);

  it("accepts for less than five seconds after a revoke by somebody else, and not longer", async () => {
    expect(await keyring.verify(issued)).toMatchObject({ valid: true });
    await revoke();
    home.now += 4_999;
    expect(await keyring.verify(issued)).toMatchObject({ valid: true });
    home.now += 1;
    expect(await keyring.verify(issued)).toMatchObject({ valid: false, reason: "compromised" });
  });

  it("does not accept for longer because the clock was set back", async () => {
    expect(await keyring.verify(issued)).toMatchObject({ valid: true });
    await revoke();
    home.now -= 3_600 * secondMs;
    expect(await keyring.verify(issued)).toMatchObject({ valid: false, reason: "compromised" });
  });

  it("is no reason to deny: what was given back is accepted at once", async () => {
    await revoke();
    expect(await keyring.verify(issued)).toMatchObject({ valid: false });
    const next = (await home.ok(["rotate", "orders", "--replace", "--yes"])).trim();
    expect(await keyring.verify(next)).toMatchObject({ valid: true, version: 2 });
    expect(await keyring.verify(issued)).toMatchObject({ valid: false, reason: "compromised" });
  });

  it("ends with the key's own expiry", async () => {
    const short = (await home.ok(["create", "short", "--kind", "issued", "--expires", "60s"])).trim();
    expect(await keyring.verify(short)).toMatchObject({ valid: true });
    home.now += 59 * secondMs;
    expect(await keyring.verify(short)).toMatchObject({ valid: true });
    home.now += secondMs;
    expect(await keyring.verify(short)).toMatchObject({ valid: false, reason: "expired" });
  });

  it("does not outlive the caller's role", async () => {
    expect(await keyring.verify(issued)).toMatchObject({ valid: true });
    const session = await home.session();
    const { actor, tenant } = session.caller;
    await session.store.transaction(
      async (tx) => await tx.removeMembership({ actorId: actor.id, tenantId: tenant.id }),
    );
    await session.close();
    home.now += 5 * secondMs;
    await expect(keyring.verify(issued)).rejects.toMatchObject({ code: "forbidden" });
    await expect(keyring.open("orders")).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("a keyring", () => {
  it("that is closed refuses everything, may be closed again, and opens anew", async () => {
    await keyring.close();
    await keyring.close();
    await expect(keyring.verify(issued)).rejects.toMatchObject({
      code: "usage",
      message: "the keyring is closed",
    });
    await expect(keyring.open("orders")).rejects.toMatchObject({ code: "usage" });
    keyring = await home.keyring();
    expect(await keyring.verify(issued)).toMatchObject({ valid: true });
  });

  it("waits, when it is closed, for what is under way", async () => {
    const answers = Array.from({ length: 20 }, async () => await keyring.verify(issued));
    const closing = keyring.close();
    expect((await Promise.all(answers)).every(({ valid }) => valid)).toBe(true);
    await closing;
    const session = await home.session();
    const { lastUsedAt } = (await session.store.keyByName({
      tenantId: session.caller.tenant.id,
      env: "prod",
      name: "orders",
    })) ?? { lastUsedAt: null };
    await session.close();
    expect(lastUsedAt).toBe(home.now);
  });

  it("makes nothing where there is nothing, and says where it looked", async () => {
    const empty = await makeHome({ init: false });
    await expect(empty.keyring()).rejects.toMatchObject({ code: "unavailable" });
    expect(await empty.run(["list"])).toMatchObject({ code: 10 });
    empty.remove();
  });

  it("is not given to an unknown profile or tenant", async () => {
    await expect(home.keyring({ profile: "nowhere" })).rejects.toMatchObject({ code: "not-found" });
    await expect(home.keyring({ tenant: "nobody" })).rejects.toMatchObject({ code: "not-found" });
    await expect(home.keyring({ store: "mysql:x" })).rejects.toMatchObject({ code: "usage" });
  });
});
