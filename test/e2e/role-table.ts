import type { Action } from "../../src/core/access.ts";

/** `app`, `company`, the user who asks, somebody else; and one who is called like the user, but for case. */
export const owners = ["app", "company", "user:uma", "user:zoe", "user:UMA"] as const;
export type Owner = (typeof owners)[number];

/** How the keys of an owner are called; names are compared without case. */
export function named(owner: Owner, what: string): string {
  return `${owners.indexOf(owner)}-${what}`;
}

export interface VerbRow {
  /** What the verb needs; null when every role may. */
  action: Action | null;
  /** What a refusal is called in the log. */
  operation: string;
  /** A call about a key of that owner, or about none; it changes no key. `leaks`: the secret of the owner's issued key is on stdin. */
  call: (owner: Owner) => { argv: string[]; leaks?: true };
  /** About no key in particular: a user's reach does not depend on an owner. */
  keyless?: true;
  /** A role that reaches only its own keys is shown these. */
  ownIsEnough?: true;
}

const dry = (verb: string, what: string, ...more: string[]): VerbRow["call"] => {
  return (owner) => ({ argv: [...verb.split(" "), named(owner, what), ...more, "--dry-run"] });
};

/** Each verb that asks for a role; the others ask nobody. */
export const verbs: Readonly<Record<string, VerbRow>> = {
  create: {
    action: "manage",
    operation: "key.create",
    call: (owner) => ({ argv: ["create", "new", "--owner", owner, "--dry-run"] }),
  },
  list: {
    action: "read",
    operation: "key.list",
    call: () => ({ argv: ["list"] }),
    keyless: true,
    ownIsEnough: true,
  },
  show: {
    action: "read",
    operation: "key.show",
    call: (owner) => ({ argv: ["show", named(owner, "key")] }),
  },
  reveal: {
    action: "open",
    operation: "key.reveal",
    call: (owner) => ({ argv: ["reveal", named(owner, "secret"), "--stdout"] }),
  },
  exec: {
    action: "open",
    operation: "key.exec",
    call: (owner) => ({ argv: ["exec", "-e", `A=${named(owner, "secret")}`, "--", "true"] }),
  },
  rotate: { action: "manage", operation: "key.rotate", call: dry("rotate", "key") },
  rollback: { action: "manage", operation: "key.rollback", call: dry("rollback", "key") },
  update: { action: "manage", operation: "key.update", call: dry("update", "key", "--tag=a=b") },
  delete: { action: "manage", operation: "key.delete", call: dry("delete", "key") },
  restore: { action: "manage", operation: "key.restore", call: dry("restore", "deleted") },
  suspend: { action: "manage", operation: "key.suspend", call: dry("suspend", "key", "--reason=x") },
  resume: { action: "manage", operation: "key.resume", call: dry("resume", "paused", "--reason=x") },
  revoke: { action: "manage", operation: "key.revoke", call: dry("revoke", "key", "--reason=superseded") },
  "revoke --undo": {
    action: "manage",
    operation: "key.revoke-undo",
    call: dry("revoke", "revoked", "--undo"),
  },
  "revoke --leaked": {
    action: "manage",
    operation: "key.revoke",
    call: () => ({ argv: ["revoke", "--leaked", "--dry-run"], leaks: true }),
  },
  "revoke --all": {
    action: "manage",
    operation: "key.revoke",
    call: (owner) => ({
      argv: ["revoke", "--all", "--where-owner", owner, "--reason=superseded", "--dry-run"],
    }),
  },
  reconcile: {
    action: "manage",
    operation: "store.reconcile",
    call: () => ({ argv: ["reconcile"] }),
    keyless: true,
  },
  status: {
    action: "read",
    operation: "tenant.status",
    call: () => ({ argv: ["status"] }),
    keyless: true,
    ownIsEnough: true,
  },
  "audit-list": {
    action: "audit",
    operation: "audit.list",
    call: () => ({ argv: ["audit-list"] }),
    keyless: true,
  },
  "audit-export": {
    action: "audit",
    operation: "audit.export",
    call: () => ({ argv: ["audit-export"] }),
    keyless: true,
  },
  "audit-verify": {
    action: "audit",
    operation: "audit.verify",
    call: () => ({ argv: ["audit-verify"] }),
    keyless: true,
  },
  "audit-erase": {
    action: "administer",
    operation: "audit.erase",
    call: () => ({ argv: ["audit-erase", "--actor", "uma", "--dry-run"] }),
    keyless: true,
  },
  "tenant create": {
    action: "administer",
    operation: "tenant.create",
    call: () => ({ argv: ["tenant", "create", "third", "--dry-run"] }),
    keyless: true,
  },
  "tenant list": {
    action: null,
    operation: "tenant.list",
    call: () => ({ argv: ["tenant", "list"] }),
    keyless: true,
  },
  "tenant show": {
    action: "audit",
    operation: "tenant.show",
    call: () => ({ argv: ["tenant", "show"] }),
    keyless: true,
  },
  "actor add": {
    action: "administer",
    operation: "actor.add",
    call: () => ({ argv: ["actor", "add", "kim", "--dry-run"] }),
    keyless: true,
  },
  "actor list": {
    action: "audit",
    operation: "actor.list",
    call: () => ({ argv: ["actor", "list"] }),
    keyless: true,
  },
  "actor grant": {
    action: "administer",
    operation: "actor.grant",
    call: () => ({ argv: ["actor", "grant", "aud", "user", "--dry-run"] }),
    keyless: true,
  },
  "actor revoke": {
    action: "administer",
    operation: "actor.revoke",
    call: () => ({ argv: ["actor", "revoke", "aud", "--dry-run"] }),
    keyless: true,
  },
};
