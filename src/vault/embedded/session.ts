import { timingSafeEqual } from "node:crypto";
import type Sqlite from "better-sqlite3";
import type { Clock, Random, VaultVersion } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import { assertPresent, Directory, readHeader } from "./directory.ts";
import type { VaultObject } from "./directory.ts";
import { formatReference, parseReference } from "./references.ts";
import type { ObjectKind } from "./references.ts";
import { parseTags } from "./rows.ts";
import type { HeaderRow, VersionRow } from "./rows.ts";
import { deriveKeyring } from "./sealing.ts";
import type { VaultKeyring } from "./sealing.ts";
import { loadUnlockKey } from "./unlock.ts";
import type { UnlockMethod, UnlockSource } from "./unlock.ts";

/** What an open vault works with. */
export interface SessionOptions {
  database: Sqlite.Database;
  path: string;
  unlock: UnlockSource;
  clock: Clock;
  random: Random;
  /** When the vault was made a moment ago, so that a passphrase is not asked for and stretched again. */
  keyring?: VaultKeyring;
}

/** A version that a reference names, with the name it belongs to. */
export interface LocatedVersion {
  object: VaultObject;
  row: VersionRow;
}

/** One open vault of one process: unlocked at the first use, not before, and only once. */
export class Session {
  readonly clock: Clock;
  readonly uuid: string;
  readonly unlockedBy: UnlockMethod;
  readonly #options: SessionOptions;
  readonly #header: HeaderRow;
  #directory: Promise<Directory> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.#header = readHeader(options.database, options.path);
    this.uuid = this.#header.uuid;
    this.unlockedBy = this.#header.method;
  }

  /** The vault's contents. Callers at the same time share one unlocking; after a failed one the next call tries again. */
  async directory(): Promise<Directory> {
    const { database, path } = this.#options;
    this.#directory ??= this.#unlock();
    try {
      const directory = await this.#directory;
      if (!database.open)
        throw new KeyctlError("unavailable", `the vault ${path} is closed`, { retryable: false });
      return directory;
    } catch (error) {
      this.#directory = null;
      throw error;
    }
  }

  /** The version a reference names; `refused` when it points elsewhere, `not-found` when unknown or deleted. */
  locate(directory: Directory, kind: ObjectKind, reference: string): LocatedVersion {
    const what = kind === "keys" ? "key" : "secret";
    const parsed = parseReference(reference);
    if (parsed === null || parsed.uuid !== this.uuid || parsed.kind !== kind) {
      throw new KeyctlError(
        "refused",
        `the reference is not to a ${what} of the vault ${this.#options.path}`,
      );
    }
    const object = assertPresent(directory.find(kind, parsed.name), what);
    const row = object.versions.find(({ version }) => version === parsed.version);
    if (row === undefined)
      throw new KeyctlError("not-found", `the vault has no such version of this ${what}`);
    return { object, row };
  }

  /** Every version of a name, ascending; empty when it is unknown or deleted. */
  async versions(kind: ObjectKind, name: string): Promise<VaultVersion[]> {
    const directory = await this.directory();
    return directory.read(() => {
      const object = directory.find(kind, name);
      if (object === null || object.row.deletedAt !== null) return [];
      return object.versions.map((row) => this.describe(object, row));
    });
  }

  /** Disables or enables a version; one that is so already is left alone, without a write. */
  async setEnabled(kind: ObjectKind, reference: string, enabled: boolean): Promise<void> {
    const directory = await this.directory();
    const done = directory.read(() => this.locate(directory, kind, reference).row.enabled === enabled);
    if (done) return;
    directory.write(() => {
      const { row } = this.locate(directory, kind, reference);
      directory.setEnabled(row, enabled);
    });
  }

  /** Takes a name with all its versions out of the vault; `not-found` when there is none. */
  async purge(kind: ObjectKind, name: string): Promise<void> {
    const directory = await this.directory();
    directory.write(() => {
      const object = directory.find(kind, name);
      if (object === null)
        throw new KeyctlError("not-found", `the vault has no such ${kind === "keys" ? "key" : "secret"}`);
      directory.remove(object);
    });
  }

  describe({ row: { kind, name } }: VaultObject, row: VersionRow): VaultVersion {
    const { version, enabled, createdAt, tags } = row;
    const reference = formatReference({ uuid: this.uuid, kind, name, version });
    return { reference, name, enabled, createdAt, tags: parseTags(tags) };
  }

  close(): void {
    this.#directory = null;
    this.#options.database.close();
  }

  async #unlock(): Promise<Directory> {
    const { database, path, unlock, random } = this.#options;
    const keyring =
      this.#options.keyring ?? deriveKeyring(await loadUnlockKey(unlock, this.#header, path), this.uuid);
    this.#assertKeyCheck(keyring);
    if (!database.open)
      throw new KeyctlError("unavailable", `the vault ${path} is closed`, { retryable: false });
    return new Directory({ database, path, keyring, random });
  }

  #assertKeyCheck(keyring: VaultKeyring): void {
    const { keyCheck, method } = this.#header;
    if (keyCheck.length === keyring.check.length && timingSafeEqual(keyCheck, keyring.check)) return;
    if (method === "passphrase") throw new KeyctlError("unauthenticated", "the vault could not be unlocked");
    const { path, unlock } = this.#options;
    throw new KeyctlError(
      "unauthenticated",
      `the unlock key ${unlock.keyFile.path} is not that of the vault ${path}`,
      {
        hint: "restore the unlock key that was made with this vault from its backup",
      },
    );
  }
}

/** Refuses (`refused`) the use of a disabled version. */
export function assertEnabled({ row }: LocatedVersion, what: string): void {
  if (!row.enabled) throw new KeyctlError("refused", `this version of the ${what} is disabled in the vault`);
}
