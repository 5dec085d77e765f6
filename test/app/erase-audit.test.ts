import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eraseAudit, planEraseAudit } from "../../src/app/erase-audit.ts";
import { beginExport, exportBundle } from "../../src/app/export-audit.ts";
import { listAudit } from "../../src/app/list-audit.ts";
import { recordAudit } from "../../src/app/record-audit.ts";
import type { AuditEvent } from "../../src/app/record-audit.ts";
import { verifyAudit } from "../../src/app/verify-audit.ts";
import { systemLog } from "../../src/audit/entry.ts";
import type { Session } from "../../src/cli/context.ts";
import { KeyctlError } from "../../src/core/errors.ts";
import type { Role } from "../../src/core/model.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
let owner: Session;
let bob: Session;
const options = { reason: "they asked", ticket: "GDPR-1", ifRevision: null, idempotencyKey: null };
const bobId = "01900000-0000-7000-8000-0000000000b0";
const address = "203.0.113.99";

beforeEach(async () => {
  home = await makeHome();
  owner = await home.session();
  bob = await joined("operator");
  await act(bob, "key.create");
  await act(owner, "key.create");
  await act(bob, "key.rotate");
});

afterEach(async () => {
  await owner.close();
  home.remove();
});

/** A second person in the tenant `default`, at the same store. */
async function joined(role: Role): Promise<Session> {
  const { caller, store } = owner;
  const actor = { id: bobId, name: "Bob", login: "bob", createdAt: home.now };
  await store.transaction(async (tx) => {
    await tx.insertActor(actor);
    await tx.insertMembership({ actorId: bobId, tenantId: caller.tenant.id, role, createdAt: home.now });
  });
  return { ...owner, caller: { ...caller, actor, role, personal: { login: "bob", ip: address } } };
}

async function act(session: Session, operation: AuditEvent["operation"]): Promise<void> {
  const event = {
    operation,
    sensitivity: "LOW",
    options: { reason: `by ${session.caller.actor.login}`, ticket: null },
  } as const;
  await session.store.transaction(async (tx) => await recordAudit(tx, session, event));
}

async function listed(): Promise<{ operation: string; actorName: string | null; erased: string[] }[]> {
  const found = [];
  for await (const { entry, actorName, erased } of listAudit(owner, {
    log: "tenant",
    filter: {},
    limit: null,
  }))
    found.push({ operation: entry.operation, actorName, erased });
  return found.toReversed();
}

const erase = async (by: Session, actor: string): ReturnType<typeof eraseAudit> =>
  await eraseAudit(by, { actor, options, planHash: null });

describe("erasing a person from the log", () => {
  it("takes that person's data and nobody else's, and says so with the data of whoever did it", async () => {
    const tenant = owner.caller.tenant.id;
    expect(await erase(owner, "bob")).toMatchObject({
      logs: [
        { log: tenant, entries: 2, fields: 6 },
        { log: systemLog, entries: 0, fields: 0 },
      ],
      entries: 2,
      fields: 6,
      scrubbed: true,
    });
    expect((await listed()).slice(1)).toEqual([
      { operation: "key.create", actorName: null, erased: ["ip", "login", "reason"] },
      { operation: "key.create", actorName: "tester", erased: [] },
      { operation: "key.rotate", actorName: null, erased: ["ip", "login", "reason"] },
      { operation: "audit.erase", actorName: "tester", erased: [] },
    ]);
    const kept = await owner.store.auditPersonal(tenant, 4);
    expect(kept.map(({ field, value }) => [field, value])).toEqual(
      expect.arrayContaining([
        ["login", "tester"],
        ["reason", "they asked"],
        ["ticket", "GDPR-1"],
      ]),
    );
    expect(readFileSync(join(home.path, "store.db"), "latin1")).not.toContain(address);
    expect(await verifyAudit(owner, { log: "tenant", state: true })).toMatchObject({
      integrity: "ok",
      differences: [],
    });
    // The person is still who they were.
    expect(await owner.store.actorByLogin("bob")).toMatchObject({ id: bobId });
    expect(await owner.store.roleOf(bobId, tenant)).toBe("operator");
  });

  it("leaves every bundle provable, from before and from after, also by the script in it", async () => {
    const bundle = async (name: string): Promise<string> => {
      const path = join(home.path, name);
      const input = { filter: {}, withPersonal: true };
      await exportBundle(owner, await beginExport(owner, { ...input, format: "bundle" }), {
        path,
        withPersonal: true,
      });
      return path;
    };
    const before = await bundle("before");
    await erase(owner, bobId);
    const after = await bundle("after");
    for (const path of [before, after]) {
      await home.ok(["audit-verify", path]);
      expect(execFileSync("python3", [join(path, "verify.py")], { encoding: "utf8" })).toContain(
        "consistent with the key inside",
      );
    }
    expect(readFileSync(join(before, "personal.jsonl"), "utf8")).toContain(address);
    expect(readFileSync(join(after, "personal.jsonl"), "utf8")).not.toContain(address);
  });

  it("needs an owner; whoever is none is refused, and that is in the log as critical", async () => {
    for (const attempt of [planEraseAudit, erase] as const) {
      const call =
        attempt === planEraseAudit ? planEraseAudit(bob, { actor: "tester", options }) : erase(bob, "tester");
      await expect(call).rejects.toMatchObject({ code: "forbidden" });
    }
    const { out } = await home.run(["audit-list", "--operation", "audit.erase", "-o", "json"]);
    expect(JSON.parse(out)).toMatchObject([
      { outcome: "denied", sensitivity: "CRITICAL", actor: bobId },
      { outcome: "denied", sensitivity: "CRITICAL", actor: bobId },
    ]);
    expect(await owner.store.countPersonal({ log: owner.caller.tenant.id, actorId: bobId })).toMatchObject({
      entries: 4,
    });
  });

  it("knows a person who has left by their entries, and nobody of another tenant", async () => {
    const tenantId = owner.caller.tenant.id;
    await owner.store.transaction(async (tx) => {
      await tx.removeMembership({ actorId: bobId, tenantId });
      await tx.insertActor({ id: "stranger", name: "S", login: "stranger", createdAt: 1 });
    });
    expect(await planEraseAudit(owner, { actor: "bob", options })).toMatchObject({ fields: 6 });
    for (const actor of ["stranger", "nobody"])
      await expect(planEraseAudit(owner, { actor, options })).rejects.toMatchObject({ code: "not-found" });
  });

  it("takes what strangers left in the log system: who is no actor, and who has no role in the tenant that was asked for", async () => {
    await home.ok(["tenant", "create", "acme"]);
    await home.ok(["actor", "add", "zoe", "--role", "owner", "--tenant", "acme"]);
    const env = { SSH_CONNECTION: `${address} 1 192.0.2.8 22` };
    for (const login of ["mallory", "zoe"])
      expect((await home.run(["list"], { login, env })).code).not.toBe(0);
    const acme = await home.run(["audit-erase", "--actor", "unknown", "--tenant", "acme", "--dry-run"]);
    expect(acme.code).toBe(3);
    for (const actor of ["unknown", "zoe"]) {
      const { logs } = await erase(owner, actor);
      expect(logs).toMatchObject([{ fields: 0 }, { log: systemLog, entries: 1, fields: 3 }]);
    }
    await erase(owner, "bob");
    await owner.close();
    const file = readFileSync(join(home.path, "store.db"), "latin1");
    for (const personal of [address, "mallory"]) expect(file).not.toContain(personal);
    owner = await home.session();
  });

  it("does exactly the plan that was agreed to, or nothing", async () => {
    const { planHash } = await planEraseAudit(owner, { actor: "bob", options });
    await act(bob, "key.revoke");
    const request = { actor: "bob", options, planHash };
    await expect(eraseAudit(owner, request)).rejects.toMatchObject({ code: "conflict" });
    const { planHash: now, fields } = await planEraseAudit(owner, { actor: "bob", options });
    expect(fields).toBe(9);
    expect(await eraseAudit(owner, { ...request, planHash: now })).toMatchObject({ fields: 9 });
  });

  it("covers the log of no tenant only from the tenant that every store has", async () => {
    const tenant = {
      id: "01900000-0000-7000-8000-00000000acce",
      name: "acme",
      createdAt: 1,
      deletedAt: null,
    };
    await owner.store.transaction(async (tx) => {
      await tx.insertTenant(tenant);
      await tx.insertMembership({
        actorId: owner.caller.actor.id,
        tenantId: tenant.id,
        role: "owner",
        createdAt: 1,
      });
    });
    const elsewhere = { ...owner, caller: { ...owner.caller, tenant } };
    expect(await erase(elsewhere, "tester")).toMatchObject({ logs: [{ log: tenant.id, fields: 0 }] });
    const inDefault = await planEraseAudit(owner, { actor: "tester", options });
    expect(inDefault.logs).toMatchObject([{ entries: 2 }, { log: systemLog, entries: 1 }]);
  });

  it("stands when the disk is too full to clean the files, and says that they are not clean", async () => {
    const warnings: string[] = [];
    const scrub = async (): Promise<boolean> =>
      await Promise.reject(new KeyctlError("unavailable", "no space left for the store"));
    const full = { ...owner, store: { ...owner.store, scrub }, warn: (text: string) => warnings.push(text) };
    expect(await eraseAudit(full, { actor: "bob", options, planHash: null })).toMatchObject({
      fields: 6,
      scrubbed: false,
    });
    expect(warnings).toEqual(["no space left for the store"]);
    expect(await planEraseAudit(owner, { actor: "bob", options })).toMatchObject({ fields: 0 });
  });

  it("is pending while another process holds an older state of the file, and done when it is said again", async () => {
    const reader = new SqliteDatabase(join(home.path, "store.db"), { readonly: true });
    reader.exec("begin");
    reader.prepare("select count(*) from audit_entries").get();
    const argv = ["audit-erase", "--actor", "bob", "--confirm", bobId, "-o", "json"];
    const ran = await home.run(argv);
    expect([ran.code, JSON.parse(ran.out)]).toMatchObject([8, { fields: 6, scrubbed: false }]);
    reader.close();
    const again = await home.run(argv);
    expect([again.code, JSON.parse(again.out)]).toMatchObject([0, { fields: 0, scrubbed: true }]);
    await owner.close();
    expect(readFileSync(join(home.path, "store.db"), "latin1")).not.toContain(address);
  });
});
