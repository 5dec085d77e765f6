import { isDeepStrictEqual } from "node:util";
import { parseEntry } from "../audit/entry.ts";
import type { JsonValue } from "../core/canonical-json.ts";
import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import type { KeyWithVersions } from "../core/transition.ts";
import type { Deps } from "./deps.ts";
import { assertGenuine, carriesMac } from "./mac-versions.ts";
import type { AuditRow, Revocation } from "./ports.ts";
import { rowDigest } from "./write-revoke.ts";

/** An object of an entry, not looked into yet. */
type Logged = Readonly<Record<string, JsonValue>>;

/** What the audit entry of a revoke kept of each row, and where it stands in the log; `integrity` when there is none. */
export async function revokedRows(
  deps: Pick<Deps, "store">,
  key: KeyRecord,
  revocation: Revocation,
): Promise<{ rows: Logged; seq: number }> {
  const query = {
    log: key.tenantId,
    keyId: key.id,
    operation: "key.revoke",
    operationId: revocation.operationId,
  };
  for await (const row of deps.store.auditEntries(query)) {
    const rows = rowsOf(row);
    if (rows !== null) return { rows, seq: row.seq };
  }
  throw new KeyctlError("integrity", "the audit log has no entry of this revoke", {
    hint: "keyctl audit-verify",
  });
}

/**
 * The key as it was when entry `seq` was written: what was updated since is in the log, field by field. Null when it is not
 * as the updates left it.
 */
export async function keyBefore(
  deps: Pick<Deps, "store">,
  key: KeyRecord,
  seq: number,
): Promise<KeyRecord | null> {
  const query = { log: key.tenantId, keyId: key.id, operation: "key.update", fromSeq: seq + 1 };
  let then = key;
  for await (const row of deps.store.auditEntries({ ...query, newestFirst: true })) {
    const { before, after } = parseEntry(row.bytes);
    if (!isJsonObject(before) || !isJsonObject(after)) continue;
    if (!isDeepStrictEqual(then, { ...then, ...macFieldsOf(after) })) return null;
    then = { ...then, ...macFieldsOf(before) };
  }
  return then;
}

/** The fields of a key that its rows' MACs cover and an update can change. */
function macFieldsOf(logged: Logged): Partial<KeyRecord> {
  const { owner, tier, scopes, authorizedServices } = logged;
  return {
    ...(typeof owner === "string" ? { owner } : {}),
    ...(typeof tier === "string" ? { tier } : {}),
    ...(isTextList(scopes) ? { scopes } : {}),
    ...(isTextList(authorizedServices) ? { authorizedServices } : {}),
  };
}

function isTextList(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function rowsOf({ bytes }: AuditRow): Logged | null {
  const { after } = parseEntry(bytes);
  const rows = isJsonObject(after) ? after["rows"] : null;
  return isJsonObject(rows) ? rows : null;
}

/**
 * Refuses (`integrity`) to make a new version of a key whose owner, scopes or the like were changed behind keyctl: the new
 * row's MAC would make that change ours. Its rows bear witness by their MACs; when all are revoked, the log does, by what it
 * kept of a row then. A key none of whose versions was ever accepted has nothing to bear witness.
 */
export async function assertKeyGenuine(
  deps: Pick<Deps, "store" | "keyring">,
  { key, versions }: KeyWithVersions,
): Promise<void> {
  const active = versions.filter(({ state }) => state === "active");
  const bearing = active.length > 0 ? active : versions.filter(carriesMac);
  if (bearing.length > 0) return await assertGenuine(deps.keyring, key, bearing);
  const query = { log: key.tenantId, keyId: key.id, operation: "key.revoke", newestFirst: true };
  for await (const row of deps.store.auditEntries(query)) {
    const [kept] = Object.entries(rowsOf(row) ?? {});
    if (kept === undefined) continue;
    const [number, digest] = kept;
    const version = versions.find((candidate) => String(candidate.version) === number);
    const then = await keyBefore(deps, key, row.seq);
    if (version === undefined || then === null || rowDigest(then, version) !== digest)
      throw changedBehind(key, Number(number));
    return;
  }
}

function changedBehind(key: KeyRecord, version: number): KeyctlError {
  return new KeyctlError(
    "integrity",
    `the row of version ${version} of ${key.name} was changed behind keyctl: nothing is built on it`,
    { hint: `keyctl show ${key.env}/${key.name}; a new key, or this one after delete --purge, replaces it` },
  );
}

function isJsonObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
