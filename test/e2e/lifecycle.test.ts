import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyKinds } from "../../src/core/model.ts";
import type { Home } from "../fakes/home.ts";
import { alterStore, readStore } from "./altered-store.ts";
import { copyOf, makeFourKeys } from "./four-keys.ts";
import type { FourKeys } from "./four-keys.ts";
import { assertInvariants } from "./invariants.ts";
import { codeOf, codesOf, keyState, lines, minuteMs, vaultHolds } from "./lifecycle-world.ts";

let prepared: FourKeys;
let home: Home;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

async function onCopy(work: () => Promise<void>): Promise<void> {
  home = await copyOf(prepared.home);
  try {
    await work();
  } finally {
    home.remove();
  }
}

describe("while the vault is away", () => {
  function vaultAway(): () => void {
    const path = join(home.path, "vault.db");
    renameSync(path, `${path}.away`);
    return () => renameSync(`${path}.away`, path);
  }

  async function back(bringBack: () => void): Promise<void> {
    bringBack();
    home.now += minuteMs;
    await home.ok(["reconcile", "--fix"]);
  }

  for (const verb of ["suspend", "delete"] as const) {
    it(`${verb} denies at once, says what the vault has still to do, and reconcile does it`, async () => {
      await onCopy(async () => {
        const bringBack = vaultAway();
        for (const kind of keyKinds)
          expect({ kind, code: await codeOf(home, lines[verb](kind)) }).toEqual({
            kind,
            code: kind === "secret" ? 8 : 0,
          });
        // Given again it says so again.
        expect(await codeOf(home, lines[verb]("secret"))).toBe(8);
        await back(bringBack);
        for (const stdin of prepared.issued) expect((await home.run(["verify"], { stdin })).code).toBe(13);
        expect((await vaultHolds(home, "secret")).enabled).toBe(0);
        // What an encryption key has wrapped can be unwrapped when it comes back: its vault is left alone.
        expect((await vaultHolds(home, "encryption")).enabled).toBe(2);
        expect(await codeOf(home, lines[verb]("secret"))).toBe(0);
        await assertInvariants(home, prepared.known);
        for (const kind of keyKinds) {
          const way = verb === "delete" ? [lines.restore(kind), lines.resume(kind)] : [lines.resume(kind)];
          expect(await codesOf(home, ...way)).toEqual(way.map(() => 0));
        }
        await assertInvariants(home, prepared.known);
      });
    });
  }

  it("restore leaves all suspended; resume and update fail with one clear word and change nothing", async () => {
    await onCopy(async () => {
      for (const kind of keyKinds) await home.ok(lines.delete(kind));
      const bringBack = vaultAway();
      for (const kind of keyKinds) {
        expect(await codeOf(home, lines.restore(kind))).toBe(0);
        const before = await keyStateOf(kind);
        expect({ kind, codes: await codesOf(home, lines.resume(kind), lines.update(kind)) }).toEqual({
          kind,
          codes: [10, 10],
        });
        expect(await keyStateOf(kind)).toEqual(before);
        expect(before.state).toBe("inactive");
      }
      await back(bringBack);
      for (const kind of keyKinds) expect(await codeOf(home, lines.resume(kind))).toBe(0);
      await assertInvariants(home, prepared.known);
    });
  });

  it("a purge erases what the store has, and the vault's part follows; the name is another key's only then", async () => {
    await onCopy(async () => {
      const bringBack = vaultAway();
      const codes = { issued: 0, provider: 0, secret: 8, encryption: 8 };
      for (const kind of keyKinds) expect(await codeOf(home, lines.purge(kind))).toBe(codes[kind]);
      await back(bringBack);
      expect(await vaultHolds(home, "secret")).toEqual({ held: 0, enabled: 0 });
      expect(await vaultHolds(home, "encryption")).toEqual({ held: 0, enabled: 0 });
      for (const kind of keyKinds) expect(await keyState(home, kind)).toBeNull();
      await assertInvariants(home, prepared.known);
    });
  });

  async function keyStateOf(
    name: string,
  ): Promise<{ state: string | undefined; revision: number | undefined }> {
    const { key } = (await keyState(home, name)) ?? {};
    return { state: key?.state, revision: key?.revision };
  }
});

describe("a purged key", () => {
  it("leaves no sealed value in the bytes of any file: not its envelope, its wrapped key, nor what the vault sealed", async () => {
    await onCopy(async () => {
      const sealed = [
        ...readStore(home, "select envelope as bytes from key_versions where envelope is not null"),
        ...readStore(home, "select wrapped as bytes from wrapped_keys"),
        ...readVault(
          "select sealed as bytes from versions join objects on objects.id = object_id where name like '%/%'",
        ),
      ].map(({ bytes }) => Buffer.from(bytes as Uint8Array));
      expect(sealed.length).toBe(2 + 2 + 4);
      // Here and there in it, so that what lies on several pages is looked for on each.
      const pieces = (bytes: Buffer): Buffer[] =>
        Array.from({ length: Math.ceil(bytes.length / 64) }, (_, at) =>
          bytes.subarray(at * 64, at * 64 + 24),
        ).filter(({ length }) => length >= 16);
      const found = (): number => {
        const names = readdirSync(home.path).filter((name) => name.includes(".db"));
        const files = names.map((name) => readFileSync(join(home.path, name)));
        return sealed.filter((bytes) =>
          pieces(bytes).some((piece) => files.some((file) => file.includes(piece))),
        ).length;
      };
      expect(found()).toBe(sealed.length);
      for (const kind of keyKinds) await home.ok(lines.purge(kind));
      expect(found()).toBe(0);
    });
  });

  it("is not mixed up with a later key of its name, whatever was still queued for it", async () => {
    await onCopy(async () => {
      // A task for the end of a grace names the reference that the new key's first version gets again.
      await home.ok(lines.purge("secret"));
      await home.ok(["create", "secret", "--kind", "secret", "--type", "db-credential", "--generate"]);
      home.now += 25 * 60 * minuteMs;
      await home.ok(["reconcile", "--fix"]);
      expect(await vaultHolds(home, "secret")).toEqual({ held: 1, enabled: 1 });
      expect(await codeOf(home, ["reveal", "secret", "--stdout"])).toBe(0);
      expect((await home.run(["audit-verify", "--state"])).code).toBe(0);
    });
  });

  it("that somebody hides from the lists behind keyctl is missed by the log", async () => {
    await onCopy(async () => {
      alterStore(
        home,
        "update keys set purged_at = 1, deleted_at = 1, state = 'deleted' where name = 'issued'",
      );
      const verdict = await home.run(["audit-verify", "--state", "-o", "json"]);
      expect(verdict.code).toBe(11);
      expect(JSON.parse(verdict.out).differences).toEqual(["prod/issued is in the log and not in the store"]);
    });
  });

  it("is what a purge of the vault is for: a task that somebody planted for a live key takes nothing", async () => {
    await onCopy(async () => {
      const before = await vaultHolds(home, "secret");
      alterStore(
        home,
        `insert into outbox select 'planted', tenant_id, id, 1, 'purge-secret', 'default/prod/secret', 'planted', 0, 0, 0, null
          from keys where name = 'secret'`,
      );
      home.now += minuteMs;
      await home.ok(["reconcile", "--fix"]);
      expect(readStore(home, "select done_at is not null as done from outbox where id = 'planted'")).toEqual([
        { done: 1 },
      ]);
      expect(await vaultHolds(home, "secret")).toEqual(before);
    });
  });

  function readVault(query: string): Record<string, unknown>[] {
    const database = new Sqlite(join(home.path, "vault.db"), { fileMustExist: true });
    try {
      return database.prepare<[], Record<string, unknown>>(query).all();
    } finally {
      database.close();
    }
  }
});

describe("a row that was changed behind keyctl", () => {
  it("is neither updated nor resumed: nothing gives it a fresh MAC", async () => {
    await onCopy(async () => {
      await home.ok(lines.suspend("issued"));
      alterStore(home, `update keys set scopes = '["everything"]' where name = 'issued'`);
      expect(await codesOf(home, lines.update("issued"), lines.resume("issued"))).toEqual([11, 11]);
      // It can be denied all the same.
      expect(await codesOf(home, lines.delete("issued"), lines.revoke("issued"))).toEqual([0, 0]);
    });
  });

  it("while it was revoked does not come back, also when it was updated since", async () => {
    await onCopy(async () => {
      await home.ok(lines.revoke("issued"));
      await home.ok(lines.update("issued"));
      alterStore(home, `update keys set scopes = '["everything"]' where name = 'issued'`);
      expect(await codeOf(home, ["revoke", "issued", "--undo", "--yes"])).toBe(11);
      alterStore(home, `update keys set scopes = '[]' where name = 'issued'`);
      expect(await codesOf(home, ["revoke", "issued", "--undo", "--yes"], lines.resume("issued"))).toEqual([
        0, 0,
      ]);
      await assertInvariants(home, prepared.known);
    });
  });

  it("back from suspended or deleted is found by the log, and a secret that is enabled meanwhile is drift", async () => {
    await onCopy(async () => {
      await home.ok(lines.suspend("issued"));
      alterStore(
        home,
        "update key_versions set state = former_state where former_state is not null; update keys set state = 'active', active_version = 2 where name = 'issued'",
      );
      await home.ok(lines.delete("provider"));
      alterStore(home, "update keys set state = 'active', deleted_at = null where name = 'provider'");
      const verdict = await home.run(["audit-verify", "--state", "-o", "json"]);
      expect(verdict.code).toBe(11);
      expect(JSON.parse(verdict.out).differences).toEqual([
        "prod/issued version 1 is rotated in the store, and inactive by the log",
        "prod/issued version 2 is active in the store, and inactive by the log",
        "prod/provider is kept in the store, and deleted by the log",
      ]);
    });
    for (const verb of ["suspend", "delete"] as const) {
      await onCopy(async () => {
        await home.ok(lines[verb]("secret"));
        const session = await home.session();
        const [{ vault_reference: reference = "" } = {}] = readStore(
          home,
          "select vault_reference from key_versions where vault_reference like '%/secrets/%' and version = 2",
        );
        await (await session.vault()).secrets.enable(String(reference));
        await session.close();
        expect(await codeOf(home, ["reconcile"])).toBe(11);
        await home.ok(["reconcile", "--fix"]);
        expect((await vaultHolds(home, "secret")).enabled).toBe(0);
        expect(await codeOf(home, ["reconcile"])).toBe(0);
      });
    }
  });
});

describe("roles", () => {
  const as = (role: string): void => alterStore(home, "update memberships set role = :role", { role });

  it("let an operator do all but a purge, a user nothing with others' keys, and an auditor nothing", async () => {
    await onCopy(async () => {
      as("operator");
      expect(
        await codesOf(home, lines.update("issued"), lines.suspend("issued"), lines.resume("issued")),
      ).toEqual([0, 0, 0]);
      expect(await codesOf(home, lines.delete("issued"), lines.purge("issued"))).toEqual([0, 5]);
      for (const role of ["user", "auditor"]) {
        as(role);
        const all = [lines.update, lines.suspend, lines.resume, lines.delete, lines.restore, lines.purge];
        for (const line of all) expect(await codeOf(home, line("secret"))).toBe(5);
      }
      const [entry = ""] = (await asOwner(["audit-list", "--operation", "key.purge", "-o", "jsonl"])).split(
        "\n",
      );
      expect(JSON.parse(entry)).toMatchObject({ outcome: "denied", sensitivity: "CRITICAL" });
    });
  });

  it("let a user change its own keys, and give none of them away", async () => {
    await onCopy(async () => {
      await home.ok(["create", "mine", "--owner", "user:tester"]);
      as("user");
      expect(await codeOf(home, ["update", "mine", "--tag", "a=b"])).toBe(0);
      for (const owner of ["app", "company", "user:somebody"])
        expect(await codeOf(home, ["update", "mine", "--owner", owner])).toBe(5);
    });
  });

  async function asOwner(argv: string[]): Promise<string> {
    as("owner");
    return await home.ok(argv);
  }
});
