import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Home } from "../fakes/home.ts";
import { alterStore, copyFile } from "./altered-store.ts";
import { copyOf, givenFiles, makeFourKeys, source } from "./four-keys.ts";
import type { FourKeys } from "./four-keys.ts";

const minuteMs = 60_000;

let prepared: FourKeys;
beforeAll(async () => {
  prepared = await makeFourKeys();
});
afterAll(() => prepared.home.remove());

async function onCopy(work: (home: Home) => Promise<void>): Promise<void> {
  const home = await copyOf(prepared.home);
  try {
    await work(home);
  } finally {
    home.remove();
  }
}

describe("an older copy that was put back", () => {
  it("of the database is caught by the checkpoint that this client remembers", async () => {
    await onCopy(async (home) => {
      const putBack = copyFile(home, "store.db");
      home.now += 2 * minuteMs;
      await home.ok(["revoke", "secret", "--reason", "superseded", "--yes"]);
      await home.ok(["create", "later"]);
      expect((await home.run(["audit-verify"])).code).toBe(0);
      putBack();
      const verdict = await home.run(["audit-verify", "-o", "json"]);
      expect(verdict.code).toBe(11);
      expect(JSON.parse(verdict.out)).toMatchObject({ completeness: "truncated" });
    });
  });

  it("of the vault is refused by everything that needs it, and denies nothing less", async () => {
    await onCopy(async (home) => {
      const putBack = copyFile(home, "vault.db");
      await home.ok(["rotate", "secret", "--yes", ...source("secret")], { files: givenFiles });
      putBack();
      const needing = [["create", "later"], ["rotate", "issued", "--yes"], ["reconcile"], ["audit-verify"]];
      for (const argv of needing) {
        const refused = await home.run(argv);
        expect(refused).toMatchObject({ code: 11, err: expect.stringContaining("is an older copy") });
      }
      await home.ok(["revoke", "issued", "--reason", "superseded", "--yes"]);
      const queued = await home.run(["revoke", "secret", "--reason", "superseded", "--yes", "-o", "json"]);
      expect(queued.code).toBe(8);
      expect(JSON.parse(queued.out)).toMatchObject({ keys: [{ state: "revoked", deniedAt: null }] });
    });
  });
});

describe("a changed root reference", () => {
  // What each root is needed for.
  const uses = [
    { role: "pepper", room: "secrets", argv: ["create", "later"] },
    {
      role: "k-auth",
      room: "secrets",
      argv: ["create", "later", "--kind", "provider", "--provider", "openai", ...source("provider")],
    },
    {
      role: "kek",
      room: "keys",
      argv: ["create", "later", "--kind", "provider", "--provider", "openai", ...source("provider")],
    },
    { role: "checkpoint-key", room: "keys", argv: ["reconcile", "--fix"] },
  ];
  const others = (room: string): { what: string; reference: string }[] => [
    {
      what: "another vault",
      reference: "'embedded://00000000-0000-4000-8000-000000000000/' || substr(reference, 49)",
    },
    {
      what: "another object of the vault",
      reference: `substr(reference, 1, 48) || '${room}/default%2Fprod%2F${room === "secrets" ? "secret" : "encryption"}/1'`,
    },
  ];
  for (const { role, room, argv } of uses) {
    it(`of the ${role} is not followed to another vault, nor to another object of the vault`, async () => {
      for (const { what, reference } of others(room)) {
        await onCopy(async (home) => {
          alterStore(home, "delete from vault_references where key_id is not null");
          alterStore(home, `update vault_references set reference = ${reference} where role = :role`, {
            role,
          });
          home.now += 2 * minuteMs;
          const refused = await home.run(argv, { files: givenFiles });
          expect({ what, ...refused }).toMatchObject({
            code: 11,
            err: expect.stringContaining("points outside the profile's vault"),
          });
        });
      }
    });
  }
});

describe("the log", () => {
  it("with one byte of one entry changed is broken, and the entry is named", async () => {
    await onCopy(async (home) => {
      alterStore(
        home,
        `drop trigger audit_entries_refuses_update;
         update audit_entries set bytes = cast(replace(cast(bytes as text), 'key.create', 'key.creace') as blob)
         where seq = 1 and log <> 'system'`,
      );
      const verdict = await home.run(["audit-verify", "-o", "json"]);
      expect(verdict.code).toBe(11);
      expect(JSON.parse(verdict.out)).toMatchObject({ integrity: "broken", firstBadSeq: 1 });
    });
  });
});
