import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/tree.ts";
import { roles } from "../../src/core/model.ts";
import type { Role } from "../../src/core/model.ts";
import type { FakeIoOptions } from "../fakes/io.ts";
import {
  acmeLogin,
  acmeNeedles,
  acmeRows,
  betaLogins,
  copyOf,
  entriesOf,
  leaveHalfDone,
  makeTwoTenants,
  runAs,
} from "./two-tenants.ts";
import type { TwoTenants } from "./two-tenants.ts";
import { beta, probes } from "./tenant-probes.ts";
import type { OfAcme, Probe } from "./tenant-probes.ts";

let world: TwoTenants;
let needles: string[];
let folder: string;
let ofAcme: OfAcme;

beforeAll(async () => {
  world = await makeTwoTenants();
  needles = acmeNeedles(world);
  folder = mkdtempSync(join(tmpdir(), "keyctl-isolation-"));
  const { secret, keyId, publicId } = world;
  ofAcme = { secret, keyId, publicId, leakedPath: join(folder, "job.log") };
  writeFileSync(ofAcme.leakedPath, `Authorization: Bearer ${secret}\n`);
}, 60_000);
afterAll(() => {
  world.home.remove();
  rmSync(folder, { recursive: true, force: true });
});

it("every verb of the command tree has a row", () => {
  expect(Object.keys(probes).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

/** What was said of acme that the question itself did not say. */
function toldOf(said: string, { argv, stdin }: Probe): string[] {
  const asked = [...argv, stdin ?? ""].join("\n");
  return needles.filter((needle) => said.includes(needle) && !asked.includes(needle));
}

function optionsOf({ stdin, foreign }: Probe): FakeIoOptions {
  return {
    ...(stdin === undefined ? {} : { stdin }),
    // Not by the flag: a path that says something else than a flag is refused before anything is looked for.
    ...(foreign === "path" ? { env: { KEYCTL_TENANT: "beta" } } : {}),
  };
}

/** The same question about what nobody has ever made. */
function nowhere({ argv }: Probe): string[] {
  return argv.map((word) =>
    word
      .replace(/^acme(?=\/|$)/, "nada")
      .replace(acmeLogin, "nobody")
      .replace(world.keyId, "01900000-0000-7000-8000-000000000000")
      .replace(world.publicId, "0".repeat(14)),
  );
}

function asNowhere(said: string): string {
  return said
    .replaceAll(/\bacme\b/g, "nada")
    .replaceAll(acmeLogin, "nobody")
    .replaceAll(world.keyId, "01900000-0000-7000-8000-000000000000")
    .replaceAll(world.publicId, "0".repeat(14));
}

const verbs = Object.entries(probes).filter(([verb]) => verb !== "demo");
const cases = verbs.flatMap(([verb]) => roles.map((role): [string, Role] => [verb, role]));

describe("somebody of one tenant gets nothing of another", () => {
  let before: string;
  beforeAll(() => {
    before = acmeRows(world);
  });
  afterAll(() => {
    expect(acmeRows(world), "nothing of acme was touched, and its log has no entry of theirs").toBe(before);
  });

  it.each(cases)("by %s as %s: no name, no id, no value, no entry", async (verb, role) => {
    for (const probe of probes[verb]?.(ofAcme) ?? []) {
      const ran = await runAs(world.home, betaLogins[role], probe.argv, optionsOf(probe));
      expect(
        toldOf(`${ran.out}\n${ran.err}`, probe),
        `${probe.argv.join(" ")}\n${ran.out}${ran.err}`,
      ).toEqual([]);
    }
  });

  it.each(cases)("by %s as %s: what is there is answered like what is not", async (verb, role) => {
    for (const probe of (probes[verb]?.(ofAcme) ?? []).filter(({ foreign }) => foreign !== undefined)) {
      const login = betaLogins[role];
      const there = await runAs(world.home, login, probe.argv, optionsOf(probe));
      const missing = await runAs(world.home, login, nowhere(probe), optionsOf(probe));
      if (probe.foreign !== "actor") expect(there.code, there.err).toBe(3);
      expect({ ...there, err: asNowhere(there.err) }, probe.argv.join(" ")).toEqual(missing);
    }
  });

  it("a key of acme that is presented in beta is answered like one that nobody issued", async () => {
    const unknown = `${world.secret.slice(0, -20)}${"1".repeat(20)}`;
    const verify = async (stdin: string) =>
      await runAs(world.home, betaLogins.owner, ["verify", "-o", "json", ...beta], { stdin });
    expect(await verify(world.secret)).toEqual(await verify(unknown));
  });

  it("a key of acme that leaked is known as foreign, and that is all", async () => {
    const argv = ["leak-scan", "-", "-o", "json", ...beta];
    const { out } = await runAs(world.home, betaLogins.owner, argv, { stdin: world.secret });
    expect(JSON.parse(out).findings).toMatchObject([{ managed: { foreign: true } }]);
  });

  it("an exported bundle of beta holds nothing of acme", async () => {
    const out = join(folder, "bundle");
    const argv = ["audit-export", "--format", "bundle", "--out", out, "--with-personal", ...beta];
    const ran = await runAs(world.home, betaLogins.owner, argv);
    expect(ran.code, ran.err).toBe(0);
    for (const name of readdirSync(out))
      expect(toldOf(readFileSync(join(out, name), "latin1"), { argv }), name).toEqual([]);
  });
});

describe("an attempt on another tenant", () => {
  const argvs = (): string[][] => [
    ["list", "--tenant", "acme"],
    ["show", "acme/prod/zebra-api"],
    ["rotate", "--id", world.keyId, "--yes", ...beta],
    ["create", "acme/prod/intruder"],
    ["tenant", "delete", "acme", "--confirm", "acme", ...beta],
  ];

  it("is one CRITICAL entry in the log of what belongs to no tenant, with who and from where", async () => {
    const login = betaLogins.operator;
    for (const argv of argvs()) {
      const sizes = ["system", "acme", "beta"].map((log) => entriesOf(world.home, log).length);
      const env = { SSH_CONNECTION: "192.0.2.7 1 192.0.2.8 22", KEYCTL_TENANT: "beta" };
      await runAs(world.home, login, argv, { env });
      const [fresh, inAcme, inBeta] = ["system", "acme", "beta"].map((log, place) =>
        entriesOf(world.home, log, sizes[place]),
      );
      expect(inAcme, argv.join(" ")).toEqual([]);
      expect(inBeta, argv.join(" ")).toEqual([]);
      expect(fresh, argv.join(" ")).toHaveLength(1);
      expect(fresh?.[0]).toMatchObject({ outcome: "denied", sensitivity: "CRITICAL", key: null });
      expect(Object.keys(fresh?.[0]?.personal ?? {}).toSorted()).toEqual(["ip", "login", "userAgent"]);
      expect(fresh?.[0]?.after?.["tenant"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("by a login that is no actor's tells who it was not, and nothing of what is there", async () => {
    const size = entriesOf(world.home, "system").length;
    const [acme, nada] = await Promise.all(
      ["acme", "nada"].map(async (tenant) => await runAs(world.home, "eve", ["list", "--tenant", tenant])),
    );
    expect(acme).toEqual(nada);
    expect(acme?.code).toBe(5);
    const entries = entriesOf(world.home, "system", size);
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({
      actor: "unknown",
      operation: "session.open",
      sensitivity: "CRITICAL",
    });
  });
});

describe("what happens in one tenant", () => {
  const reads = [
    ["list", "-o", "json"],
    ["list", "--state", "deleted", "-o", "json"],
    ["show", "shared", "-o", "json"],
    ["status", "-o", "json"],
    ["reconcile", "-o", "json"],
    ["audit-list", "--limit", "1000", "-o", "json"],
    ["audit-verify", "--state", "-o", "json"],
    ["tenant", "list", "-o", "json"],
    ["tenant", "show", "-o", "json"],
    ["actor", "list", "-o", "json"],
  ];

  it("changes no answer in another: not a name, not a count", async () => {
    const [quiet, busy] = [await copyOf(world), await copyOf(world)];
    const inAcme = async (argv: string[], stdin = ""): Promise<unknown> =>
      await busy.home.ok([...argv, "--tenant", "acme"], { login: acmeLogin, stdin });
    for (let i = 0; i < 3; i++) await inAcme(["create", `busy-${i}`, "--expires", "30d"]);
    await inAcme(["rotate", "busy-0", "--yes"]);
    await inAcme(["delete", "busy-1", "--yes"]);
    await inAcme(["revoke", "busy-2", "--reason", "key-compromise", "--yes"]);
    await inAcme(["actor", "add", "busybody", "--role", "operator"]);
    await inAcme(["audit-export"]);
    leaveHalfDone(busy);
    for (const argv of reads) {
      const [still, moving] = await Promise.all(
        [quiet, busy].map(async ({ home }) => await runAs(home, betaLogins.owner, [...argv, ...beta])),
      );
      expect(still?.code, still?.err).toBe(0);
      const unmoved = JSON.stringify(moving).replaceAll(busy.home.path, quiet.home.path);
      expect(JSON.parse(unmoved), argv.join(" ")).toEqual(still);
    }
    quiet.home.remove();
    busy.home.remove();
  });
});
