import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseEntry } from "../../src/audit/entry.ts";
import type { AuditEntry } from "../../src/audit/entry.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Vault } from "../../src/app/ports.ts";
import { wrapDataKey } from "../../src/app/wrap-data-key.ts";
import { keyNamed, withSession } from "../e2e/invariants.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, OpenedKeyring } from "../fakes/home.ts";

let home: Home;
let keyring: OpenedKeyring;

beforeEach(async () => {
  home = await makeHome();
  keyring = await home.keyring();
});
afterEach(async () => {
  await keyring.close();
  home.remove();
});

const textOf = (secret: Secret): string => Buffer.from(secret.reveal()).toString("utf8");
const fromStdin = ["--from-file", "-"];
const createSecret = async (name: string, value: string, ...more: string[]): Promise<unknown> =>
  await home.ok(["create", name, "--kind", "secret", "--type", "db-credential", ...more, ...fromStdin], {
    stdin: value,
  });
const createProvider = async (name: string, value: string, ...more: string[]): Promise<unknown> =>
  await home.ok(["create", name, "--kind", "provider", "--provider", "openai", ...more, ...fromStdin], {
    stdin: value,
  });
const createEncryption = async (name: string, ...more: string[]): Promise<unknown> =>
  await home.ok(["create", name, "--kind", "encryption", "--type", "PHI_DATA", ...more]);

/** Entries of one operation, oldest first. */
async function logged(operation: string): Promise<AuditEntry[]> {
  return await withSession(home, async ({ store, caller }) => {
    const found: AuditEntry[] = [];
    for await (const { bytes } of store.auditEntries({ log: caller.tenant.id, operation })) {
      found.push(parseEntry(bytes));
    }
    return found;
  });
}

describe("open", () => {
  it("gives the active value of a secret and of a provider key, and the log says so each time", async () => {
    await createSecret("db", "first-password");
    await createProvider("ai", "provider-value-1", "--expires", "30d");
    const db = await keyring.open("db");
    expect(textOf(db.secret)).toBe("first-password");
    expect(db).toMatchObject({ name: "db", version: 1, expiresAt: null });
    const ai = await keyring.open("prod/ai");
    expect(textOf(ai.secret)).toBe("provider-value-1");
    expect(ai.expiresAt).toBe(new Date(home.now + 30 * 86_400_000).toISOString());
    await home.ok(["rotate", "db", "--yes", ...fromStdin], { stdin: "second-password" });
    expect(textOf((await keyring.open("db")).secret)).toBe("second-password");
    const entries = await logged("key.open");
    expect(entries.map(({ outcome, sensitivity, key }) => [outcome, sensitivity, key?.name])).toEqual([
      ["success", "HIGH", "db"],
      ["success", "HIGH", "ai"],
      ["success", "HIGH", "db"],
    ]);
    expect(new Set(entries.map(({ correlationId }) => correlationId)).size).toBe(3);
  });

  it("refuses what has no value, is not accepted, or is not there", async () => {
    await home.ok(["create", "orders", "--kind", "issued"]);
    await createEncryption("phi");
    await createSecret("db", "first-password");
    await home.ok(["revoke", "db", "--reason", "superseded", "--yes"]);
    await expect(keyring.open("orders")).rejects.toMatchObject({ code: "refused" });
    await expect(keyring.open("phi")).rejects.toMatchObject({ code: "refused" });
    await expect(keyring.open("db")).rejects.toMatchObject({ code: "refused" });
    await expect(keyring.open("nothing")).rejects.toMatchObject({ code: "not-found" });
    await expect(keyring.open("no name!")).rejects.toMatchObject({ code: "usage" });
    await home.ok(["tenant", "create", "acme"]);
    await createSecret("acme/prod/db", "first-password");
    await expect(keyring.open("acme/prod/db")).rejects.toMatchObject({ code: "not-found" });
    await expect(keyring.open(42 as never)).rejects.toMatchObject({ code: "usage" });
  });
});

describe("providerKey", () => {
  it("is the user's own, else the company's, else the app's, as long as each is active", async () => {
    await createProvider("ai-app", "value-of-the-app", "--owner", "app");
    await createProvider("ai-company", "value-of-the-company", "--owner", "company");
    await createProvider("ai-ann", "value-of-ann", "--owner", "user:ann", "--preferred-model", "m-1");
    const whose = async (user?: string) => (await keyring.providerKey("openai", user)).owner;
    expect(await keyring.providerKey("openai", "ann")).toMatchObject({
      name: "ai-ann",
      owner: "user:ann",
      provider: "openai",
      preferredModel: "m-1",
    });
    expect(await whose("bob")).toBe("company");
    expect(await whose()).toBe("company");
    await home.ok(["revoke", "ai-ann", "--reason", "superseded", "--yes"]).catch(() => undefined);
    expect(await whose("ann")).toBe("company");
    await home.ok(["revoke", "ai-company", "--reason", "superseded", "--yes"]).catch(() => undefined);
    expect(await whose("ann")).toBe("app");
    await expect(keyring.providerKey("anthropic", "ann")).rejects.toMatchObject({ code: "not-found" });
  });

  it("stays the same when a second one of the same owner is added", async () => {
    await createProvider("z-first", "value-number-one");
    home.now += 1_000;
    await createProvider("a-second", "value-number-two");
    expect(await keyring.providerKey("openai")).toMatchObject({ name: "z-first" });
  });
});

describe("a key for named services", () => {
  it("is opened and wrapped with by these services only; who else tries is a critical entry", async () => {
    await createSecret("db", "first-password", "--authorized-service", "billing");
    await createEncryption("phi", "--authorized-service", "billing");
    await expect(keyring.open("db")).rejects.toMatchObject({ code: "forbidden" });
    await expect(keyring.dataKey("phi")).rejects.toMatchObject({ code: "forbidden" });
    const other = await home.keyring({ service: "search" });
    await expect(other.values.seal("phi", "x", { context: "c" })).rejects.toMatchObject({
      code: "forbidden",
    });
    const billing = await home.keyring({ service: "billing" });
    expect(textOf((await billing.open("db")).secret)).toBe("first-password");
    const { wrapped } = await billing.dataKey("phi");
    await expect(other.unwrap(wrapped)).rejects.toMatchObject({ code: "forbidden" });
    await other.close();
    await billing.close();
    const denied = [
      ...(await logged("key.open")),
      ...(await logged("key.wrap")),
      ...(await logged("key.unwrap")),
    ]
      .filter(({ outcome }) => outcome === "denied")
      .map(({ sensitivity, key }) => [sensitivity, key?.name]);
    expect(denied).toEqual([
      ["CRITICAL", "db"],
      ["CRITICAL", "phi"],
      ["CRITICAL", "phi"],
      ["CRITICAL", "phi"],
    ]);
  });
});

describe("a data key", () => {
  beforeEach(async () => await createEncryption("phi"));

  it("is 32 new bytes each time, unwraps to the same, and is counted", async () => {
    const first = await keyring.dataKey("phi");
    const second = await keyring.dataKey("phi");
    expect(first.plaintext.byteLength).toBe(32);
    expect(first.plaintext.equals(second.plaintext)).toBe(false);
    expect((await keyring.unwrap(first.wrapped)).equals(first.plaintext)).toBe(true);
    expect(await logged("key.wrap")).toHaveLength(2);
    expect(await logged("key.unwrap")).toHaveLength(1);
    const count = await withSession(
      home,
      async ({ store }) => await store.countDataKeys({ keyId: first.keyId, version: 1 }),
    );
    expect(count).toBe(2);
  });

  it("unwraps after a rotation, and with a warning after a revoke; new ones come from the active version", async () => {
    const { wrapped, plaintext } = await keyring.dataKey("phi");
    await home.ok(["rotate", "phi", "--yes"]);
    expect(await keyring.dataKey("phi")).toMatchObject({ version: 2 });
    home.now += 30 * 86_400_000;
    expect((await keyring.unwrap(wrapped)).equals(plaintext)).toBe(true);
    expect(keyring.warnings).toEqual([]);
    await home.ok(["revoke", "phi", "--reason", "superseded", "--yes"]);
    expect((await keyring.unwrap(wrapped)).equals(plaintext)).toBe(true);
    expect(keyring.warnings.join()).toContain("version 1 of phi is revoked and still unwraps");
    await expect(keyring.dataKey("phi")).rejects.toMatchObject({ code: "refused" });
  });

  it("unwraps with a warning when its version has expired", async () => {
    await createEncryption("short", "--expires", "1d");
    const { wrapped, plaintext } = await keyring.dataKey("short");
    home.now += 2 * 86_400_000;
    await expect(keyring.dataKey("short")).rejects.toMatchObject({ code: "refused" });
    expect((await keyring.unwrap(wrapped)).equals(plaintext)).toBe(true);
    expect(keyring.warnings.join()).toContain("is expired and still unwraps");
  });

  it("is not handed out when its key was revoked while the vault wrapped it", async () => {
    await withSession(home, async (session) => {
      const vault = await session.vault();
      const slow: Vault["keys"]["wrap"] = async (reference, dek) => {
        await home.ok(["revoke", "phi", "--reason", "superseded", "--yes"]);
        return await vault.keys.wrap(reference, dek);
      };
      const away = { ...vault, keys: { ...vault.keys, wrap: slow } };
      const deps = { ...session, vault: async () => await Promise.resolve(away) };
      await expect(wrapDataKey(deps, { path: "phi" })).rejects.toMatchObject({ code: "conflict" });
      const { id: keyId } = await keyNamed(session, "phi");
      expect(await session.store.countDataKeys({ keyId, version: 1 })).toBe(0);
    });
    expect(await logged("key.wrap")).toEqual([]);
  });

  it("of another store, or with any byte changed, is refused and logged", async () => {
    const { wrapped } = await keyring.dataKey("phi");
    for (const place of [0, 5, 10, 30, 45, 58, 100, wrapped.length - 1]) {
      const changed = Uint8Array.from(wrapped);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await expect(keyring.unwrap(changed)).rejects.toMatchObject({ code: "integrity" });
    }
    await expect(keyring.unwrap(new Uint8Array(0))).rejects.toMatchObject({ code: "integrity" });
    await expect(keyring.unwrap("text" as never)).rejects.toMatchObject({ code: "usage" });
    const denied = (await logged("key.unwrap")).filter(({ outcome }) => outcome === "denied");
    expect(denied.length).toBeGreaterThan(0);
  });

  it("of another tenant is not there", async () => {
    const { wrapped } = await keyring.dataKey("phi");
    await home.ok(["tenant", "create", "acme"]);
    const acme = await home.keyring({ tenant: "acme" });
    await expect(acme.unwrap(wrapped)).rejects.toMatchObject({ code: "not-found" });
    await acme.close();
  });
});

describe("a sealed value", () => {
  beforeEach(async () => await createEncryption("phi"));

  it("opens in its own context only", async () => {
    const sealed = await keyring.values.seal("phi", "a diagnosis", { context: "patients/42/notes" });
    expect(Buffer.from(sealed).toString("latin1")).not.toContain("diagnosis");
    expect(textOf(await keyring.values.open(sealed, { context: "patients/42/notes" }))).toBe("a diagnosis");
    const elsewhere = keyring.values.open(sealed, { context: "patients/43/notes" });
    await expect(elsewhere).rejects.toMatchObject({ code: "integrity" });
  });

  it("does not open when any part of it was changed, or was put together from two", async () => {
    const context = "c";
    const sealed = await keyring.values.seal("phi", "one", { context });
    const other = await keyring.values.seal("phi", "two", { context });
    for (let place = 0; place < sealed.length; place += 41) {
      const changed = Uint8Array.from(sealed);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await expect(keyring.values.open(changed, { context })).rejects.toMatchObject({ code: "integrity" });
    }
    const half = sealed.length - 3 - 104;
    const mixed = Uint8Array.from([...sealed.subarray(0, half), ...other.subarray(half)]);
    await expect(keyring.values.open(mixed, { context })).rejects.toMatchObject({ code: "integrity" });
  });

  it("may be empty, bytes, or a Secret", async () => {
    const context = "c";
    const bytes = Uint8Array.from([0, 255, 128]);
    for (const value of ["", bytes, Secret.fromBytes(bytes)]) {
      const sealed = await keyring.values.seal("phi", value, { context });
      const opened = await keyring.values.open(sealed, { context });
      expect(opened.byteLength).toBe(value === "" ? 0 : 3);
    }
  });
});

describe("what is handed out", () => {
  it("is not masked when it is too short to be told from other text, or too large to be looked for", async () => {
    await createEncryption("phi");
    const context = "c";
    const handOut = async (value: string): Promise<void> => {
      await keyring.values.open(await keyring.values.seal("phi", value, { context }), { context });
    };
    await handOut("42");
    await handOut("eight88!");
    const large = "a large value ".repeat(200_000);
    await handOut(large);
    expect(keyring.redact("42 times eight88!")).toBe("42 times [redacted]");
    await handOut("x".repeat(65_536));
    expect(keyring.redact("42 times eight88!")).toBe("42 times eight88!");
  });

  it("is masked in text, in any form; and so is what looks like a key", async () => {
    await createSecret("db", "first-password");
    const issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
    expect(keyring.redact("login with first-password")).toContain("first-password");
    const { secret } = await keyring.open("db");
    const encoded = Buffer.from(secret.reveal()).toString("base64");
    expect(keyring.redact(`plain first-password, encoded ${encoded}, ${issued}.`)).toBe(
      "plain [redacted], encoded [redacted], [redacted:keyctl-issued-key].",
    );
    expect(keyring.redact("nothing of ours")).toBe("nothing of ours");
  });

  it("shows itself in no way that JavaScript prints, nor does the keyring", async () => {
    await createSecret("db", "first-password");
    await createEncryption("phi");
    const answers = [await keyring.open("db"), await keyring.dataKey("phi"), keyring];
    for (const answer of answers) {
      const shown = `${inspect(answer, { depth: 20, showHidden: true })}${JSON.stringify(answer)}`;
      expect(shown).not.toContain("first-password");
    }
    expect(JSON.stringify(answers[0])).toContain('"secret":"[redacted]"');
  });
});

describe("while the vault is away", () => {
  it("known keys are judged; a value or a data key fails with one code, at once, and works again after", async () => {
    const issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
    await createSecret("db", "first-password");
    await withSession(home, async (session) => {
      const { keyringOver } = await import("../../src/library/keyring-over.ts");
      const { KeyctlError } = await import("../../src/core/errors.ts");
      let isAway = false;
      const vault = async () => {
        if (isAway) throw new KeyctlError("unavailable", "the vault does not answer");
        return await session.vault();
      };
      const { Keyring } = await import("../../src/app/keyring.ts");
      const roots = new Keyring({ store: session.store, vault, clock: session.clock });
      const program = {
        stopwatch: session.clock,
        every: () => () => undefined,
        close: async () => undefined,
      };
      const away = await keyringOver({ ...session, ...program, vault, keyring: roots });
      isAway = true;
      expect(await away.verify(issued)).toMatchObject({ valid: true });
      home.now += 10_000;
      expect(await away.verify(issued)).toMatchObject({ valid: true });
      await expect(away.open("db")).rejects.toMatchObject({ code: "unavailable" });
      isAway = false;
      expect(textOf((await away.open("db")).secret)).toBe("first-password");
      await away.close();
    });
  });
});
