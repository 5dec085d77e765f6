import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";
import { mayDo, reachOf } from "../../src/core/access.ts";
import { roles } from "../../src/core/model.ts";
import type { Role } from "../../src/core/model.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import { named, owners, verbs } from "./role-table.ts";
import type { Owner, VerbRow } from "./role-table.ts";
import { entriesOf } from "./two-tenants.ts";

const logins: Readonly<Record<Role, string>> = {
  owner: "tester",
  operator: "opal",
  user: "uma",
  auditor: "aud",
};

let home: Home;
/** Issued keys by owner. */
const issued = new Map<Owner, string>();

beforeAll(async () => {
  home = await makeHome();
  for (const role of ["operator", "user", "auditor"] as const)
    await home.ok(["actor", "add", logins[role], "--role", role]);
  for (const owner of owners) await fill(owner);
}, 60_000);
afterAll(() => home.remove());

async function fill(owner: Owner): Promise<void> {
  const create = async (what: string, more: string[] = [], stdin = ""): Promise<string> =>
    await home.ok(["create", named(owner, what), "--owner", owner, ...more], { stdin });
  await create("key");
  issued.set(owner, (await home.ok(["rotate", named(owner, "key"), "--yes"])).trim());
  const secret = ["--kind", "secret", "--type", "db-credential", "--from-file", "-"];
  await create("secret", secret, "a value that is long enough");
  await create("paused");
  await home.ok(["suspend", named(owner, "paused"), "--reason", "a test"]);
  await create("deleted");
  await home.ok(["delete", named(owner, "deleted"), "--yes"]);
  await create("revoked");
  await home.ok(["revoke", named(owner, "revoked"), "--reason", "superseded", "--yes"]);
}

/** Verbs that are tried below by themselves, or that ask no role of anybody. */
const elsewhere = ["verify", "leak-scan", "tenant delete", "init", "demo", "doctor", "completion"].concat(
  "profile list",
  "profile use",
);

it("every verb of the command tree has a row, or none because it asks for no role", () => {
  const known = new Set([...Object.keys(verbs), ...elsewhere]);
  expect(commands.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

const idOf = (role: Role): string => {
  const added = entriesOf(home, "default").filter(({ operation }) => operation === "actor.add");
  const place = (["operator", "user", "auditor"] as const).findIndex((each) => each === role);
  return String(added[place]?.after?.["actor"]);
};

function isAllowed(role: Role, verb: VerbRow, owner: Owner): boolean {
  if (verb.action === null) return true;
  if (verb.ownIsEnough === true) return reachOf(role, verb.action) !== "none";
  const standing = { role, actor: { id: idOf(role), login: logins[role] }, tenant: "default" };
  return mayDo(standing, verb.action, verb.keyless === true ? undefined : owner);
}

const env = { SSH_CONNECTION: "192.0.2.7 1 192.0.2.8 22" };

describe("a role", () => {
  it("is let do exactly what its table says, and each refusal is one entry with who, what and from where", async () => {
    const verb = fc.constantFrom(...Object.keys(verbs));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...roles),
        verb,
        fc.constantFrom(...owners),
        async (role, name, owner) => {
          const row = verbs[name];
          if (row === undefined) throw new Error("no such row");
          const size = entriesOf(home, "default").length;
          const system = entriesOf(home, "system").length;
          const { argv, leaks } = row.call(owner);
          const stdin = leaks === true ? (issued.get(owner) ?? "") : "";
          const ran = await home.run(argv, { login: logins[role], stdin, env });
          const told = entriesOf(home, "default", size).filter(({ outcome }) => outcome !== "success");
          expect(entriesOf(home, "system"), argv.join(" ")).toHaveLength(system);
          if (isAllowed(role, row, owner)) {
            // 125 is how exec tells a refusal of keyctl's own.
            expect(ran.code, `${argv.join(" ")}\n${ran.err}`).toBe(0);
            expect(told).toEqual([]);
            return;
          }
          expect(ran.code, `${argv.join(" ")}\n${ran.err}`).toBe(name === "exec" ? 125 : 5);
          expect(ran.out).toBe("");
          expect(told, argv.join(" ")).toHaveLength(1);
          const [entry] = told;
          expect(entry).toMatchObject({
            operation: row.operation,
            outcome: "denied",
            sensitivity: "CRITICAL",
            actor: idOf(role),
            auth: "os-user, not authenticated",
            after: { error: "forbidden", role },
          });
          expect(Object.keys(entry?.personal ?? {}).toSorted()).toEqual(["ip", "login", "userAgent"]);
          const isNamed = row.keyless !== true && !/^create|--all$/.test(name);
          const start = isNamed ? `${owners.indexOf(owner)}-` : "none";
          expect(entry?.key?.name ?? "none", argv.join(" ")).toMatch(new RegExp(`^${start}`));
        },
      ),
      { numRuns: 250 },
    );
  }, 120_000);

  it("of a user lists, counts and completes its own keys and no others", async () => {
    const listed = JSON.parse(await home.ok(["list", "-o", "json"], { login: "uma" }));
    expect(listed.length).toBeGreaterThan(2);
    expect(new Set(listed.map((key: { owner: string }) => key.owner))).toEqual(new Set(["user:uma"]));
    const answered = await home.ok(["__complete"], { login: "uma", stdin: "show\n\n" });
    expect(answered).toContain(named("user:uma", "key"));
    expect(answered).not.toContain(named("app", "key"));
  });

  it("of a user makes keys that are its own, unless they are said to be somebody else's", async () => {
    const made = JSON.parse(await home.ok(["create", "mine", "-o", "json"], { login: "uma" }));
    expect(made.owner).toBe("user:uma");
    const other = await home.run(["create", "theirs", "--owner", "app"], { login: "uma" });
    expect(other.code, other.err).toBe(5);
    const app = JSON.parse(await home.ok(["create", "apps", "-o", "json"], { login: "opal" }));
    expect(app.owner).toBe("app");
  });

  it("of a user cannot give its keys away, nor take others by an update of the owner", async () => {
    const away = await home.run(["update", named("user:uma", "key"), "--owner", "app"], { login: "uma" });
    expect(away.code, away.err).toBe(5);
    const taken = await home.run(["update", named("app", "key"), "--owner", "user:uma"], { login: "uma" });
    expect(taken.code, taken.err).toBe(5);
  });
});

describe("verify", () => {
  const verify = async (role: Role, owner: Owner) =>
    await home.run(["verify", "-o", "json"], { login: logins[role], stdin: issued.get(owner) ?? "", env });

  it("answers owners and operators for every key, a user for its own, an auditor never", async () => {
    for (const owner of owners) {
      for (const role of ["owner", "operator"] as const) expect((await verify(role, owner)).code).toBe(0);
      expect((await verify("user", owner)).code, owner).toBe(owner === "user:uma" ? 0 : 13);
      expect((await verify("auditor", owner)).code).toBe(5);
    }
  });

  it("tells a user nothing of a key that is not its own, and tells the log all", async () => {
    const unknown = await home.run(["verify", "-o", "json"], { login: "uma", stdin: "nonsense" });
    const size = entriesOf(home, "default").length;
    const answered = await verify("user", "app");
    expect({ code: answered.code, out: answered.out }).toEqual({ code: unknown.code, out: unknown.out });
    expect(entriesOf(home, "default", size)).toMatchObject([
      {
        operation: "key.verify",
        outcome: "denied",
        sensitivity: "CRITICAL",
        key: { name: named("app", "key") },
        after: { reason: "forbidden" },
      },
    ]);
  });
});

describe("leak-scan", () => {
  const scan = async (role: Role, owner: Owner) => {
    const ran = await home.run(["leak-scan", "-", "-o", "json"], {
      login: logins[role],
      stdin: issued.get(owner) ?? "",
    });
    return { ...ran, report: JSON.parse(ran.out) };
  };

  it("names a key to whom it may be shown; to a user somebody else's is foreign", async () => {
    expect((await scan("operator", "app")).report.findings[0].managed.name).toBe(named("app", "key"));
    expect((await scan("user", "user:uma")).report.findings[0].managed.name).toBe(named("user:uma", "key"));
    expect((await scan("user", "app")).report.findings[0].managed).toEqual({ foreign: true });
  });

  it("recognises no key for an auditor, and goes on without; the log has the attempt", async () => {
    const size = entriesOf(home, "default").length;
    const { report, err } = await scan("auditor", "app");
    expect(report.coverage.managed).toBe("none");
    expect(report.findings[0].managed).toBeNull();
    expect(err).toContain("keys of ours are not recognised: aud is auditor in tenant default");
    expect(entriesOf(home, "default", size)).toMatchObject([
      { operation: "leak.scan", outcome: "denied", sensitivity: "CRITICAL" },
    ]);
  });
});

describe("the roles that an actor has elsewhere", () => {
  it("are shown to whoever may know them there, and to no one else", async () => {
    await home.ok(["actor", "add", "both", "--role", "user"]);
    await home.ok(["tenant", "create", "boths"]);
    await home.ok(["actor", "grant", "both", "owner", "--yes", "--tenant", "boths"]);
    const roles = async (login: string, tenant: string): Promise<unknown[]> => {
      const listed = await home.ok(["actor", "list", "-o", "json", "--tenant", tenant], { login });
      return JSON.parse(listed).find((actor: { login: string }) => actor.login === "both").roles;
    };
    const there = { tenant: "boths", role: "owner" };
    const here = { tenant: "default", role: "user" };
    expect(new Set(await roles("tester", "boths"))).toEqual(new Set([here, there]));
    // A user of default: who else is there is not for it to know, from wherever it asks.
    expect(await roles("both", "boths")).toEqual([there]);
    const granted = await home.run(["actor", "grant", "opa", "user", "--yes", "--tenant", "boths"], {
      login: "both",
    });
    expect(granted.code).toBe(3);
    expect(granted.err).not.toContain("opal");
  });
});

describe("of two owners of a tenant", () => {
  const duel = async (tenant: string, targets: [string, string]): Promise<void> => {
    await home.ok(["tenant", "create", tenant]);
    const known = await home.run(["actor", "add", "second", "--role", "owner", "--tenant", tenant]);
    if (known.code !== 0) await home.ok(["actor", "grant", "second", "owner", "--yes", "--tenant", tenant]);
    const [first, other] = targets;
    const shots = await Promise.all([
      home.run(["actor", "revoke", first, "--yes", "--tenant", tenant]),
      home.run(["actor", "revoke", other, "--yes", "--tenant", tenant], { login: "second" }),
    ]);
    expect(shots.filter(({ code }) => code === 0)).toHaveLength(1);
    const left = shots[0]?.code === 0 ? (first === "tester" ? "second" : "tester") : undefined;
    const login = left ?? (other === "second" ? "tester" : "second");
    const actors = await home.ok(["actor", "list", "-o", "name", "--tenant", tenant], { login });
    expect(actors).toBe(`${login}\n`);
  };

  it("one stays when each removes the other at once", async () => {
    await duel("duel", ["second", "tester"]);
  });

  it("one stays when both step down at once", async () => {
    await duel("farewell", ["tester", "second"]);
  });
});

describe("a refusal by policy", () => {
  it("is one entry too, HIGH, with the key", async () => {
    const size = entriesOf(home, "default").length;
    const ran = await home.run(["rollback", named("app", "paused"), "--yes"]);
    expect(ran.code, ran.err).toBe(7);
    expect(entriesOf(home, "default", size)).toMatchObject([
      { operation: "key.rollback", outcome: "denied", sensitivity: "HIGH", after: { error: "refused" } },
    ]);
  });
});
