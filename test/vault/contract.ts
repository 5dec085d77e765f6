import { createPublicKey, publicEncrypt, constants, randomBytes, verify } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Vault } from "../../src/app/ports.ts";
import { Secret } from "../../src/core/secret.ts";

const tags = { operation: "op-1", env: "prod" };

function secretOf(bytes: Uint8Array | string): Secret {
  return typeof bytes === "string" ? Secret.fromUtf8(bytes) : Secret.fromBytes(bytes);
}

/** A name nobody has used: letters, digits and hyphens, which every vault takes. */
function freshName(stem: string): string {
  return `${stem}-${randomBytes(6).toString("hex")}`;
}

function failsWith(code: string): { name: string; code: string } {
  return { name: "KeyctlError", code };
}

function otherVersion(reference: string): string {
  return reference.replace(/[^/]+$/, (version) =>
    /^\d+$/.test(version) ? "999" : "0".repeat(version.length),
  );
}

/**
 * What every vault promises, whatever it is made of. `makeVault` gives one that may already hold other things; the
 * suite makes names of its own and closes it.
 */
export function describeVaultContract(name: string, makeVault: () => Promise<Vault>): void {
  describe(`the vault contract: ${name}`, () => {
    let vault: Vault;
    beforeAll(async () => {
      vault = await makeVault();
    });
    afterAll(async () => {
      await vault.close();
    });
    describeKeys(() => vault);
    describeSigning(() => vault);
    describeSecrets(() => vault);
    describeDeletion(() => vault);
    describeReferences(() => vault);
  });
}

function describeKeys(vault: () => Vault): void {
  const dek = secretOf(randomBytes(32));

  it("a wrapped data key comes back from the version that wrapped it, also after a rotation", async () => {
    const { keys } = vault();
    const name = freshName("kek");
    const first = await keys.create(name, { type: "rsa-3072", tags });
    const wrapped = await keys.wrap(first.reference, dek);
    expect(wrapped.algorithm).toBe("RSA-OAEP-256");
    expect(wrapped.wrapped).toHaveLength(384);
    const second = await keys.rotate(name, { tags: { operation: "op-2" } });
    expect((await keys.unwrap(first.reference, wrapped)).equals(dek)).toBe(true);
    await expect(keys.unwrap(second.reference, wrapped)).rejects.toMatchObject(failsWith("integrity"));
    const versions = await keys.versions(name);
    expect(versions.map(({ reference }) => reference).sort()).toEqual(
      [first.reference, second.reference].sort(),
    );
    expect(versions.find(({ reference }) => reference === second.reference)?.tags).toEqual({
      operation: "op-2",
    });
  });

  it("whoever has the public key wraps with plain RSA-OAEP-256", async () => {
    const { keys } = vault();
    const { reference } = await keys.create(freshName("kek"), { type: "rsa-3072", tags });
    const spki = Buffer.from(await keys.publicKey(reference));
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(3072);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const wrapped = publicEncrypt({ key, padding, oaepHash: "sha256" }, dek.reveal());
    const unwrapped = await keys.unwrap(reference, { algorithm: "RSA-OAEP-256", wrapped });
    expect(unwrapped.equals(dek)).toBe(true);
  });

  it("a changed wrapped key is refused, and so are other lengths and algorithms", async () => {
    const { keys } = vault();
    const { reference } = await keys.create(freshName("kek"), { type: "rsa-3072", tags });
    const { wrapped } = await keys.wrap(reference, dek);
    const changed = Uint8Array.from(wrapped, (byte, index) => (index === 100 ? byte ^ 1 : byte));
    const bad = keys.unwrap(reference, { algorithm: "RSA-OAEP-256", wrapped: changed });
    await expect(bad).rejects.toMatchObject(failsWith("integrity"));
    const spki = Buffer.from(await keys.publicKey(reference));
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const short = publicEncrypt({ key, padding, oaepHash: "sha256" }, randomBytes(16));
    const tooShort = keys.unwrap(reference, { algorithm: "RSA-OAEP-256", wrapped: short });
    await expect(tooShort).rejects.toMatchObject(failsWith("integrity"));
    await expect(keys.unwrap(reference, { algorithm: "RSA1_5", wrapped })).rejects.toMatchObject(
      failsWith("refused"),
    );
  });

  it("only data keys of 32 bytes are wrapped", async () => {
    const { keys } = vault();
    const { reference } = await keys.create(freshName("kek"), { type: "rsa-3072", tags });
    for (const length of [0, 16, 31, 33, 64]) {
      const wrap = keys.wrap(reference, secretOf(new Uint8Array(length)));
      await expect(wrap).rejects.toMatchObject(failsWith("refused"));
    }
  });

  it("a disabled version unwraps nothing until it is enabled, and the others go on", async () => {
    const { keys } = vault();
    const name = freshName("kek");
    const first = await keys.create(name, { type: "rsa-3072", tags });
    const second = await keys.rotate(name, { tags });
    const [old, current] = [await keys.wrap(first.reference, dek), await keys.wrap(second.reference, dek)];
    await keys.disable(first.reference);
    await keys.disable(first.reference);
    await expect(keys.unwrap(first.reference, old)).rejects.toMatchObject(failsWith("refused"));
    if (vault().capabilities.disable.keys === "version") {
      expect((await keys.unwrap(second.reference, current)).equals(dek)).toBe(true);
    }
    const states = new Map((await keys.versions(name)).map(({ reference, enabled }) => [reference, enabled]));
    expect(states.get(first.reference)).toBe(false);
    await keys.enable(first.reference);
    expect((await keys.unwrap(first.reference, old)).equals(dek)).toBe(true);
  });

  it("a key's name is taken once, and only an existing key is rotated", async () => {
    const { keys } = vault();
    const name = freshName("key");
    await keys.create(name, { type: "p-256", tags });
    const again = keys.create(name, { type: "p-256", tags });
    await expect(again).rejects.toMatchObject(failsWith("conflict"));
    expect(await keys.versions(name)).toHaveLength(1);
    await expect(keys.rotate(freshName("none"), { tags })).rejects.toMatchObject(failsWith("not-found"));
    expect(await keys.versions(freshName("none"))).toEqual([]);
  });
}

function describeSigning(vault: () => Vault): void {
  it("signs ES256 that standard tools verify, with r and s of 32 bytes each", async () => {
    const { keys } = vault();
    const name = freshName("signer");
    const first = await keys.create(name, { type: "p-256", tags });
    const second = await keys.rotate(name, { tags });
    const spki = Buffer.from(await keys.publicKey(first.reference));
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(key.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    const verifies = (message: Uint8Array, signature: Uint8Array): boolean =>
      verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
    for (const message of [new Uint8Array(0), randomBytes(32), randomBytes(5_000)]) {
      const signature = await keys.sign(first.reference, message);
      expect(signature).toHaveLength(64);
      expect(verifies(message, signature)).toBe(true);
      expect(verifies(message, await keys.sign(second.reference, message))).toBe(false);
    }
  });

  it("a disabled version signs nothing, yet its public key can be had", async () => {
    const { keys } = vault();
    const { reference } = await keys.create(freshName("signer"), { type: "p-256", tags });
    await keys.disable(reference);
    await expect(keys.sign(reference, randomBytes(8))).rejects.toMatchObject(failsWith("refused"));
    expect((await keys.publicKey(reference)).length).toBeGreaterThan(64);
  });
}

function describeSecrets(vault: () => Vault): void {
  it("keeps every version of a secret under a reference of its own", async () => {
    const { secrets } = vault();
    const name = freshName("secret");
    const before = Date.now() - 600_000;
    const first = await secrets.put(name, secretOf("first value"), { tags });
    const second = await secrets.put(name, secretOf("second value"), { tags: {} });
    expect(first).toMatchObject({ name, enabled: true, tags });
    expect(first.createdAt).toBeGreaterThan(before);
    expect(second.reference).not.toBe(first.reference);
    expect((await secrets.get(first.reference)).equals(secretOf("first value"))).toBe(true);
    expect((await secrets.get(second.reference)).equals(secretOf("second value"))).toBe(true);
    const versions = await secrets.versions(name);
    expect(versions).toHaveLength(2);
    expect(versions).toEqual(expect.arrayContaining([first, second]));
    expect(await secrets.versions(freshName("none"))).toEqual([]);
  });

  it.each([
    ["25,000 bytes of text", Buffer.alloc(25_000, "keyctl ")],
    ["one byte", Buffer.from("x")],
    ["newlines kept at both ends", Buffer.from("\n\r\nline one\nline two\r\n\n")],
    ["NUL bytes", Buffer.from("\0a\0b\0")],
    ["Unicode beyond the first plane", Buffer.from("pässwörd 🔑 \u202e \ufeff 漢字 e\u0301")],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80])],
  ])("gives back exactly what was put: %s", async (what, bytes) => {
    const { secrets } = vault();
    const { reference } = await secrets.put(freshName("odd"), secretOf(bytes), {
      tags: { what: what.slice(0, 8) },
    });
    expect((await secrets.get(reference)).equals(secretOf(bytes))).toBe(true);
  });

  it("gives back any bytes", async () => {
    const { secrets } = vault();
    const bytesOf = fc.uint8Array({ minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytesOf, async (bytes) => {
        const { reference } = await secrets.put(freshName("any"), secretOf(bytes), { tags });
        expect((await secrets.get(reference)).equals(secretOf(bytes))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it("an empty or oversized secret is refused, and nothing is stored", async () => {
    const { secrets } = vault();
    const name = freshName("secret");
    for (const length of [0, 26_000]) {
      const put = secrets.put(name, secretOf(new Uint8Array(length)), { tags });
      await expect(put).rejects.toMatchObject(failsWith("refused"));
    }
    expect(await secrets.versions(name)).toEqual([]);
  });

  it("a disabled version is not given out until it is enabled, and the others are", async () => {
    const { secrets } = vault();
    const name = freshName("secret");
    const first = await secrets.put(name, secretOf("first value"), { tags });
    const second = await secrets.put(name, secretOf("second value"), { tags });
    await secrets.disable(first.reference);
    await expect(secrets.get(first.reference)).rejects.toMatchObject(failsWith("refused"));
    if (vault().capabilities.disable.secrets === "version") {
      expect((await secrets.get(second.reference)).equals(secretOf("second value"))).toBe(true);
    }
    await secrets.enable(first.reference);
    await secrets.enable(first.reference);
    expect((await secrets.get(first.reference)).equals(secretOf("first value"))).toBe(true);
  });
}

function describeDeletion(vault: () => Vault): void {
  it("a deleted secret is gone for every use, and recovering brings all of it back", async () => {
    const { secrets } = vault();
    const name = freshName("secret");
    const first = await secrets.put(name, secretOf("first value"), { tags });
    const second = await secrets.put(name, secretOf("second value"), { tags });
    await secrets.disable(first.reference);
    await secrets.delete(name);
    await expect(secrets.get(second.reference)).rejects.toMatchObject(failsWith("not-found"));
    await expect(secrets.disable(second.reference)).rejects.toMatchObject(failsWith("not-found"));
    await expect(secrets.delete(name)).rejects.toMatchObject(failsWith("not-found"));
    await expect(secrets.put(name, secretOf("third value"), { tags })).rejects.toMatchObject(
      failsWith("conflict"),
    );
    expect(await secrets.versions(name)).toEqual([]);
    await secrets.recover(name);
    expect((await secrets.get(second.reference)).equals(secretOf("second value"))).toBe(true);
    await expect(secrets.get(first.reference)).rejects.toMatchObject(failsWith("refused"));
    const third = await secrets.put(name, secretOf("third value"), { tags });
    expect(new Set([first.reference, second.reference, third.reference]).size).toBe(3);
  });

  it("what was purged is gone for good with all its versions, deleted before or not, and its name is free", async () => {
    const { keys, secrets } = vault();
    const name = freshName("purged");
    const key = await keys.create(name, { type: "p-256", tags });
    await keys.rotate(name, { tags });
    for (const isDeleted of [false, true]) {
      const first = await secrets.put(name, secretOf("first value"), { tags });
      await secrets.put(name, secretOf("second value"), { tags });
      if (isDeleted) await secrets.delete(name);
      await secrets.purge(name);
      expect(await secrets.versions(name)).toEqual([]);
      await expect(secrets.get(first.reference)).rejects.toMatchObject(failsWith("not-found"));
      await expect(secrets.recover(name)).rejects.toMatchObject(failsWith("not-found"));
      await expect(secrets.purge(name)).rejects.toMatchObject(failsWith("not-found"));
    }
    // A secret and a key of one name are two things.
    expect(await keys.versions(name)).toHaveLength(2);
    await keys.purge(name);
    expect(await keys.versions(name)).toEqual([]);
    await expect(keys.sign(key.reference, randomBytes(8))).rejects.toMatchObject(failsWith("not-found"));
    await expect(keys.purge(name)).rejects.toMatchObject(failsWith("not-found"));
    const again = await keys.create(name, { type: "p-256", tags });
    expect(await keys.sign(again.reference, randomBytes(8))).toHaveLength(64);
    const { reference } = await secrets.put(name, secretOf("another value"), { tags });
    expect((await secrets.get(reference)).equals(secretOf("another value"))).toBe(true);
  });

  it("only what exists is deleted, and only what was deleted is recovered", async () => {
    const { secrets } = vault();
    await expect(secrets.delete(freshName("none"))).rejects.toMatchObject(failsWith("not-found"));
    await expect(secrets.recover(freshName("none"))).rejects.toMatchObject(failsWith("not-found"));
    const name = freshName("secret");
    await secrets.put(name, secretOf("some value"), { tags });
    await expect(secrets.recover(name)).rejects.toMatchObject(failsWith("not-found"));
  });
}

function describeReferences(vault: () => Vault): void {
  it("owns its own references and no others", async () => {
    const name = freshName("secret");
    const { reference } = await vault().secrets.put(name, secretOf("some value"), { tags });
    expect(vault().owns(reference)).toBe(true);
    expect(vault().owns(reference, name)).toBe(true);
    expect(vault().owns(reference, `${name}x`)).toBe(false);
    for (const other of [
      "",
      "x",
      "https://example.org/secrets/a/1",
      reference.replace("://", "://elsewhere-"),
    ]) {
      expect(vault().owns(other)).toBe(false);
      await expect(vault().secrets.get(other)).rejects.toMatchObject(failsWith("refused"));
      await expect(vault().keys.publicKey(other)).rejects.toMatchObject(failsWith("refused"));
    }
  });

  it("an unknown version is not found, and a reference to a secret is none to a key", async () => {
    const { keys, secrets } = vault();
    const name = freshName("both");
    const secret = await secrets.put(name, secretOf("some value"), { tags });
    const key = await keys.create(name, { type: "p-256", tags });
    await expect(secrets.get(otherVersion(secret.reference))).rejects.toMatchObject(failsWith("not-found"));
    await expect(keys.sign(otherVersion(key.reference), randomBytes(8))).rejects.toMatchObject(
      failsWith("not-found"),
    );
    await expect(keys.sign(secret.reference, randomBytes(8))).rejects.toMatchObject(failsWith("refused"));
    await expect(secrets.get(key.reference)).rejects.toMatchObject(failsWith("refused"));
  });

  it("the generation rises with every write and with nothing else, where the vault counts", async () => {
    const { secrets } = vault();
    const seen = [await vault().generation()];
    if (seen[0] === null) return;
    const name = freshName("secret");
    const { reference } = await secrets.put(name, secretOf("some value"), { tags });
    seen.push(await vault().generation());
    await secrets.disable(reference);
    seen.push(await vault().generation());
    await secrets.delete(name);
    seen.push(await vault().generation());
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => Number(a) - Number(b)));
    await secrets.versions(name);
    expect(await vault().generation()).toBe(seen.at(-1));
  });
}
