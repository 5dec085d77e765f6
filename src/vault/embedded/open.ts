import { stat } from "node:fs/promises";
import type Sqlite from "better-sqlite3";
import type { Clock, Random, Vault, VaultLook } from "../../app/ports.ts";
import { assertVaultDatabase, layOutVault, openImage, openSqlite } from "./database.ts";
import type { OpenDatabase } from "./database.ts";
import { emptyRowsDigest, headerMac } from "./directory.ts";
import { missingVault, vaultFailure } from "./failures.ts";
import { embeddedKeys } from "./keys.ts";
import { placeNewFile } from "./placing.ts";
import { parseReference } from "./references.ts";
import type { HeaderRow } from "./rows.ts";
import { deriveKeyring } from "./sealing.ts";
import type { VaultKeyring } from "./sealing.ts";
import { embeddedSecrets } from "./secrets.ts";
import { Session } from "./session.ts";
import { makeUnlockKey } from "./unlock.ts";
import type { UnlockMethod, UnlockSource } from "./unlock.ts";

/** What it takes to open an embedded vault. */
export interface EmbeddedVaultOptions {
  /** The SQLite file. */
  path: string;
  unlock: UnlockSource;
  random: Random;
  clock: Clock;
  /** How the file is opened; `openSqlite` unless given. */
  openDatabase?: OpenDatabase;
}

/** The same, and how a new vault is to be unlocked. */
export interface NewEmbeddedVaultOptions extends EmbeddedVaultOptions {
  method: UnlockMethod;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw vaultFailure(error, path);
  }
}

function asVault(session: Session, path: string): Vault {
  return {
    url: `embedded:${path}`,
    capabilities: { disable: { keys: "version", secrets: "version" } },
    keys: embeddedKeys(session),
    secrets: embeddedSecrets(session),
    owns: (reference, name) => {
      const parsed = parseReference(reference);
      return parsed?.uuid === session.uuid && (name === undefined || parsed.name === name);
    },
    generation: async () => {
      const directory = await session.directory();
      return directory.read(() => directory.generation);
    },
    close: async () => {
      session.close();
      return await Promise.resolve();
    },
  };
}

async function openFile(options: EmbeddedVaultOptions, keyring?: VaultKeyring): Promise<Session> {
  const { path, unlock, clock, random } = options;
  if (!(await exists(path))) throw missingVault(path);
  let database: Sqlite.Database | undefined;
  try {
    database = await (options.openDatabase ?? openSqlite)(path);
    assertVaultDatabase(database, path);
    return new Session({ database, path, unlock, clock, random, ...(keyring && { keyring }) });
  } catch (error) {
    database?.close();
    throw vaultFailure(error, path);
  }
}

/** A version 4 UUID (RFC 9562 §5.4). */
function newUuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function writeHeader(database: Sqlite.Database, header: Omit<HeaderRow, "mac">, keyring: VaultKeyring): void {
  const { uuid, createdAt, method, parameters, keyCheck, generation } = header;
  const mac = headerMac(keyring, header, emptyRowsDigest());
  database
    .prepare("INSERT INTO meta VALUES (1, ?, ?, ?, ?, ?, ?, ?)")
    .run(uuid, createdAt, method, parameters, keyCheck, generation, mac);
}

/** Makes the file whole under another name and puts it in its place; false when another process was faster. */
async function makeFile(
  { path, random, openDatabase = openSqlite }: EmbeddedVaultOptions,
  header: Omit<HeaderRow, "mac">,
  keyring: VaultKeyring,
): Promise<boolean> {
  try {
    return await placeNewFile(path, random, async (temporaryPath) => {
      const database = await openDatabase(temporaryPath);
      try {
        layOutVault(database);
        writeHeader(database, header, keyring);
      } finally {
        database.close();
      }
    });
  } catch (error) {
    throw vaultFailure(error, path);
  }
}

/**
 * Opens the vault at `path`. It is unlocked at the first use, so a missing or wrong unlock key is told then.
 * `unavailable` when there is no file or it cannot be read, `integrity` when it is damaged or something else,
 * `refused` when a newer keyctl made it.
 */
export async function openEmbeddedVault(options: EmbeddedVaultOptions): Promise<Vault> {
  return asVault(await openFile(options), options.path);
}

/**
 * As `openEmbeddedVault`, over an image of the file: nothing on the disk is touched, and what would write fails. Also
 * says how the vault is unlocked.
 */
export async function lookAtEmbeddedVault(
  options: Omit<EmbeddedVaultOptions, "openDatabase">,
  image: Buffer,
): Promise<VaultLook> {
  const session = await openFile({ ...options, openDatabase: openImage(image) });
  return { vault: asVault(session, options.path), unlockedBy: session.unlockedBy };
}

/**
 * Makes a vault and opens it; one that exists is opened as it is. The unlock key is durable before the vault is there.
 * Of several processes at once one makes it and all open that one.
 */
export async function createEmbeddedVault(options: NewEmbeddedVaultOptions): Promise<Vault> {
  const { path, unlock, method, random, clock } = options;
  if (await exists(path)) return asVault(await openFile(options), path);
  const uuid = newUuid(random);
  const unlocking = await makeUnlockKey(unlock, { method, random });
  const keyring = deriveKeyring(unlocking.key, uuid);
  const header = {
    uuid,
    createdAt: clock.now(),
    method,
    parameters: unlocking.parameters,
    keyCheck: keyring.check,
    generation: 0,
  };
  const made = await makeFile(options, header, keyring);
  return asVault(await openFile(options, made ? keyring : undefined), path);
}
