import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  privateDecrypt,
  publicEncrypt,
  sign,
} from "node:crypto";
import type { KeyObject, RsaPrivateKey } from "node:crypto";
import { promisify } from "node:util";
import type { VaultKeys, VaultKeyType, VaultVersion } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { assertDek, dekBytes } from "../limits.ts";
import { assertPresent } from "./directory.ts";
import { assertObjectName } from "./references.ts";
import type { ValueType } from "./rows.ts";
import { formatTags } from "./rows.ts";
import { assertEnabled } from "./session.ts";
import type { LocatedVersion, Session } from "./session.ts";

const makeKeyPair = promisify(generateKeyPair);

/** A new private key, PKCS #8 DER; the caller wipes it. Made on another thread: RSA-3072 takes a good part of a second. */
async function generatePrivateKey(type: VaultKeyType): Promise<Buffer> {
  const { privateKey } =
    type === "rsa-3072"
      ? await makeKeyPair("rsa", { modulusLength: 3072, publicExponent: 0x10001 })
      : await makeKeyPair("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "der" });
}

/** RSA-OAEP-256 (RFC 7518 §4.3): OAEP with SHA-256 for the label and for MGF1. */
function oaep256(key: KeyObject): RsaPrivateKey {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
}

function assertType({ object }: LocatedVersion, type: ValueType, verb: string): void {
  if (object.row.type !== type)
    throw new KeyctlError("refused", `a key of type ${object.row.type} cannot ${verb}`);
}

function unwrapFailed(): KeyctlError {
  return new KeyctlError("integrity", "the wrapped key was not made with this version of the vault's key");
}

/** Where the private key of a version may be used, without ever leaving this file. */
async function withPrivateKey<T>(
  session: Session,
  reference: string,
  use: (privateKey: KeyObject, located: LocatedVersion) => T,
): Promise<T> {
  const directory = await session.directory();
  return directory.read(() => {
    const located = session.locate(directory, "keys", reference);
    const der = directory.openVersion(located.object, located.row);
    try {
      return use(createPrivateKey({ key: der, format: "der", type: "pkcs8" }), located);
    } finally {
      der.fill(0);
    }
  });
}

async function createKey(
  session: Session,
  name: string,
  options: { type: VaultKeyType; tags: Record<string, string> },
): Promise<VaultVersion> {
  assertObjectName(name);
  const directory = await session.directory();
  const assertFree = (): void => {
    if (directory.find("keys", name) !== null)
      throw new KeyctlError("conflict", "the vault has a key of this name");
  };
  // Asked before the slow part for a quick answer, and again when nobody else can write.
  directory.read(assertFree);
  const plaintext = await generatePrivateKey(options.type);
  try {
    return directory.write(() => {
      assertFree();
      const object = directory.addObject({ kind: "keys", name, type: options.type });
      const tags = formatTags(options.tags);
      return session.describe(
        object,
        directory.addVersion(object, { plaintext, tags, createdAt: session.clock.now() }),
      );
    });
  } finally {
    plaintext.fill(0);
  }
}

async function rotateKey(
  session: Session,
  name: string,
  options: { tags: Record<string, string> },
): Promise<VaultVersion> {
  const directory = await session.directory();
  const { type } = directory.read(() => assertPresent(directory.find("keys", name), "key")).row;
  const plaintext = await generatePrivateKey(type === "p-256" ? "p-256" : "rsa-3072");
  try {
    return directory.write(() => {
      const object = assertPresent(directory.find("keys", name), "key");
      const tags = formatTags(options.tags);
      return session.describe(
        object,
        directory.addVersion(object, { plaintext, tags, createdAt: session.clock.now() }),
      );
    });
  } finally {
    plaintext.fill(0);
  }
}

async function unwrapDek(
  session: Session,
  reference: string,
  wrapped: { algorithm: string; wrapped: Uint8Array },
): Promise<Secret> {
  if (wrapped.algorithm !== "RSA-OAEP-256") {
    throw new KeyctlError("refused", "the vault unwraps RSA-OAEP-256 only");
  }
  return await withPrivateKey(session, reference, (privateKey, located) => {
    assertType(located, "rsa-3072", "unwrap");
    assertEnabled(located, "key");
    let dek: Buffer;
    try {
      dek = privateDecrypt(oaep256(privateKey), wrapped.wrapped);
    } catch {
      throw unwrapFailed();
    }
    try {
      if (dek.length !== dekBytes) throw unwrapFailed();
      return Secret.fromBytes(dek);
    } finally {
      dek.fill(0);
    }
  });
}

/** Keys that live and work in the vault: there is no way to get a private key out. */
export function embeddedKeys(session: Session): VaultKeys {
  return {
    create: async (name, options) => await createKey(session, name, options),
    rotate: async (name, options) => await rotateKey(session, name, options),
    wrap: async (reference, dek) => {
      assertDek(dek);
      return await withPrivateKey(session, reference, (privateKey, located) => {
        assertType(located, "rsa-3072", "wrap");
        assertEnabled(located, "key");
        const wrapped = publicEncrypt(oaep256(createPublicKey(privateKey)), dek.reveal());
        return { algorithm: "RSA-OAEP-256", wrapped };
      });
    },
    unwrap: async (reference, wrapped) => await unwrapDek(session, reference, wrapped),
    sign: async (reference, message) =>
      await withPrivateKey(session, reference, (privateKey, located) => {
        assertType(located, "p-256", "sign");
        assertEnabled(located, "key");
        return sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
      }),
    publicKey: async (reference) =>
      await withPrivateKey(session, reference, (privateKey) =>
        createPublicKey(privateKey).export({ type: "spki", format: "der" }),
      ),
    disable: async (reference) => await session.setEnabled("keys", reference, false),
    enable: async (reference) => await session.setEnabled("keys", reference, true),
    versions: async (name) => await session.versions("keys", name),
    purge: async (name) => await session.purge("keys", name),
  };
}
