import { acmeLogin } from "./two-tenants.ts";

/** What somebody of beta may have come to know of acme. */
export interface OfAcme {
  /** The secret of an issued key, and a file in which it leaked. */
  secret: string;
  leakedPath: string;
  /** Ids of that key: its own, and the public one inside the secret. */
  keyId: string;
  publicId: string;
}

/** One call by somebody of beta. */
export interface Probe {
  argv: string[];
  stdin?: string;
  /** It names something or somebody of acme, so it must end as if that were not there. */
  foreign?: "path" | "id" | "tenant" | "actor";
}

export const beta = ["--tenant", "beta"];

/** Every way to name acme's key `name` to a verb that takes NAME or `--id`. */
function ways(of: OfAcme, verb: string[], name: string, tail: string[] = []): Probe[] {
  return [
    { argv: [...verb, name, ...tail, ...beta] },
    { argv: [...verb, `acme/prod/${name}`, ...tail], foreign: "path" },
    { argv: [...verb, "--id", of.keyId, ...tail, ...beta], foreign: "id" },
    { argv: [...verb, "--id", of.publicId, ...tail, ...beta], foreign: "id" },
    { argv: [...verb, name, ...tail, "--tenant", "acme"], foreign: "tenant" },
  ];
}

/** What each verb is asked; the suite fails for a verb without a row. Nothing here changes beta. */
export const probes: Readonly<Record<string, (of: OfAcme) => Probe[]>> = {
  init: () => [{ argv: ["init", ...beta] }, { argv: ["init", "--tenant", "acme"], foreign: "tenant" }],
  "profile list": () => [{ argv: ["profile", "list"] }],
  "profile use": () => [{ argv: ["profile", "use", "default"] }],
  demo: () => [],
  completion: () => [
    { argv: ["__complete"], stdin: "show\n--tenant\nbeta\n\n" },
    { argv: ["__complete"], stdin: "show\n--tenant\nacme\n\n" },
    { argv: ["__complete"], stdin: "list\n--tenant\nbeta\n--env\n\n" },
    { argv: ["__complete"], stdin: "--tenant\nbeta\nlist\n--tenant\n\n" },
    { argv: ["__complete"], stdin: "actor\ngrant\n--tenant\nbeta\n\n" },
  ],
  create: () => [
    { argv: ["create", "acme/prod/intruder"], foreign: "path" },
    { argv: ["create", "zebra-api", "--dry-run", ...beta] },
    { argv: ["create", "intruder", "--tenant", "acme"], foreign: "tenant" },
  ],
  list: (of) => [
    { argv: ["list", "-o", "json", ...beta] },
    { argv: ["list", "--env", "zebra-env", ...beta] },
    { argv: ["list", "--after", `zebra-api:${of.keyId}`, ...beta] },
    { argv: ["list", "--owner", "user:zoltan", ...beta] },
    { argv: ["list", "--tenant", "acme"], foreign: "tenant" },
  ],
  show: (of) => [...ways(of, ["show"], "zebra-api"), { argv: ["show", "shared", "-o", "json", ...beta] }],
  verify: (of) => [
    { argv: ["verify", "-o", "json", ...beta], stdin: of.secret },
    { argv: ["verify", "--tenant", "acme"], stdin: of.secret, foreign: "tenant" },
  ],
  reveal: (of) => ways(of, ["reveal"], "zebra-db", ["--stdout"]),
  exec: () => [
    { argv: ["exec", ...beta, "-e", "A=acme/prod/zebra-db", "--", "printenv", "A"] },
    { argv: ["exec", ...beta, "-e", "A=zebra-db", "--", "printenv", "A"] },
    { argv: ["exec", "--tenant", "acme", "-e", "A=zebra-db", "--", "printenv", "A"] },
  ],
  rotate: (of) => ways(of, ["rotate"], "zebra-api", ["--yes"]),
  rollback: (of) => ways(of, ["rollback"], "zebra-api", ["--yes"]),
  update: (of) => ways(of, ["update"], "zebra-api", ["--tag", "a=b"]),
  delete: (of) => ways(of, ["delete"], "zebra-api", ["--yes"]),
  restore: (of) => ways(of, ["restore"], "zebra-thrown-away", ["--yes"]),
  suspend: (of) => ways(of, ["suspend"], "zebra-api", ["--reason", "x"]),
  resume: (of) => ways(of, ["resume"], "zebra-paused", ["--reason", "x", "--yes"]),
  revoke: (of) => [
    ...ways(of, ["revoke"], "zebra-api", ["--reason", "superseded", "--yes"]),
    ...ways(of, ["revoke"], "zebra-gone", ["--undo", "--yes"]),
    ...ways(of, ["revoke"], "zebra-openai", ["--upstream-done", "--yes"]),
    { argv: ["revoke", "--leaked", "--yes", ...beta], stdin: of.secret },
    {
      argv: ["revoke", "--all", "--where-tenant", "acme", "--reason", "superseded", "--dry-run", ...beta],
      foreign: "path",
    },
    {
      argv: [
        "revoke",
        "--all",
        "--where-owner",
        "user:zoltan",
        "--reason",
        "superseded",
        "--dry-run",
        ...beta,
      ],
    },
  ],
  status: () => [
    { argv: ["status", "-o", "json", ...beta] },
    { argv: ["status", "--tenant", "acme"], foreign: "tenant" },
  ],
  reconcile: () => [
    { argv: ["reconcile", "-o", "json", ...beta] },
    { argv: ["reconcile", "--fix", ...beta] },
    { argv: ["reconcile", "--fix", "--tenant", "acme"], foreign: "tenant" },
  ],
  doctor: () => [{ argv: ["doctor", "-o", "json", ...beta] }],
  "audit-list": () => [
    { argv: ["audit-list", "--limit", "1000", "-o", "json", ...beta] },
    { argv: ["audit-list", "--actor", acmeLogin, ...beta], foreign: "actor" },
    { argv: ["audit-list", "--log", "system", ...beta] },
    { argv: ["audit-list", "--tenant", "acme"], foreign: "tenant" },
  ],
  "audit-export": () => [
    { argv: ["audit-export", ...beta] },
    { argv: ["audit-export", "--tenant", "acme"], foreign: "tenant" },
  ],
  "audit-verify": () => [
    { argv: ["audit-verify", "--state", "-o", "json", ...beta] },
    { argv: ["audit-verify", "--log", "system", ...beta] },
    { argv: ["audit-verify", "--tenant", "acme"], foreign: "tenant" },
  ],
  "audit-erase": () => [
    { argv: ["audit-erase", "--actor", acmeLogin, "--dry-run", ...beta], foreign: "actor" },
    { argv: ["audit-erase", "--actor", acmeLogin, "--dry-run", "--tenant", "acme"], foreign: "tenant" },
  ],
  "leak-scan": (of) => [
    { argv: ["leak-scan", of.leakedPath, "-o", "json", ...beta] },
    { argv: ["leak-scan", "-", "-o", "json", ...beta], stdin: of.secret },
    { argv: ["leak-scan", "-", "--tenant", "acme"], stdin: of.secret, foreign: "tenant" },
  ],
  "tenant create": () => [{ argv: ["tenant", "create", "third", "--dry-run", ...beta] }],
  "tenant list": () => [{ argv: ["tenant", "list", "-o", "json", ...beta] }],
  "tenant show": () => [
    { argv: ["tenant", "show", "-o", "json", ...beta] },
    { argv: ["tenant", "show", "acme", ...beta], foreign: "path" },
    { argv: ["tenant", "show", "--tenant", "acme"], foreign: "tenant" },
  ],
  "tenant delete": () => [
    { argv: ["tenant", "delete", "acme", "--confirm", "acme", ...beta], foreign: "path" },
    { argv: ["tenant", "delete", "acme", "--confirm", "acme", "--tenant", "acme"], foreign: "tenant" },
  ],
  "actor add": () => [
    { argv: ["actor", "add", "New", "--login", acmeLogin, ...beta] },
    { argv: ["actor", "add", "New", "--tenant", "acme"], foreign: "tenant" },
  ],
  "actor list": () => [
    { argv: ["actor", "list", "-o", "json", ...beta] },
    { argv: ["actor", "list", "--tenant", "acme"], foreign: "tenant" },
  ],
  "actor grant": () => [
    { argv: ["actor", "grant", acmeLogin, "user", "--dry-run", "-o", "json", ...beta] },
    { argv: ["actor", "grant", "zoltann", "user", "--yes", ...beta] },
    { argv: ["actor", "grant", "bea", "owner", "--yes", "--tenant", "acme"], foreign: "tenant" },
  ],
  "actor revoke": () => [
    { argv: ["actor", "revoke", acmeLogin, "--yes", ...beta], foreign: "actor" },
    { argv: ["actor", "revoke", acmeLogin, "--yes", "--tenant", "acme"], foreign: "tenant" },
  ],
};
