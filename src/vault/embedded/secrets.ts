import type { VaultSecrets, VaultVersion } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { assertSecretValue } from "../limits.ts";
import { assertPresent } from "./directory.ts";
import { assertObjectName } from "./references.ts";
import { formatTags } from "./rows.ts";
import { assertEnabled } from "./session.ts";
import type { Session } from "./session.ts";

async function putSecret(
  session: Session,
  name: string,
  { value, tags }: { value: Secret; tags: Record<string, string> },
): Promise<VaultVersion> {
  assertObjectName(name);
  assertSecretValue(value);
  const directory = await session.directory();
  return directory.write(() => {
    const object =
      directory.find("secrets", name) ?? directory.addObject({ kind: "secrets", name, type: "secret" });
    if (object.row.deletedAt !== null) {
      throw new KeyctlError("conflict", "the vault has a deleted secret of this name", {
        hint: "recover it first",
        retryable: false,
      });
    }
    const row = directory.addVersion(object, {
      plaintext: value.reveal(),
      tags: formatTags(tags),
      createdAt: session.clock.now(),
    });
    return session.describe(object, row);
  });
}

async function getSecret(session: Session, reference: string): Promise<Secret> {
  const directory = await session.directory();
  return directory.read(() => {
    const located = session.locate(directory, "secrets", reference);
    assertEnabled(located, "secret");
    const plaintext = directory.openVersion(located.object, located.row);
    try {
      return Secret.fromBytes(plaintext);
    } finally {
      plaintext.fill(0);
    }
  });
}

async function recoverSecret(session: Session, name: string): Promise<void> {
  const directory = await session.directory();
  directory.write(() => {
    const object = directory.find("secrets", name);
    if (object === null || object.row.deletedAt === null) {
      throw new KeyctlError("not-found", "the vault has no deleted secret of this name");
    }
    directory.setDeleted(object, null);
  });
}

async function deleteSecret(session: Session, name: string): Promise<void> {
  const directory = await session.directory();
  directory.write(() => {
    const object = assertPresent(directory.find("secrets", name), "secret");
    directory.setDeleted(object, session.clock.now());
  });
}

/** Secrets with versions; a deleted name keeps its versions and numbers until it is recovered. */
export function embeddedSecrets(session: Session): VaultSecrets {
  return {
    put: async (name, value, { tags }) => await putSecret(session, name, { value, tags }),
    get: async (reference) => await getSecret(session, reference),
    versions: async (name) => await session.versions("secrets", name),
    disable: async (reference) => await session.setEnabled("secrets", reference, false),
    enable: async (reference) => await session.setEnabled("secrets", reference, true),
    delete: async (name) => await deleteSecret(session, name),
    recover: async (name) => await recoverSecret(session, name),
    purge: async (name) => await session.purge("secrets", name),
  };
}
