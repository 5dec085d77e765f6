import { describe, expect, it } from "vitest";
import { kindRules } from "../../src/core/kind-rules.ts";
import { keyKinds } from "../../src/core/model.ts";
import { stepsOf } from "../../src/core/operation.ts";

describe("what each event means per kind", () => {
  it("is answered for every kind", () => {
    expect(Object.keys(kindRules).toSorted()).toEqual([...keyKinds].toSorted());
  });

  it("lets the store enforce a denial of all but a secret, which only its vault can refuse", () => {
    const byVault = keyKinds.filter((kind) => kindRules[kind].enforcedBy === "vault");
    expect(byVault).toEqual(["secret"]);
  });

  it("disables old secrets in the vault when their grace is over, and nothing else", () => {
    const disabled = keyKinds.filter((kind) => kindRules[kind].vaultAfterGrace === "disable");
    expect(disabled).toEqual(["secret"]);
  });

  it("lets an encryption key's data go dark only when its name was typed", () => {
    expect(kindRules.encryption.vaultOnRevoke).toBe("disable-when-confirmed");
    expect(kindRules.secret.vaultOnRevoke).toBe("disable");
    expect(kindRules.issued.vaultOnRevoke).toBe("nothing");
    expect(kindRules.provider.vaultOnRevoke).toBe("nothing");
  });

  it("knows that only a provider key stays accepted elsewhere after we deny it", () => {
    expect(keyKinds.filter((kind) => kindRules[kind].hasUpstream)).toEqual(["provider"]);
  });

  it("puts a value again exactly where the rollback has steps for it", () => {
    for (const kind of keyKinds) {
      const putsAgain = stepsOf("rollback", kind).includes("publish");
      expect(kindRules[kind].rollback, kind).toBe(putsAgain ? "put-again" : "pointer");
    }
  });
});
