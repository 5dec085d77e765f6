import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findNeedles, needlesOf } from "../e2e/canary-needles.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home, OpenedKeyring } from "../fakes/home.ts";

const word = (what: string): string => `${what}-${randomBytes(18).toString("hex")}`;

let home: Home;
let keyring: OpenedKeyring;
beforeEach(async () => {
  home = await makeHome();
  keyring = await home.keyring();
});
afterEach(async () => {
  await keyring.close();
  home.remove();
});

/** Every way in which JavaScript prints what a call answered, or what it was refused with. */
async function shownBy(call: Promise<unknown>): Promise<string> {
  const settled: unknown = await call.catch((error: unknown) => error);
  const deep = inspect(settled, { depth: 20, showHidden: true, getters: true });
  return `${deep}${JSON.stringify(settled)}${String(settled)}`;
}

it("nothing that is presented, handed out or sealed stands in the files, the answers, the errors or the warnings", async () => {
  const secrets = { password: word("password"), provider: word("provider"), diagnosis: word("diagnosis") };
  const fromStdin = ["--from-file", "-"];
  await home.ok(["create", "db", "--kind", "secret", "--type", "db-credential", ...fromStdin], {
    stdin: secrets.password,
  });
  await home.ok(["create", "ai", "--kind", "provider", "--provider", "openai", ...fromStdin], {
    stdin: secrets.provider,
  });
  await home.ok(["create", "phi", "--kind", "encryption", "--type", "PHI_DATA"]);
  const issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
  const [, , secretPart = ""] = issued.split(".");

  const context = "patients/42";
  const dataKey = await keyring.dataKey("phi");
  const sealed = await keyring.values.seal("phi", secrets.diagnosis, { context });
  const changed = Uint8Array.from(sealed, (byte, place) => (place === sealed.length - 1 ? byte ^ 1 : byte));
  const agent = { ip: "192.0.2.1", userAgent: `agent ${issued}`, requestId: issued };
  const calls = [
    keyring.verify(issued, agent),
    keyring.verify(`${issued}x`, agent),
    keyring.verify(issued, { ...agent, scopes: [secrets.password] }),
    keyring.open("db"),
    keyring.providerKey("openai", "ann"),
    Promise.resolve(dataKey),
    keyring.unwrap(dataKey.wrapped),
    keyring.unwrap(Buffer.from(secrets.password)),
    keyring.values.open(sealed, { context }),
    keyring.values.open(changed, { context }),
    keyring.values.open(sealed, { context: secrets.diagnosis }),
    Promise.resolve(keyring),
  ];
  const shown = (await Promise.all(calls.map(shownBy))).join("\n");
  await home.ok(["revoke", "phi", "--reason", "superseded", "--yes"]);
  await keyring.unwrap(dataKey.wrapped);
  await home.ok(["revoke", "orders", "--reason", "superseded", "--yes"]);
  home.now += 5_000;
  await keyring.verify(issued, agent);
  await keyring.close();

  const needles = [
    ...Object.entries({ ...secrets, "issued key": secretPart }).flatMap(([name, value]) =>
      needlesOf(name, value),
    ),
    { secret: "data key", how: "bytes", bytes: Buffer.from(dataKey.plaintext.reveal()) },
    {
      secret: "data key",
      how: "hex",
      bytes: Buffer.from(Buffer.from(dataKey.plaintext.reveal()).toString("hex")),
    },
  ];
  const said = { answers: Buffer.from(shown), warnings: Buffer.from(keyring.warnings.join("\n")) };
  for (const [where, bytes] of Object.entries(said)) {
    expect({ where, found: findNeedles(bytes, needles) }).toEqual({
      where,
      found: [],
    });
  }
  expect(keyring.warnings.join()).toContain("still unwraps");
  const files = readdirSync(home.path, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(2);
  for (const { parentPath, name } of files) {
    const found = findNeedles(readFileSync(join(parentPath, name)), needles);
    expect({ name, found }).toEqual({ name, found: [] });
  }
});
