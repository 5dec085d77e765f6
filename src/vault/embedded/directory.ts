import { timingSafeEqual } from "node:crypto";
import type Sqlite from "better-sqlite3";
import { KeyctlError } from "../../core/errors.ts";
import { schemaVersion } from "./database.ts";
import { damagedVault, vaultFailure } from "./failures.ts";
import type { Field } from "./fields.ts";
import type { ObjectKind } from "./references.ts";
import { parseHeaderRow, parseObjectRow, parseVersionRow } from "./rows.ts";
import type { HeaderRow, ObjectRow, ValueType, VersionRow } from "./rows.ts";
import { authenticate, openValue, sealValue } from "./sealing.ts";
import type { SealedValue, VaultKeyring } from "./sealing.ts";
import type { Random } from "../../app/ports.ts";

/** A name and its versions, ascending. */
export interface VaultObject {
  row: ObjectRow;
  versions: VersionRow[];
}

/** Who a directory belongs to. */
export interface DirectoryOptions {
  database: Sqlite.Database;
  path: string;
  keyring: VaultKeyring;
  random: Random;
}

/** Reads the vault's `meta` row; `integrity` when there is not exactly one good one. */
export function readHeader(database: Sqlite.Database, path: string): HeaderRow {
  const rows = database.prepare("SELECT * FROM meta").all();
  const header = rows.length === 1 ? parseHeaderRow(rows[0]) : null;
  if (header === null) throw damagedVault(path);
  return header;
}

/** The MAC of a header over everything in it and over all rows, whose digests are `rowsDigest`. */
export function headerMac(
  keyring: VaultKeyring,
  header: Omit<HeaderRow, "mac">,
  rowsDigest: Uint8Array,
): Buffer {
  return authenticate(keyring.header, [
    "keyctl-vault-header-v1",
    schemaVersion,
    header.uuid,
    header.createdAt,
    header.method,
    header.parameters,
    header.keyCheck,
    header.generation,
    rowsDigest,
  ]);
}

/** The digest of a vault without rows. */
export function emptyRowsDigest(): Buffer {
  return Buffer.alloc(32);
}

/**
 * The vault's contents with every row's state checked. Rows are authenticated one by one (HMAC) and together: the
 * header's MAC covers the generation and the XOR of all rows' HMACs, so a row that was edited, removed, added, swapped
 * or put back from an older copy is noticed before anything is used. XOR is enough because the HMACs are never stored:
 * who does not have the key cannot choose rows that cancel out. It lets a write update the digest without a new walk.
 *
 * The state is kept in memory and walked again only when another connection has written (SQLite's `data_version`).
 */
export class Directory {
  readonly #database: Sqlite.Database;
  readonly #path: string;
  readonly #keyring: VaultKeyring;
  readonly #random: Random;
  /** The `data_version` of what was checked; null before the first check and after a failed write. */
  #checked: unknown = null;
  #header: HeaderRow;
  #rowsDigest = emptyRowsDigest();
  #objects = new Map<string, VaultObject>();

  constructor(options: DirectoryOptions) {
    this.#database = options.database;
    this.#path = options.path;
    this.#keyring = options.keyring;
    this.#random = options.random;
    this.#header = readHeader(options.database, options.path);
  }

  /** Runs `work` in one read snapshot that was checked. */
  read<T>(work: () => T): T {
    try {
      return this.#database
        .transaction(() => {
          this.#check();
          return work();
        })
        .deferred();
    } catch (error) {
      throw vaultFailure(error, this.#path);
    }
  }

  /** Runs `work` alone among all processes; its changes and the next generation are durable when it returns. */
  write<T>(work: () => T): T {
    try {
      return this.#database
        .transaction(() => {
          this.#check();
          this.#header = { ...this.#header, generation: this.#header.generation + 1 };
          const result = work();
          this.#saveHeader();
          return result;
        })
        .immediate();
    } catch (error) {
      this.#checked = null;
      throw vaultFailure(error, this.#path);
    }
  }

  get generation(): number {
    return this.#header.generation;
  }

  /** Deleted ones too; null for an unknown name. */
  find(kind: ObjectKind, name: string): VaultObject | null {
    return this.#objects.get(`${kind}/${name}`) ?? null;
  }

  addObject(object: { kind: ObjectKind; name: string; type: ValueType }): VaultObject {
    const { kind, name, type } = object;
    const insert = this.#database.prepare("INSERT INTO objects (kind, name, type) VALUES (?, ?, ?)");
    const id = Number(insert.run(kind, name, type).lastInsertRowid);
    const added: VaultObject = { row: { id, kind, name, type, deletedAt: null }, versions: [] };
    this.#objects.set(`${kind}/${name}`, added);
    this.#toggle(this.#objectHmac(added.row));
    return added;
  }

  setDeleted(object: VaultObject, deletedAt: number | null): void {
    this.#toggle(this.#objectHmac(object.row));
    object.row.deletedAt = deletedAt;
    this.#toggle(this.#objectHmac(object.row));
    const update = this.#database.prepare("UPDATE objects SET deleted_at = ? WHERE id = ?");
    this.#assertOne(update.run(deletedAt, object.row.id));
  }

  /** Takes the object and its versions out of the file. */
  remove(object: VaultObject): void {
    const { id, kind, name } = object.row;
    for (const row of object.versions) this.#toggle(this.#versionHmac(row));
    this.#toggle(this.#objectHmac(object.row));
    this.#objects.delete(`${kind}/${name}`);
    this.#database.prepare("DELETE FROM versions WHERE object_id = ?").run(id);
    this.#assertOne(this.#database.prepare("DELETE FROM objects WHERE id = ?").run(id));
  }

  /** Seals the value as the object's next version. */
  addVersion(
    object: VaultObject,
    added: { plaintext: Uint8Array; createdAt: number; tags: string },
  ): VersionRow {
    const version = (object.versions.at(-1)?.version ?? 0) + 1;
    const { plaintext, createdAt, tags } = added;
    const generation = this.generation;
    const context = this.#valueContext(object.row, { version, generation, createdAt, tags });
    const value = sealValue(this.#keyring, { plaintext, context, random: this.#random });
    const insert = this.#database.prepare(
      `INSERT INTO versions (object_id, version, generation, enabled, created_at, tags, salt, nonce, tag, sealed)
       VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
    );
    const { salt, nonce, tag, sealed } = value;
    const objectId = object.row.id;
    const result = insert.run(objectId, version, generation, createdAt, tags, salt, nonce, tag, sealed);
    const id = Number(result.lastInsertRowid);
    const row: VersionRow = { id, objectId, version, generation, enabled: true, createdAt, tags, tag };
    object.versions.push(row);
    this.#toggle(this.#versionHmac(row));
    return row;
  }

  setEnabled(row: VersionRow, enabled: boolean): void {
    this.#toggle(this.#versionHmac(row));
    row.enabled = enabled;
    this.#toggle(this.#versionHmac(row));
    const update = this.#database.prepare("UPDATE versions SET enabled = ? WHERE id = ?");
    this.#assertOne(update.run(enabled ? 1 : 0, row.id));
  }

  /** The plaintext, which the caller wipes; `integrity` when it is not what was sealed as this very version. */
  openVersion(object: VaultObject, row: VersionRow): Buffer {
    const select = this.#database.prepare<[number], SealedValue>(
      "SELECT salt, nonce, tag, sealed FROM versions WHERE id = ?",
    );
    const value = select.get(row.id);
    const plaintext =
      value === undefined ? null : openValue(this.#keyring, value, this.#valueContext(object.row, row));
    if (plaintext === null) throw damagedVault(this.#path);
    return plaintext;
  }

  /** What never changes of a version; bound to its value. */
  #valueContext(
    { kind, type, name }: ObjectRow,
    version: Pick<VersionRow, "version" | "generation" | "createdAt" | "tags">,
  ): Field[] {
    const { uuid } = this.#header;
    return [uuid, kind, type, name, version.version, version.generation, version.createdAt, version.tags];
  }

  #objectHmac({ id, kind, name, type, deletedAt }: ObjectRow): Buffer {
    return authenticate(this.#keyring.row, ["object", id, kind, name, type, deletedAt]);
  }

  #versionHmac(row: VersionRow): Buffer {
    const { id, objectId, version, generation, enabled, createdAt, tags, tag } = row;
    const fields = ["version", id, objectId, version, generation, enabled, createdAt, tags, tag];
    return authenticate(this.#keyring.row, fields);
  }

  #toggle(hmac: Buffer): void {
    this.#rowsDigest.forEach((byte, index) => (this.#rowsDigest[index] = byte ^ (hmac[index] ?? 0)));
  }

  #check(): void {
    const version = this.#database.pragma("data_version", { simple: true });
    if (this.#checked !== null && this.#checked === version) return;
    this.#checked = null;
    this.#load();
    const { mac, ...header } = this.#header;
    const expected = headerMac(this.#keyring, header, this.#rowsDigest);
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw damagedVault(this.#path);
    this.#checked = version;
  }

  /** Walks the tables themselves, never an index: an index could say something else. */
  #load(): void {
    this.#header = readHeader(this.#database, this.#path);
    this.#rowsDigest = emptyRowsDigest();
    this.#objects = new Map();
    const byId = new Map<number, VaultObject>();
    for (const cells of this.#database.prepare("SELECT * FROM objects NOT INDEXED").iterate()) {
      const row = parseObjectRow(cells);
      if (row === null) throw damagedVault(this.#path);
      const object: VaultObject = { row, versions: [] };
      byId.set(row.id, object);
      this.#objects.set(`${row.kind}/${row.name}`, object);
      this.#toggle(this.#objectHmac(row));
    }
    const versions = this.#database.prepare(
      `SELECT id, object_id, version, generation, enabled, created_at, tags, tag
       FROM versions NOT INDEXED ORDER BY id`,
    );
    for (const cells of versions.iterate()) {
      const row = parseVersionRow(cells);
      const object = row === null ? undefined : byId.get(row.objectId);
      if (row === null || object === undefined) throw damagedVault(this.#path);
      object.versions.push(row);
      this.#toggle(this.#versionHmac(row));
    }
  }

  #saveHeader(): void {
    const { mac: _old, ...header } = this.#header;
    const mac = headerMac(this.#keyring, header, this.#rowsDigest);
    this.#header = { ...header, mac };
    const update = this.#database.prepare("UPDATE meta SET generation = ?, mac = ? WHERE id = 1");
    this.#assertOne(update.run(header.generation, mac));
  }

  #assertOne(result: Sqlite.RunResult): void {
    if (result.changes !== 1) throw damagedVault(this.#path);
  }
}

/** Refused (`not-found`) alike for an unknown and a deleted name. */
export function assertPresent(object: VaultObject | null, what: string): VaultObject {
  if (object !== null && object.row.deletedAt === null) return object;
  throw new KeyctlError("not-found", `the vault has no such ${what}`);
}
