import { createSecretKey, hkdfSync } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { inspect } from "node:util";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyctlError } from "../../src/core/errors.ts";
import { Secret } from "../../src/core/secret.ts";
import { openSqlite } from "../../src/vault/embedded/database.ts";
import { Directory, readHeader } from "../../src/vault/embedded/directory.ts";
import { vaultFailure } from "../../src/vault/embedded/failures.ts";
import { encodeFields } from "../../src/vault/embedded/fields.ts";
import type { Field } from "../../src/vault/embedded/fields.ts";
import { assertObjectName, formatReference, parseReference } from "../../src/vault/embedded/references.ts";
import {
  formatTags,
  parseHeaderRow,
  parseObjectRow,
  parseTags,
  parseVersionRow,
} from "../../src/vault/embedded/rows.ts";
import { placeNewFile } from "../../src/vault/embedded/placing.ts";
import { deriveKeyring, openValue, sealValue } from "../../src/vault/embedded/sealing.ts";
import type { SealedValue } from "../../src/vault/embedded/sealing.ts";
import { loadUnlockFile } from "../../src/vault/embedded/unlock-file.ts";
import { newPlace } from "./new-place.ts";
import { createIn, random } from "./vault-place.ts";

const uuid = "01234567-89ab-4cde-8f01-23456789abcd";

describe("a reference", () => {
  it("has one known form", () => {
    const reference = { uuid, kind: "secrets", name: "a/b c.é", version: 12 } as const;
    const known = `embedded://${uuid}/secrets/a%2Fb%20c.%C3%A9/12`;
    expect(formatReference(reference)).toBe(known);
    expect(parseReference(known)).toEqual(reference);
  });

  it("comes back for every name that is allowed", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 999_999_999 }), (any, version) => {
        const reference = { uuid, kind: "keys", name: any, version } as const;
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it.each([
    "",
    `embedded://${uuid}/keys/a`,
    `embedded://${uuid}/keys/a/0`,
    `embedded://${uuid}/keys/a/01`,
    `embedded://${uuid}/keys/a/1/`,
    `embedded://${uuid}/keys//1`,
    `embedded://${uuid}/keys/%61/1`,
    `embedded://${uuid}/keys/%2f/1`,
    `embedded://${uuid}/keys/%E0%A4/1`,
    `embedded://${uuid}/keys/a b/1`,
    `embedded://${uuid}/certificates/a/1`,
    `embedded://${uuid.toUpperCase()}/keys/a/1`,
    ` embedded://${uuid}/keys/a/1`,
    `embedded://${uuid}/keys/a/1\n`,
  ])("has no second spelling: %j", (text) => {
    expect(parseReference(text)).toBeNull();
  });

  it("any text is the one spelling of a reference, or none", () => {
    fc.assert(
      fc.property(fc.string(), (any) => {
        const text = `embedded://${uuid}/keys/${any}`;
        const parsed = parseReference(text);
        if (parsed !== null) expect(formatReference(parsed)).toBe(text);
      }),
    );
  });

  it.each(["", "a\nb", "a\0", "\u007f", "\ud800", "x".repeat(256), "é".repeat(128)])(
    "no object is named %j",
    (name) => {
      expect(() => {
        assertObjectName(name);
      }).toThrow(KeyctlError);
    },
  );

  it.each(["a", "PHI_DATA", "a/b", "x".repeat(255), "漢字 🔑"])("an object may be named %j", (name) => {
    expect(() => {
      assertObjectName(name);
    }).not.toThrow();
  });
});

describe("an authenticated list of fields", () => {
  it("has a known form: u32 length and bytes, null as ffffffff", () => {
    const bytes = encodeFields(["ab", 7, null, true, new Uint8Array([0, 255]), ""]);
    expect(bytes.toString("hex")).toBe("0000000261620000000137ffffffff00000004747275650000000200ff00000000");
  });

  it("two different lists of text never give the same bytes", () => {
    const list = fc.array(fc.oneof(fc.string(), fc.constant(null)), { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (one: Field[], other: Field[]) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(encodeFields(one).equals(encodeFields(other))).toBe(same);
      }),
    );
  });
});

describe("a failure of SQLite or the file system", () => {
  it.each([
    ["SQLITE_BUSY", "unavailable", true],
    ["SQLITE_BUSY_SNAPSHOT", "unavailable", true],
    ["SQLITE_LOCKED", "unavailable", true],
    ["SQLITE_FULL", "unavailable", false],
    ["ENOSPC", "unavailable", false],
    ["EDQUOT", "unavailable", false],
    ["SQLITE_READONLY_DIRECTORY", "unavailable", false],
    ["EACCES", "unavailable", false],
    ["EROFS", "unavailable", false],
    ["SQLITE_CANTOPEN", "unavailable", false],
    ["ENOTDIR", "unavailable", false],
    ["SQLITE_IOERR_WRITE", "unavailable", false],
    ["EIO", "unavailable", false],
    ["SQLITE_IOERR_SHORT_READ", "integrity", false],
    ["SQLITE_CORRUPT_INDEX", "integrity", false],
    ["SQLITE_NOTADB", "integrity", false],
    ["SQLITE_ERROR", "integrity", false],
    ["SQLITE_CONSTRAINT_UNIQUE", "integrity", false],
    ["SQLITE_NEVER_HEARD_OF", "failure", false],
    ["ERR_SOMETHING", "failure", false],
  ])("%s becomes %s", (code, expected, retryable) => {
    const driverText = "UNIQUE constraint failed: canary";
    const error = vaultFailure(new Sqlite.SqliteError(driverText, code), "/home/x/vault.db");
    expect(error).toMatchObject({ code: expected, retryable });
    expect(error.message).toContain("/home/x/vault.db");
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("canary");
  });

  it.each([new TypeError("no code"), "text", null, undefined, { code: 5 }])(
    "%j without a code is a failure",
    (thrown) => {
      expect(vaultFailure(thrown, "/v").code).toBe("failure");
    },
  );

  it("our own errors pass as they are", () => {
    const error = new KeyctlError("not-found", "no such thing");
    expect(vaultFailure(error, "/v")).toBe(error);
  });
});

describe("a row", () => {
  const bytes = new Uint8Array(16);
  const header = {
    uuid,
    created_at: 1,
    unlock_method: "file",
    unlock_parameters: "",
    key_check: bytes,
    generation: 0,
    mac: bytes,
  };
  const object = { id: 1, kind: "keys", name: "a", type: "p-256", deleted_at: null };
  const version = {
    id: 1,
    object_id: 1,
    version: 1,
    generation: 1,
    enabled: 1,
    created_at: 1,
    tags: "[]",
    tag: bytes,
  };

  it("is taken when every cell is of its kind", () => {
    expect(parseHeaderRow(header)?.uuid).toBe(uuid);
    expect(parseObjectRow({ ...object, deleted_at: 5 })?.deletedAt).toBe(5);
    expect(parseVersionRow({ ...version, enabled: 0 })?.enabled).toBe(false);
  });

  it("is refused when any cell is of another kind", () => {
    const others = [null, -1, 1.5, 2 ** 60, "\u0000", bytes, undefined];
    const parsers = [
      [parseHeaderRow, header],
      [parseObjectRow, object],
      [parseVersionRow, version],
    ] as const;
    for (const [parse, good] of parsers) {
      for (const thing of [null, undefined, "row", 5]) expect(parse(thing)).toBeNull();
      for (const [cell, value] of Object.entries(good)) {
        const kind = value === null ? "number" : typeof value;
        for (const other of others) {
          if (other === value || (typeof other === kind && cell !== "uuid" && kind !== "number")) continue;
          expect(parse({ ...good, [cell]: other }), `${cell} ${inspect(other)}`).toBeNull();
        }
      }
    }
  });

  it("keeps tags in one form whatever their order, and gives them back", () => {
    expect(formatTags({ b: "2", a: "1" })).toBe('[["a","1"],["b","2"]]');
    expect(formatTags({ a: "1", b: "2" })).toBe('[["a","1"],["b","2"]]');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (tags) => {
        expect(parseTags(formatTags(tags))).toEqual(tags);
      }),
    );
    expect(parseTags("{}")).toEqual({});
  });
});

describe("a new file in its place", () => {
  it("is private, whole, and never put over another", async () => {
    const { path } = newPlace();
    const fill = (content: string) => async (temporaryPath: string) =>
      await writeFile(temporaryPath, content);
    expect(await placeNewFile(path, random, fill("first"))).toBe(true);
    expect(await placeNewFile(path, random, fill("second"))).toBe(false);
    expect(await readFile(path, "utf8")).toBe("first");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(path))).toEqual([basename(path)]);
  });

  it("leaves nothing behind when it cannot be filled", async () => {
    const { path } = newPlace();
    const failing = placeNewFile(path, random, async () => await Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await readdir(dirname(path))).toEqual([]);
  });
});

describe("a sealed value", () => {
  const keyring = deriveKeyring(createSecretKey(Buffer.alloc(32, 1)), uuid);

  it("has known keys: HKDF-SHA-256 of the unlock key with the uuid as salt", () => {
    const salt = Buffer.from(uuid.replaceAll("-", ""), "hex");
    const expected = hkdfSync("sha256", Buffer.alloc(32, 1), salt, "keyctl/vault/v1/check", 32);
    expect(keyring.check).toEqual(Buffer.from(expected));
    expect(keyring.seal.equals(keyring.row) || keyring.row.equals(keyring.header)).toBe(false);
  });

  it("opens as what it was sealed as, and as nothing else", async () => {
    const place = newPlace();
    const vault = await createIn(place);
    await vault.secrets.put("a", Secret.fromUtf8("value of a"), { tags: { of: "a" } });
    const database = await openSqlite(place.path);
    const { uuid: vaultUuid } = readHeader(database, place.path);
    const unlockKey = await loadUnlockFile(place.options.unlock.keyFile);
    const own = deriveKeyring(unlockKey, vaultUuid);
    const directory = new Directory({ database, path: place.path, keyring: own, random });
    directory.read(() => {
      const object = directory.find("secrets", "a");
      const row = object?.versions[0];
      if (object === null || row === undefined) throw new Error("nothing was stored");
      expect(directory.openVersion(object, row).toString()).toBe("value of a");
      for (const change of [{ kind: "keys" }, { type: "p-256" }, { name: "b" }] as const) {
        const other = { ...object, row: { ...object.row, ...change } };
        expect(() => directory.openVersion(other, row)).toThrow("damaged");
      }
      for (const change of [{ version: 2 }, { generation: 2 }, { createdAt: 0 }, { tags: "[]" }]) {
        expect(() => directory.openVersion(object, { ...row, ...change })).toThrow("damaged");
      }
      expect(() => directory.openVersion(object, { ...row, id: 99 })).toThrow("damaged");
    });
    database.close();
    await vault.close();
  });

  it("never has the same salt, nonce or bytes twice", () => {
    const seal = (): SealedValue =>
      sealValue(keyring, { plaintext: Buffer.from("same"), context: ["same"], random });
    const [one, other] = [seal(), seal()];
    for (const part of ["salt", "nonce", "tag", "sealed"] as const)
      expect(one[part]).not.toEqual(other[part]);
    expect([one.salt.length, one.nonce.length, one.tag.length]).toEqual([32, 12, 16]);
    expect(openValue(keyring, one, ["same"])?.toString()).toBe("same");
    expect(openValue(keyring, { ...one, tag: one.tag.subarray(0, 12) }, ["same"])).toBeNull();
  });
});
