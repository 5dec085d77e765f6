import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actions, assertMay, mayDo, ownNames, reachOf } from "../../src/core/access.ts";
import type { Standing } from "../../src/core/access.ts";
import { roles } from "../../src/core/model.ts";
import type { Role } from "../../src/core/model.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const actor = { id: "0192f0c1-0000-7000-8000-000000000009", login: "mia" };
const who = (role: Role | null): Standing => ({ role, actor, tenant: "acme" });
const owners = [undefined, "app", "company", "user:mia", `user:${actor.id}`, "user:max", "user:MIA", "user:"];

describe("roles", () => {
  it("give an owner everything, an operator all keys, a user its own, an auditor the log", () => {
    const table = roles.map((role) => [role, actions.map((action) => reachOf(role, action)).join(" ")]);
    expect(actions.join(" ")).toBe("read manage open audit administer");
    expect(Object.fromEntries(table)).toEqual({
      owner: "all all all all all",
      operator: "all all all all none",
      user: "own own own none none",
      auditor: "none none none all none",
    });
  });

  it("are needed: an actor without one in the tenant may do nothing", () => {
    for (const action of actions) {
      for (const owner of owners) expect(mayDo(who(null), action, owner)).toBe(false);
      expect(codeOf(() => assertMay(who(null), action))).toBe("forbidden");
    }
  });

  it("let a user do to its own keys, named by login or id, what it may do to no other", () => {
    for (const action of ["read", "manage", "open"] as const) {
      const allowed = owners.filter((owner) => mayDo(who("user"), action, owner));
      expect(allowed).toEqual(ownNames(actor));
    }
  });

  it("never let a user or an auditor at a key of the app or the company", () => {
    fc.assert(
      fc.property(fc.constantFrom(...actions), fc.constantFrom("app", "company"), (action, owner) => {
        const reached = action === "audit" ? ["auditor"] : [];
        expect((["user", "auditor"] as const).filter((role) => mayDo(who(role), action, owner))).toEqual(
          reached,
        );
      }),
    );
  });

  it("refuse exactly what they do not allow", () => {
    for (const role of roles) {
      for (const action of actions) {
        for (const owner of owners) {
          const expected = mayDo(who(role), action, owner) ? null : "forbidden";
          const got = codeOf(() => assertMay(who(role), action, owner));
          expect(got, `${role} ${action} ${owner ?? "everything"}`).toBe(expected);
        }
      }
    }
  });

  it("are named in the refusal, with actor and tenant and who could do it", () => {
    expect(refusalOf(() => assertMay(who("auditor"), "manage"))).toMatchObject({
      message: "mia is auditor in tenant acme: that does not allow to change keys",
      hint: "an owner or operator of the tenant can do it",
    });
    expect(refusalOf(() => assertMay(who("user"), "open", "app"))?.message).toBe(
      "mia is user in tenant acme: that does not allow to open keys other than its own",
    );
    expect(refusalOf(() => assertMay(who(null), "read"))?.message).toContain("has no role");
  });
});
