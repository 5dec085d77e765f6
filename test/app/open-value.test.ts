import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openValue } from "../../src/app/open-value.ts";
import type { OpenedValue, OpenValueInput } from "../../src/app/open-value.ts";
import type { Vault } from "../../src/app/ports.ts";
import type { Session } from "../../src/cli/context.ts";
import { KeyctlError } from "../../src/core/errors.ts";
import { secretText } from "../../src/core/secret-text.ts";
import { alterStore, readStore } from "../e2e/altered-store.ts";
import { copyOf } from "../e2e/four-keys.ts";
import { withSession } from "../e2e/invariants.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

const values = { db: "correct horse battery", openai: ["not", "of", "any", "provider"].join("-") };

let prepared: Home;
beforeAll(async () => {
  prepared = await makeHome();
  const given = async (name: keyof typeof values, more: string[]): Promise<unknown> =>
    await prepared.ok(["create", name, ...more, "--from-file", "-"], { stdin: values[name] });
  await given("db", ["--kind", "secret", "--type", "db-credential"]);
  await given("openai", ["--kind", "provider", "--provider", "openai"]);
});
afterAll(() => prepared.remove());

let home: Home;
beforeEach(async () => {
  home = await copyOf(prepared);
  home.now += 1000;
});
afterEach(() => home.remove());

type Change = (session: Session) => Partial<Session>;

/** Opens a value in a session of which something was changed. */
async function open(
  name: string,
  change: Change = () => ({}),
  more: Partial<OpenValueInput> = {},
): Promise<OpenedValue> {
  const input = { target: { path: name }, version: null, operation: "key.open" as const, ...more };
  return await withSession(
    home,
    async (session) => await openValue({ ...session, ...change(session) }, input),
  );
}

/** The log's entries about openings, oldest first. */
async function entries(): Promise<Record<string, unknown>[]> {
  const lines = (await home.ok(["audit-export"])).trim().split("\n");
  const all = lines.map((line): Record<string, unknown> => JSON.parse(line));
  return all.filter(({ operation }) =>
    ["key.open", "key.reveal", "key.exec", "key.revoke"].includes(String(operation)),
  );
}

/** A vault that differs in some of what it does. */
function vaultWith(session: Session, change: (vault: Vault) => Partial<Vault>): Partial<Session> {
  return {
    vault: async () => {
      const vault = await session.vault();
      const { keys, secrets, url, capabilities } = vault;
      return {
        url,
        capabilities,
        keys,
        secrets,
        owns: (reference, name) => vault.owns(reference, name),
        generation: async () => await vault.generation(),
        close: async () => await vault.close(),
        ...change(vault),
      };
    },
  };
}

describe("a value that is opened", () => {
  it("is the one that was put in, of a secret and of a provider key", async () => {
    for (const [name, value] of Object.entries(values))
      expect(secretText((await open(name)).secret)).toBe(value);
  });

  it("is an entry of the log with its version and the service that asked", async () => {
    await open("db", ({ caller }) => ({ caller: { ...caller, service: "shop" } }));
    expect(await entries()).toMatchObject([
      {
        operation: "key.open",
        outcome: "success",
        sensitivity: "HIGH",
        after: { version: 1, service: "shop" },
      },
    ]);
  });

  it("dates the use of its key, its version and its vault reference; that a person saw it only when one did", async () => {
    await open("db");
    const used =
      "select k.last_used_at as key, v.last_used_at as version, seen_at as seen, r.last_accessed_at as reference from keys k join key_versions v on v.key_id = k.id join vault_references r on r.reference = v.vault_reference where k.name = 'db'";
    const at = home.now;
    expect(readStore(home, used)).toEqual([{ key: at, version: at, seen: null, reference: at }]);
    await open("db", () => ({}), { operation: "key.reveal" });
    expect(readStore(home, used)).toEqual([{ key: at, version: at, seen: at, reference: at }]);
  });
});

describe("a value is not handed out", () => {
  it("when the log cannot say so", async () => {
    const full = new KeyctlError("unavailable", "there is no space left");
    const opened = open("db", ({ store }) => ({
      store: Object.assign(Object.create(store), { transaction: async () => await Promise.reject(full) }),
    }));
    await expect(opened).rejects.toBe(full);
  });

  it("when a revoke came while the vault was asked: no entry after it says that it was", async () => {
    const opened = open("db", (session) =>
      vaultWith(session, ({ secrets }) => ({
        secrets: {
          ...secrets,
          get: async (reference) => {
            const value = await secrets.get(reference);
            if (reference.includes("db")) await home.ok(["revoke", "db", "--reason", "superseded", "--yes"]);
            return value;
          },
        },
      })),
    );
    await expect(opened).rejects.toMatchObject({ code: "refused" });
    const told = (await entries()).map(({ operation, outcome }) => [operation, outcome]);
    expect(told).toEqual([
      ["key.revoke", "success"],
      ["key.open", "denied"],
    ]);
  });

  it("when the vault does not answer, which the log tells as a failure", async () => {
    const away = new KeyctlError("unavailable", "the vault cannot be reached");
    const opened = open("db", (session) =>
      vaultWith(session, ({ secrets }) => ({
        secrets: { ...secrets, get: async () => await Promise.reject(away) },
      })),
    );
    await expect(opened).rejects.toBe(away);
    expect(await entries()).toMatchObject([{ operation: "key.open", outcome: "failure" }]);
  });

  it("from another object of the vault than the key's own", async () => {
    const asked: (string | undefined)[] = [];
    const opened = open("db", (session) =>
      vaultWith(session, (vault) => ({
        owns: (reference, name) => {
          asked.push(name);
          return vault.owns(reference, name) && name !== "default/prod/db";
        },
      })),
    );
    await expect(opened).rejects.toMatchObject({ code: "integrity" });
    expect(asked).toContain("default/prod/db");
  });

  it("of a provider key whose data key was wrapped by another key than the store's", async () => {
    alterStore(
      home,
      "update wrapped_keys set kek_reference = (select reference from vault_references where role = 'checkpoint-key')",
    );
    await expect(open("openai")).rejects.toMatchObject({ code: "integrity" });
  });
});

describe("a role", () => {
  const role = (name: string): void => alterStore(home, "update memberships set role = :name", { name });
  const own = [
    "create",
    "mine",
    "--kind",
    "secret",
    "--type",
    "api-key",
    "--generate",
    "--owner",
    "user:tester",
  ];

  it("user opens its own keys, and trying another's is a CRITICAL entry", async () => {
    await home.ok(own);
    role("user");
    expect((await open("mine")).secret.byteLength).toBeGreaterThan(8);
    await expect(open("db")).rejects.toMatchObject({ code: "forbidden" });
    role("owner");
    expect((await entries()).at(-1)).toMatchObject({
      operation: "key.open",
      outcome: "denied",
      sensitivity: "CRITICAL",
      key: { name: "db" },
    });
  });

  it("auditor opens nothing", async () => {
    await home.ok(own);
    role("auditor");
    for (const name of ["mine", "db", "openai"])
      await expect(open(name)).rejects.toMatchObject({ code: "forbidden" });
  });
});
