import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/** Every place that takes plaintext out of a `Secret`: how often, and why it may. A new one is a decision to be made here. */
const allowed: Readonly<Record<string, { times: number; why: string }>> = {
  "app/idempotency.ts": { times: 1, why: "into the keyed hash that tells one request from another" },
  "app/keyring.ts": { times: 1, why: "a root secret, from which keys are derived" },
  "app/provider-format.ts": {
    times: 1,
    why: "the scanner says whether it looks like its provider's; nothing is kept",
  },
  "app/scan-for-leaks.ts": { times: 1, why: "the leak tag of what was found in a text" },
  "app/seal-value.ts": { times: 2, why: "a data key, into sealing and opening a program's value" },
  "app/version-value.ts": { times: 2, why: "a data key, into sealing and opening an envelope" },
  "app/version-work.ts": { times: 1, why: "an issued key into the private --out-file" },
  "cli/secret-output.ts": {
    times: 3,
    why: "the one place that prints: an issued key, once; a value that reveal was told to give, plain or in base64",
  },
  "core/digest.ts": { times: 1, why: "the secret part of an issued key, into its keyed digest" },
  "core/envelope.ts": { times: 1, why: "the plaintext that AES-256-GCM seals" },
  "core/issued-key.ts": { times: 1, why: "a presented key is taken apart" },
  "core/leak-tag.ts": { times: 3, why: "the keyed tag, and the window of its rolling hash" },
  "core/secret-text.ts": { times: 1, why: "whether it is text, for a terminal, JSON or a variable" },
  "core/weak-secret.ts": { times: 1, why: "whether it is blank" },
  "leak/secret-forms.ts": { times: 1, why: "what is masked in the output of a program that has it" },
  "vault/embedded/keys.ts": { times: 1, why: "a data key, wrapped with RSA-OAEP" },
  "vault/embedded/secrets.ts": { times: 1, why: "the value that the vault seals" },
  "vault/embedded/unlock-passphrase.ts": { times: 2, why: "into scrypt, and whether it is blank" },
};

function countsOf(call: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    // Comments and docstrings may talk of it.
    const code = readFileSync(path, "utf8").replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
    const times = code.match(call)?.length ?? 0;
    if (times > 0) counts.set(relative(source, path), times);
  }
  return counts;
}

it("plaintext leaves a Secret only where this list says why", () => {
  // The method itself stands in core/secret.ts; in quotes, behind a slash and in a line to type it is the name of a verb.
  const found = countsOf(/(?<!["/]|keyctl )\breveal\b(?!")/g);
  found.delete("core/secret.ts");
  const expected = new Map(Object.entries(allowed).map(([path, { times }]) => [path, times]));
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
});

it("nothing reaches around it: no private field, no way to take the method along under another name", () => {
  expect([...countsOf(/\["reveal"\]|\['reveal'\]|\breveal\s*[:=]/g).keys()]).toEqual([]);
});
