import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

function words(text: string): string[] {
  return text.split(/\s+/);
}

/** What scripts read: fields are added, never renamed or taken away. A new field is added here on purpose. */
const keyFields =
  words(`id name kind tenant env owner state activeVersion revision createdAt createdBy updatedAt
  expiresAt rotatedAt rotatedBy lifetimeMs graceMs rollbackWindowMs rotateEveryMs rotationRequiredAt lastUsedAt rollbackUntil recoverableUntil
  anomalyAt tags complianceTags description correlationId`);
const kindFields = {
  issued: ["prefix", "tier", "scopes"],
  provider: ["provider", "preferredModel", "authorizedServices", "accessPolicy"],
  secret: ["type", "authorizedServices", "accessPolicy"],
  encryption: ["type", "algorithm", "purpose", "authorizedServices", "accessPolicy"],
};
const versionFields =
  words(`version publicId state createdAt activatedAt expiresAt graceUntil rollbackUntil rotatedAt
  revokedAt revokedReason deniedAt lastUsedAt parentVersion`);
const madeFields = ["version", "replayed", "operationId"];
const verdictFields = words(
  `log size root integrity completeness firstBadSeq checkpoints newestCheckpointAt problem`,
);

type JsonObject = Record<string, unknown>;
type Kind = keyof typeof kindFields;

let home: Home;
let folder: string;
let issued: string;
const made: Partial<Record<Kind, JsonObject>> = {};

beforeAll(async () => {
  home = await makeHome();
  folder = mkdtempSync(join(tmpdir(), "keyctl-shapes-"));
  const value = ["not", "of", "any", "provider"].join("-");
  const create = async (kind: Kind, more: string[], stdin = ""): Promise<JsonObject> => {
    const argv = ["create", kind, "--kind", kind, "-o", "json", "--expires", "90d", ...more];
    return objectOf(await home.ok(argv, { stdin }));
  };
  made.issued = await create("issued", ["--scopes", "read"]);
  made.provider = await create("provider", ["--provider", "openai", "--from-file", "-"], value);
  made.secret = await create("secret", ["--type", "db-credential", "--generate"]);
  made.encryption = await create("encryption", ["--type", "PHI_DATA"]);
  issued = textOf(made.issued["secret"]);
});

afterAll(() => {
  home.remove();
  rmSync(folder, { recursive: true, force: true });
});

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): JsonObject {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
  if (isObject(parsed)) return parsed;
  throw new Error("not an object");
}

function arrayOf(value: unknown): unknown[] {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
  if (Array.isArray(parsed)) return parsed;
  throw new Error("not an array");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error("not a text");
}

function expectFields(value: unknown, fields: readonly string[]): JsonObject {
  const object = objectOf(value);
  expect(Object.keys(object).toSorted()).toEqual(fields.toSorted());
  return object;
}

/** Every field that ends in At or Until is null or a moment in UTC with milliseconds. */
function expectTimes(object: JsonObject): void {
  const times = Object.entries(object).filter(([name]) => /(?:At|Until)$/.test(name));
  expect(times.length).toBeGreaterThan(0);
  for (const [name, time] of times) {
    if (time !== null) expect(time, name).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
}

const kinds = Object.keys(kindFields).filter((kind): kind is Kind => kind in kindFields);

describe.each(kinds)("a key of kind %s", (kind) => {
  const fields = [...keyFields, ...kindFields[kind]];

  it("is answered by create with its version, and with its secret when it is issued", () => {
    const secret = kind === "issued" ? ["secret"] : [];
    expectTimes(expectFields(made[kind], [...fields, ...madeFields, ...secret]));
  });

  it("is an element of list", async () => {
    const keys = arrayOf(await home.ok(["list", "--kind", kind, "-o", "json"]));
    expect(keys).toHaveLength(1);
    expectTimes(expectFields(keys[0], fields));
  });

  it("is answered by show with its versions", async () => {
    const more = ["versions", "operation", "upstream"];
    const shown = expectFields(await home.ok(["show", kind, "-o", "json"]), [...fields, ...more]);
    expectTimes(expectFields(arrayOf(shown["versions"])[0], versionFields));
    const wide = objectOf(await home.ok(["show", kind, "--wide", "-o", "json"]));
    expectFields(arrayOf(wide["versions"])[0], [...versionFields, "vaultReference"]);
  });
});

describe("verify", () => {
  const fields = words(`valid reason keyId name tenant version state scopes tier expiresAt rateLimit`);

  it("has the same fields for a key that is accepted and one that nobody knows", async () => {
    const valid = expectFields(await home.ok(["verify", "-o", "json"], { stdin: issued }), fields);
    expectFields(valid["rateLimit"], ["limit", "remaining", "resetAt"]);
    expect(valid).toMatchObject({ valid: true, reason: null, name: "issued", version: 1, scopes: ["read"] });
    const { out } = await home.run(["verify", "-o", "json"], { stdin: "nonsense" });
    expect(expectFields(out, fields)).toMatchObject({ valid: false, keyId: null, rateLimit: null });
  });
});

describe("reveal and exec", () => {
  it("reveal answers the value with its encoding, and which version it is", async () => {
    const fields = words(`id name kind tenant env version encoding secret`);
    const shown = expectFields(await home.ok(["reveal", "secret", "--stdout", "-o", "json"]), fields);
    expect(shown).toMatchObject({
      name: "secret",
      kind: "secret",
      tenant: "default",
      version: 1,
      encoding: "utf8",
    });
  });

  it("a dry run of exec answers which versions would be opened", async () => {
    const planned = arrayOf(
      await home.ok(["exec", "-e", "A=secret", "-e", "B=provider", "--dry-run", "-o", "json", "--", "true"]),
    );
    for (const each of planned) expectFields(each, words(`variable keyId name env kind version`));
    expect(planned).toMatchObject([
      { variable: "A", name: "secret" },
      { variable: "B", name: "provider" },
    ]);
  });
});

describe("leak-scan", () => {
  it("reports findings with our own keys named, and what was covered", async () => {
    const path = join(folder, "job.log");
    writeFileSync(path, `Bearer ${issued}\n`);
    const missing = join(folder, "missing.log");
    const { out } = await home.run(["leak-scan", path, missing, "-o", "json"]);
    const report = expectFields(out, ["findings", "coverage", "summary", "durationMs"]);
    const finding = expectFields(
      arrayOf(report["findings"])[0],
      words(`ruleId provider severity confidence proof path line column offset length step count occurrences
  masked fingerprint decodedFrom managed`),
    );
    expectFields(arrayOf(finding["occurrences"])[0], ["path", "line", "column", "offset"]);
    const managed = ["keyId", "name", "tenant", "version", "state", "asOf", "owner", "command", "env"];
    expectFields(finding["managed"], managed);
    const coverage = expectFields(report["coverage"], ["files", "bytes", "managed", "skipped"]);
    expectFields(arrayOf(coverage["skipped"])[0], ["path", "reason"]);
    expectFields(report["summary"], ["leaks", "managed", "incomplete"]);
  });
});

describe("revoke", () => {
  const revokedFields = words(`id name tenant versions state enforcedBy deniedAt effectiveAt upstream env`);

  it("says per key which place enforces it, since when, and what is open", async () => {
    const argv = ["revoke", ...kinds, "--reason", "superseded", "--confirm", "4", "-o", "json"];
    const { code, out } = await home.run(argv);
    expect(code).toBe(8);
    const result = expectFields(
      out,
      words(`revokedAt planHash keys denied vault undoUntil operationId replayed`),
    );
    expectTimes(result);
    expectFields(result["denied"], ["done", "total"]);
    expectFields(result["vault"], ["done", "total", "pending"]);
    const keys = arrayOf(result["keys"]).map((key) => expectFields(key, revokedFields));
    for (const key of keys) {
      expectTimes(key);
      if (key["name"] === "provider") expectFields(key["upstream"], ["status", "url"]);
      else expect(key["upstream"]).toBeNull();
      expect(key["enforcedBy"]).toBe(key["name"] === "secret" ? "vault" : "store");
      // Whoever verifies may hold a row for five seconds.
      const [denied, effective] = [textOf(key["deniedAt"]), textOf(key["effectiveAt"])].map(Date.parse);
      expect((effective ?? 0) - (denied ?? 0)).toBe(5_000);
    }
  });
});

describe("status", () => {
  const findingFields = words(`id level key version since until message command`);

  it("has a verdict, counts of every kind of finding, and each finding with its command", async () => {
    await home.run(["verify"], { stdin: "nonsense" });
    const { out } = await home.run(["status", "-o", "json"]);
    const status = expectFields(
      out,
      words(
        `tenant scope asOf verdict totals counts findings attempts accesses checkpoint maintenance notExamined`,
      ),
    );
    const totals = words(`byKind byState secure rotationSoon rotationRequired countedTo`);
    expectFields(status["totals"], totals);
    expectFields(
      status["counts"],
      words(`anomaly overdue rotation-required expiring compromised expired rotation-soon never-used stale suspended
  deleted seen grace-running upstream-open operation-open operation-running vault-task maintenance-late
  checkpoint-late log-broken refusals`),
    );
    for (const finding of arrayOf(status["findings"])) expectFields(finding, findingFields);
    expect(arrayOf(status["findings"]).length).toBeGreaterThan(0);
    const activity = words(`at actor operation outcome key`);
    for (const list of ["attempts", "accesses"]) expectFields(arrayOf(status[list])[0], activity);
    expectTimes(
      expectFields(status["checkpoint"], words(`signedAt signedSize size unsigned examined problem`)),
    );
    expectTimes(expectFields(status["maintenance"], ["lastAt"]));
    const lines = (await home.run(["status", "-o", "jsonl"])).out.trimEnd().split("\n");
    for (const line of lines) expectFields(line, findingFields);
  });
});

describe("update, suspend, resume, delete and restore", () => {
  const fields = [...keyFields, ...kindFields.issued];

  it("answer the key, whether it was changed, and what the vault has still to do", async () => {
    await home.ok(["create", "changing"]);
    const reason = ["--reason", "a test"];
    for (const argv of [
      ["update", "changing", "--tag", "a=b"],
      ["suspend", "changing", ...reason],
      ["resume", "changing", ...reason, "--yes"],
      ["delete", "changing", "--yes"],
      ["restore", "changing", "--yes"],
      ["delete", "changing", "--purge", "--confirm", "changing"],
    ]) {
      const planned = await home.ok([...argv, "--dry-run", "-o", "json"]);
      expectTimes(expectFields(planned, [...fields, "changed", "dryRun", "planHash"]));
      const made = expectFields(await home.ok([...argv, "-o", "json"]), [
        ...fields,
        "changed",
        "vaultPending",
      ]);
      expectTimes(made);
      expect(made, argv.join(" ")).toMatchObject({ changed: true, vaultPending: 0 });
      expect(objectOf(planned)["state"]).toBe(made["state"]);
    }
  });
});

describe("audit-verify", () => {
  it("gives both verdicts of the store's log", async () => {
    expectFields(await home.ok(["audit-verify", "-o", "json"]), verdictFields);
    const withState = await home.ok(["audit-verify", "--state", "-o", "json"]);
    expect(expectFields(withState, [...verdictFields, "differences"])["differences"]).toEqual([]);
  });

  it("gives both verdicts of a bundle, and whose key signed it", async () => {
    const bundle = join(folder, "bundle");
    const exported = await home.ok(["audit-export", "--format", "bundle", "--out", bundle, "-o", "json"]);
    expectFields(exported, ["path", "origin", "entries", "size", "fingerprint"]);
    expectFields(
      await home.ok(["audit-verify", bundle, "-o", "json"]),
      words(`log size root integrity completeness firstBadSeq entries filtered fingerprint trusted problem`),
    );
  });
});

describe("profiles", () => {
  it("are told by init, listed with their values, and chosen", async () => {
    const argv = ["init", "--profile", "shapes", "-o", "json"];
    const planned = expectFields(await home.ok([...argv, "--dry-run"]), words(`profile store vault dryRun`));
    expectFields(planned["profile"], ["name", "path", "added"]);
    expectFields(await home.ok(argv), words(`profile store vault storeId tenant actor`));
    const [listed] = arrayOf(await home.ok(["profile", "list", "-o", "json"]));
    expectFields(listed, words(`name current store vault auth tenant env naming`));
    expectFields(await home.ok(["profile", "use", "default", "-o", "json"]), ["profile", "changed"]);
  });
});

describe("audit-erase", () => {
  it("counts per log what it would erase, and what it erased", async () => {
    const fields = words(`actor logs entries fields`);
    const argv = ["audit-erase", "--actor", "tester", "-o", "json"];
    const planned = expectFields(await home.ok([...argv, "--dry-run"]), [...fields, "planHash", "dryRun"]);
    const confirm = ["--confirm", textOf(planned["actor"])];
    const erased = expectFields(await home.ok([...argv, ...confirm]), [...fields, "scrubbed"]);
    expectFields(arrayOf(erased["logs"])[0], ["log", "entries", "fields"]);
  });
});

describe("tenants and actors", () => {
  const tenantFields = words(`id name createdAt role`);
  const actorFields = words(`id name login roles`);

  it("have the same fields when they are made as when they are listed", async () => {
    const create = ["tenant", "create", "shapes", "-o", "json"];
    expectTimes(expectFields(await home.ok([...create, "--dry-run"]), [...tenantFields, "dryRun"]));
    expectTimes(expectFields(await home.ok(create), tenantFields));
    for (const tenant of arrayOf(await home.ok(["tenant", "list", "-o", "json"])))
      expectFields(tenant, tenantFields);
    const add = ["actor", "add", "mia", "-o", "json"];
    expectFields(await home.ok([...add, "--dry-run"]), [...actorFields, "dryRun"]);
    expectFields(await home.ok(add), actorFields);
    for (const actor of arrayOf(await home.ok(["actor", "list", "-o", "json"])))
      for (const role of arrayOf(expectFields(actor, actorFields)["roles"]))
        expectFields(role, ["tenant", "role"]);
  });

  it("a role's change says what it was and is; a tenant is shown with keys, actors and log", async () => {
    const planned = words(`login before after tenant planHash`);
    const change = [...planned, "id", "name"];
    const grant = ["actor", "grant", "mia", "operator", "--yes", "-o", "json"];
    expectFields(await home.ok([...grant, "--dry-run"]), [...planned, "dryRun"]);
    expectFields(await home.ok(grant), change);
    expectFields(await home.ok(["actor", "revoke", "mia", "--yes", "-o", "json"]), change);
    const shown = await home.ok(["tenant", "show", "-o", "json"]);
    const tenant = expectFields(shown, words(`id name createdAt keys actors log`));
    expectFields(arrayOf(tenant["actors"])[0], words(`id name login role`));
    expectFields(tenant["log"], words(`size signedSize newestCheckpointAt`));
    const remove = ["tenant", "delete", "shapes", "--confirm", "shapes", "-o", "json"];
    await home.ok(["create", "shapes/prod/last"]);
    const ending = expectFields(
      await home.ok([...remove, "--dry-run"]),
      words(`id name keys planHash dryRun`),
    );
    expectFields(arrayOf(ending["keys"])[0], words(`id name env kind state`));
    const deleted = expectFields(await home.ok(remove), words(`id name deletedAt keys vault operationId`));
    expectFields(arrayOf(deleted["keys"])[0], words(`id name env kind state deniedAt upstream`));
  });
});

describe("completion", () => {
  it("has the shell and its script", async () => {
    const answer = expectFields(await home.ok(["completion", "bash", "-o", "json"]), ["shell", "script"]);
    expect(answer["shell"]).toBe("bash");
  });
});

describe("doctor", () => {
  it("has one check per line, each with a stable id, and says whether none failed", async () => {
    const report = expectFields(await home.ok(["doctor", "-o", "json"]), ["ok", "checks"]);
    expect(report["ok"]).toBe(true);
    const checks = arrayOf(report["checks"]).map((check) =>
      expectFields(check, words(`id status subject message cure`)),
    );
    expect(checks.map((check) => textOf(check["id"]))).toContain("vault.generation");
    for (const { status } of checks) expect(["ok", "warn", "fail"]).toContain(status);
  });
});

describe("an error", () => {
  it("is one object with a code, and what to do next", async () => {
    const { err } = await home.run(["show", "nobody", "-o", "json"]);
    const error = expectFields(
      expectFields(err, ["error"])["error"],
      words(`code message hint retryable operationId`),
    );
    expect(error["code"]).toBe("not-found");
  });
});
