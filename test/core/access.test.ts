import { describe, expect, it } from "vitest";
import { assertMay, mayDo } from "../../src/core/access.ts";
import type { Action } from "../../src/core/access.ts";
import { roles } from "../../src/core/model.ts";
import type { Role } from "../../src/core/model.ts";
import { codeOf, refusalOf } from "./refusal.ts";

const actions: Action[] = ["manage", "read", "audit"];
const who = (role: Role | null) => ({ role, login: "mia", tenant: "acme" });

describe("roles", () => {
  it("let owners and operators do everything, a user read, an auditor audit", () => {
    const granted = roles.map((role) => [role, actions.filter((action) => mayDo(role, action))]);
    expect(Object.fromEntries(granted)).toEqual({
      owner: ["manage", "read", "audit"],
      operator: ["manage", "read", "audit"],
      user: ["read"],
      auditor: ["audit"],
    });
  });

  it("are needed: an actor without one in the tenant may do nothing", () => {
    for (const action of actions) {
      expect(mayDo(null, action)).toBe(false);
      expect(codeOf(() => assertMay(action, who(null)))).toBe("forbidden");
    }
  });

  it("refuse exactly what they do not allow", () => {
    for (const role of roles) {
      for (const action of actions) {
        const expected = mayDo(role, action) ? null : "forbidden";
        expect(
          codeOf(() => assertMay(action, who(role))),
          `${role} ${action}`,
        ).toBe(expected);
      }
    }
  });

  it("are named in the refusal, with actor and tenant and who could do it", () => {
    expect(refusalOf(() => assertMay("manage", who("auditor")))).toMatchObject({
      message: "mia is auditor in tenant acme: that does not allow to manage",
      hint: "an owner of the tenant can do it",
    });
    expect(refusalOf(() => assertMay("read", who(null)))?.message).toContain("has no role");
  });
});
