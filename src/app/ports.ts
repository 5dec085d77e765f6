/**
 * Everything the use cases need from outside. A use case names only what it uses; adapters implement these shapes.
 * All failures are `KeyctlError`; an adapter never lets a driver's or SDK's error out.
 */
import type {
  Actor,
  KeyKind,
  KeyRecord,
  KeyState,
  Membership,
  RevokeReason,
  Role,
  Severity,
  Tenant,
} from "../core/model.ts";
import type { VersionRecord, VersionState, WrappedKey } from "../core/model.ts";
import type { KeyCondition, VersionCondition } from "../core/key-health.ts";
import type { OperationKind, OperationStep } from "../core/operation.ts";
import type { Secret } from "../core/secret.ts";

export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
}

export interface Random {
  /** `count` bytes from a cryptographically secure source. */
  bytes(count: number): Uint8Array;
}

/** Which process holds an operation; enough to tell a live owner from a dead one, also after a reboot or a reused pid. */
export interface ProcessIdentity {
  boot: string;
  pid: number;
  startedAt: string;
}

export interface ProcessTable {
  current(): ProcessIdentity;
  isAlive(process: ProcessIdentity): boolean;
}

// ---------------------------------------------------------------------------------------------------------- vault

export interface VaultVersion {
  /** Versioned URL; what the store keeps. */
  reference: string;
  name: string;
  enabled: boolean;
  createdAt: number;
  tags: Record<string, string>;
}

export type VaultKeyType = "rsa-3072" | "p-256";

export interface VaultKeys {
  /** Makes version 1 of a new name; `conflict` when the name exists. */
  create(name: string, options: { type: VaultKeyType; tags: Record<string, string> }): Promise<VaultVersion>;
  /** Makes the next version of an existing name, same type; `not-found` when there is none. */
  rotate(name: string, options: { tags: Record<string, string> }): Promise<VaultVersion>;
  /** Wraps a 32-byte DEK, never anything else. */
  wrap(reference: string, dek: Secret): Promise<{ algorithm: "RSA-OAEP-256"; wrapped: Uint8Array }>;
  /** `refused` for a disabled version, `integrity` when the bytes were not wrapped by it. */
  unwrap(reference: string, wrapped: { algorithm: string; wrapped: Uint8Array }): Promise<Secret>;
  /** ES256 over the message (SHA-256, then ECDSA on P-256; RFC 7518 §3.4); the answer is r‖s, 64 bytes. */
  sign(reference: string, message: Uint8Array): Promise<Uint8Array>;
  /** SubjectPublicKeyInfo, DER. */
  publicKey(reference: string): Promise<Uint8Array>;
  disable(reference: string): Promise<void>;
  enable(reference: string): Promise<void>;
  /** Every version of a name in no promised order; empty when the name is unknown. */
  versions(name: string): Promise<VaultVersion[]>;
  /** Takes a name and all its versions away for good; it is free again. `not-found` when there is none. */
  purge(name: string): Promise<void>;
}

export interface VaultSecrets {
  /** Makes the next version (the first when the name is new). */
  put(name: string, value: Secret, options: { tags: Record<string, string> }): Promise<VaultVersion>;
  /** One version's value; `refused` when it is disabled, `not-found` when there is none. */
  get(reference: string): Promise<Secret>;
  versions(name: string): Promise<VaultVersion[]>;
  disable(reference: string): Promise<void>;
  enable(reference: string): Promise<void>;
  /** Soft delete of the whole name. */
  delete(name: string): Promise<void>;
  recover(name: string): Promise<void>;
  /** Takes a name and all its versions away for good, deleted before or not; it is free again. `not-found` when there is none. */
  purge(name: string): Promise<void>;
}

export interface VaultCapabilities {
  /** What can be disabled by itself. */
  disable: { keys: "version" | "key" | "none"; secrets: "version" | "key" | "none" };
}

export interface Vault {
  /** The profile's vault, for messages. */
  readonly url: string;
  readonly capabilities: VaultCapabilities;
  readonly keys: VaultKeys;
  readonly secrets: VaultSecrets;
  /** True when the reference points into this vault and, with `name`, to a version of that object. */
  owns(reference: string, name?: string): boolean;
  /** A counter raised by every write, where the vault has one; an older copy put back shows a smaller number. */
  generation(): Promise<number | null>;
  close(): Promise<void>;
}

/** A vault as its file was a moment ago: what would write is refused. */
export interface VaultLook {
  vault: Vault;
  unlockedBy: "file" | "passphrase";
}

// ---------------------------------------------------------------------------------------------------------- store

/** Where a root secret or root key of this store lives in the vault. */
export type RootRole = "pepper" | "k-auth" | "kek" | "checkpoint-key";

export interface RootReference {
  role: RootRole;
  /** 1, 2, 3 … per role. */
  version: number;
  reference: string;
  createdAt: number;
  lastAccessedAt: number | null;
}

export interface StoreMeta {
  uuid: string;
  createdAt: number;
  schemaVersion: number;
  /** The largest vault generation seen; null before the first vault write. */
  vaultGeneration: number | null;
  /** When maintenance (`reconcile --fix`) last ran through. */
  maintainedAt: number | null;
}

export interface KeyFilter {
  kind?: KeyKind;
  type?: string;
  /** Without it: every state but deleted. `expired` includes what is past its expiry and not yet written so. */
  state?: KeyState;
  owner?: string;
  /** Only of these owners, whatever else is asked for: what a role may see. */
  ownedBy?: string[];
  /** All must match. */
  tags?: Record<string, string>;
  provider?: string;
  /** Expires at or before this moment (and is not expired yet at `now`). */
  expiringBefore?: number;
  /** Not used since this moment (never used counts from creation). */
  unusedSince?: number;
}

export interface KeyPage {
  tenantId: string;
  /** null: every environment of the tenant. */
  env: string | null;
  filter: KeyFilter;
  /** For states that time changes (`expired`). */
  now: number;
  limit: number;
  /** The last key of the former page, by its sort position: (name without case, id). */
  after: { name: string; id: string } | null;
}

/** Whose keys are asked for, at which moment: a tenant's in every environment, or only those of some owners in it. */
export interface KeyScope {
  tenantId: string;
  ownedBy: readonly string[] | null;
  now: number;
}

/** Which keys a bulk revoke means; every given field must match, deleted keys are left out. */
export interface BulkSelector {
  tenantId?: string;
  owner?: string;
  tags?: Record<string, string>;
  provider?: string;
}

export interface KeyWithVersion {
  key: KeyRecord;
  version: VersionRecord;
}

export interface LeakTag {
  /** 32 bytes */
  tag: Uint8Array;
  tenantId: string;
  keyId: string;
  version: number;
  pepperVersion: number;
  /** Of the exact bytes handed out. */
  byteLength: number;
  /** Rolling hash of the 16-byte window, mod 2^32. */
  rollingHash: number;
}

export interface Operation {
  id: string;
  tenantId: string;
  keyId: string;
  kind: OperationKind;
  /** The version it makes or points to. */
  version: number;
  /** The last step that is done. */
  step: OperationStep;
  status: "open" | "done" | "superseded" | "abandoned";
  expectedRevision: number;
  expectedActive: number | null;
  actorId: string;
  correlationId: string;
  owner: ProcessIdentity;
  createdAt: number;
  updatedAt: number;
  /** Grace, flags and the like, as the steps need them after a crash; never a secret. */
  input: Record<string, string | number | boolean | null>;
}

export interface IdempotentRequest {
  tenantId: string;
  actorId: string;
  verb: string;
  key: string;
  /** HMAC (Ki) or, for revoke, SHA-256 of the canonical request. */
  requestHash: Uint8Array;
  operationId: string;
  /** Ids of what was touched; the answer is made again from the store. */
  keyIds: string[];
  version: number | null;
  createdAt: number;
}

/**
 * What must still be told to the vault, at least once. `sweep` disables what a given-up operation left in the vault, `purge`
 * takes a purged key's object away: the reference of both is the vault object's name.
 */
export interface OutboxItem {
  id: string;
  tenantId: string;
  keyId: string;
  version: number;
  task: "disable-secret" | "disable-key" | "sweep-secret" | "sweep-key" | "purge-secret" | "purge-key";
  reference: string;
  operationId: string;
  notBefore: number;
  attempts: number;
  createdAt: number;
  doneAt: number | null;
}

export interface Revocation {
  id: string;
  tenantId: string;
  keyId: string;
  operationId: string;
  /** null: every version. */
  version: number | null;
  reason: RevokeReason;
  severity: Severity | null;
  revokedAt: number;
  undoUntil: number | null;
  undoneAt: number | null;
  /** Provider keys: whether the provider itself was told. */
  upstream: "open" | "done" | null;
  upstreamUrl: string | null;
}

export interface VersionPatch {
  keyId: string;
  version: number;
  /** Compare-and-set: the update counts only while the row is in this state. */
  from: VersionState;
  set: Partial<Omit<VersionRecord, "keyId" | "version">>;
}

/** One UPDATE over many keys: every version in a state of `from` gets state `to` and loses its row MAC. */
export interface BulkDenial {
  keyIds: string[];
  /** null: all versions. */
  version: number | null;
  from: VersionState[];
  to: "revoked" | "compromised";
  reason: RevokeReason;
  at: number;
}

export interface AuditAppend {
  /** The exact bytes before and after the decimal sequence number. */
  head: Uint8Array;
  tail: Uint8Array;
  /** Copies of fields for indexed queries; the bytes alone are the record. */
  ts: number;
  operation: string;
  outcome: string;
  sensitivity: string;
  actorId: string;
  keyId: string | null;
  operationId: string | null;
  /** Kept beside the log, erasable. */
  personal: { field: string; salt: Uint8Array; value: string }[];
}

export interface AuditRow {
  seq: number;
  /** The exact bytes. */
  bytes: Uint8Array;
  /** 32 bytes, as computed when it was appended. */
  leaf: Uint8Array;
}

export interface AuditQuery {
  log: string;
  /** First sequence number wanted; 0 by default. */
  fromSeq?: number;
  /** Only entries before this one. */
  toSeq?: number;
  since?: number;
  until?: number;
  actorId?: string;
  keyId?: string;
  operation?: string;
  operationId?: string;
  /** Only what did not succeed: denied, failed. */
  notDone?: boolean;
  newestFirst?: boolean;
  limit?: number;
}

export interface AuditHead {
  /** Number of entries. */
  size: number;
  /** The tree's compact range, as `audit/merkle.ts` serialises it. */
  frontier: Uint8Array;
}

export interface StoredCheckpoint {
  log: string;
  size: number;
  /** The whole signed note. */
  note: string;
  createdAt: number;
}

/** One accepted validation by the library. */
export interface UsageEvent {
  keyId: string;
  version: number;
  at: number;
  /** As the caller named the request. */
  requestId: string | null;
}

/** A data key that was wrapped; the key itself is nowhere in the store. */
export interface DataKeyRecord {
  id: string;
  tenantId: string;
  /** The encryption key, and the version that wrapped it. */
  keyId: string;
  version: number;
  createdAt: number;
}

export interface StoreReader {
  meta(): Promise<StoreMeta>;

  tenants(): Promise<Tenant[]>;
  tenantByName(name: string): Promise<Tenant | null>;
  actors(): Promise<Actor[]>;
  actorByLogin(login: string): Promise<Actor | null>;
  actorById(id: string): Promise<Actor | null>;
  roleOf(actorId: string, tenantId: string): Promise<Role | null>;
  /** Roles of one actor, in one tenant, or all; by tenant and actor. */
  memberships(filter: { actorId?: string; tenantId?: string }): Promise<Membership[]>;

  keyById(id: string): Promise<KeyRecord | null>;
  /** Names are compared without case. */
  keyByName(place: { tenantId: string; env: string; name: string }): Promise<KeyRecord | null>;
  /** Keys of one name in all environments, purged ones left out; up to `limit`. */
  keysNamed(named: { tenantId: string; name: string; limit: number }): Promise<KeyRecord[]>;
  keysByIds(ids: string[]): Promise<KeyRecord[]>;
  /** Sorted by name without case, then id. */
  listKeys(page: KeyPage): Promise<KeyRecord[]>;
  /** Ids of the keys that a bulk revoke means, sorted. */
  selectKeyIds(selector: BulkSelector): Promise<string[]>;
  /** Ascending by version. */
  versions(keyId: string): Promise<VersionRecord[]>;
  /** Ascending by key id and version. */
  versionsOfKeys(keyIds: string[]): Promise<VersionRecord[]>;
  versionByPublicId(publicId: string): Promise<KeyWithVersion | null>;
  wrappedKeys(keyId: string, version: number): Promise<WrappedKey[]>;
  /** Versions of these tenants whose expiry passed at `now` and is not yet written so (no transition ends a grace), up to `limit`. */
  overdueVersions(now: number, limit: number, tenantIds: readonly string[]): Promise<KeyWithVersion[]>;

  rootReferences(role: RootRole): Promise<RootReference[]>;
  leakTagsOf(keyId: string): Promise<LeakTag[]>;
  matchLeakTag(tag: Uint8Array): Promise<LeakTag | null>;
  /** Every tag of a tenant, streamed. */
  leakTags(tenantId: string): AsyncIterable<LeakTag>;

  operationById(id: string): Promise<Operation | null>;
  openOperationOf(keyId: string): Promise<Operation | null>;
  openOperations(): Promise<Operation[]>;
  idempotentRequest(id: {
    tenantId: string;
    actorId: string;
    verb: string;
    key: string;
  }): Promise<IdempotentRequest | null>;
  /** Not done yet; of one key, of some tenants, or all. Oldest first. */
  outbox(filter: {
    keyId?: string;
    tenantIds?: readonly string[];
    dueAt?: number;
    limit: number;
  }): Promise<OutboxItem[]>;
  outboxOfOperation(operationId: string): Promise<OutboxItem[]>;
  /** Newest first. */
  revocations(keyId: string): Promise<Revocation[]>;
  revocationsOfOperation(operationId: string): Promise<Revocation[]>;
  /** Provider revocations whose upstream is still open. */
  openUpstreams(tenantId: string): Promise<Revocation[]>;

  auditLogs(): Promise<string[]>;
  auditHead(log: string): Promise<AuditHead>;
  /** Streams in sequence order (or newest first), page by page, never all at once. */
  auditEntries(query: AuditQuery): AsyncIterable<AuditRow>;
  auditPersonal(log: string, seq: number): Promise<{ field: string; salt: Uint8Array; value: string }[]>;
  /** What is kept beside an actor's entries of one log: how many fields, beside how many entries. */
  countPersonal(of: { log: string; actorId: string }): Promise<{ entries: number; fields: number }>;
  /** Ascending by size. */
  checkpoints(log: string): Promise<StoredCheckpoint[]>;
  newestCheckpoint(log: string): Promise<StoredCheckpoint | null>;

  /** Keys in a condition, the most pressing first. */
  keysInCondition(scope: KeyScope, condition: KeyCondition, limit: number): Promise<KeyRecord[]>;
  /** How many there are; counting ends at `max`. */
  countKeys(scope: KeyScope, condition: KeyCondition, max: number): Promise<number>;
  /** Keys by kind and state, purged ones left out; each count ends at `max`, and none is 0. */
  keyTotals(scope: KeyScope, max: number): Promise<{ kind: KeyKind; state: KeyState; count: number }[]>;
  /** Versions in a condition, with their keys; versions of deleted keys are left out. The most pressing first. */
  versionsInCondition(scope: KeyScope, condition: VersionCondition, limit: number): Promise<KeyWithVersion[]>;
  countVersions(scope: KeyScope, condition: VersionCondition, max: number): Promise<number>;
  /** Tasks of a tenant that are due, or were tried in vain. */
  dueOutbox(due: { tenantId: string; now: number; limit: number }): Promise<OutboxItem[]>;
  /** Entries of what did not succeed since a moment, newest first. */
  refusals(of: { log: string; since: number; limit: number }): Promise<AuditRow[]>;
  countRefusals(of: { log: string; since: number; max: number }): Promise<number>;

  /** The validations that one `usage.batch` entry counts, in the order in which it hashes them. */
  usageEvents(batch: { log: string; seq: number }): Promise<UsageEvent[]>;
  /** How many data keys a version wrapped. */
  countDataKeys(of: { keyId: string; version: number }): Promise<number>;
}

export interface StoreTransaction extends StoreReader {
  insertTenant(tenant: Tenant): Promise<void>;
  insertActor(actor: Actor): Promise<void>;
  /** `conflict` when the actor has a role in the tenant. */
  insertMembership(membership: Membership): Promise<void>;
  /** False when there was none. */
  removeMembership(membership: { actorId: string; tenantId: string }): Promise<boolean>;
  /** False when it is deleted already. */
  deleteTenant(id: string, at: number): Promise<boolean>;

  /** `conflict` when the name is taken. */
  insertKey(key: KeyRecord): Promise<void>;
  /** Compare-and-set on revision: writes the whole record where the stored revision is `expectedRevision`; false when it is not. */
  updateKey(key: KeyRecord, expectedRevision: number): Promise<boolean>;
  insertVersion(version: VersionRecord): Promise<void>;
  /** False when the row is no longer in state `from`. */
  updateVersion(patch: VersionPatch): Promise<boolean>;
  /** One statement; answers the versions it changed, with the state each had before. */
  denyVersions(denial: BulkDenial): Promise<{ keyId: string; version: number; from: VersionState }[]>;
  /** One statement, for keys all of whose versions were denied: sets state, pointer and expiry, raises each revision by one. */
  denyKeys(denial: { keyIds: string[]; state: KeyState; updatedAt: number }): Promise<void>;
  insertWrappedKey(wrapped: WrappedKey): Promise<void>;
  /** Takes away where a key's values lie: the wraps of its data keys, and its vault references. */
  eraseValues(keyId: string): Promise<void>;
  /** Notes a use, and with `seenAt` that a person saw the value. Times only grow. */
  touchVersion(touch: { keyId: string; version: number; lastUsedAt: number; seenAt?: number }): Promise<void>;

  insertRootReference(root: Omit<RootReference, "lastAccessedAt">): Promise<void>;
  touchReference(reference: string, at: number): Promise<void>;
  /** Keeps the largest. */
  rememberVaultGeneration(generation: number): Promise<void>;
  /** Sets it, also to less: somebody decided to go on with an older vault. */
  acceptVaultGeneration(generation: number): Promise<void>;
  recordMaintenance(at: number): Promise<void>;
  insertLeakTag(tag: LeakTag): Promise<void>;

  /** `conflict` when the key has an open operation. */
  insertOperation(operation: Operation): Promise<void>;
  /** Compare-and-set on owner and step while open; false when somebody else took it or it was superseded. */
  advanceOperation(change: {
    id: string;
    owner: ProcessIdentity;
    from: OperationStep;
    to: OperationStep;
    status: Operation["status"];
    at: number;
    /** Replaces the operation's input when given. */
    input?: Operation["input"];
  }): Promise<boolean>;
  /** Takes a dead owner's operation; false when another was faster. */
  takeOperation(change: {
    id: string;
    from: ProcessIdentity;
    to: ProcessIdentity;
    at: number;
  }): Promise<boolean>;
  /** Marks open operations of these keys; answers which. */
  closeOperations(change: {
    keyIds: string[];
    status: "superseded" | "abandoned";
    at: number;
  }): Promise<Operation[]>;
  insertIdempotentRequest(request: IdempotentRequest): Promise<void>;
  purgeIdempotentRequests(before: number): Promise<number>;
  insertOutbox(items: OutboxItem[]): Promise<void>;
  finishOutbox(id: string, at: number): Promise<void>;
  /** One more failed attempt; tried again at `notBefore`. */
  deferOutbox(id: string, notBefore: number): Promise<void>;
  /** Cancels what has not been done for this version and task. */
  cancelOutbox(what: { keyId: string; version: number; task: OutboxItem["task"]; at: number }): Promise<void>;
  insertRevocations(revocations: Revocation[]): Promise<void>;
  updateRevocation(id: string, set: Partial<Pick<Revocation, "undoneAt" | "upstream">>): Promise<void>;

  /** Appends in order to one log; gap-free; answers the first sequence number. */
  appendAudit(log: string, entries: AuditAppend[]): Promise<number>;
  insertCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
  /** The validations that entry `seq` of `log` counts. */
  insertUsage(batch: { log: string; seq: number; events: readonly UsageEvent[] }): Promise<void>;
  insertDataKey(dataKey: DataKeyRecord): Promise<void>;
  /** Takes salts and values from beside an actor's entries of one log; answers how many fields. The entries stay as they are. */
  erasePersonal(of: { log: string; actorId: string }): Promise<number>;
}

export interface Store extends StoreReader {
  /** Where it is, for messages: `sqlite:/path`; no password. */
  readonly url: string;
  /** All or nothing; nothing in it may wait for a network. A throw rolls back. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  /**
   * Makes sure that erased personal data stands in none of the database's files any more. False while another process still
   * reads an older state: then some may be left until it is called again. Writes all personal data that is left anew.
   */
  scrub(): Promise<boolean>;
  close(): Promise<void>;
}

/** A store as its file was a moment ago, read without touching it. */
export interface StoreLook {
  schema: {
    found: number;
    /** What this release writes. */
    known: number;
  };
  /** `integrity` when the database's own quick check finds damage. */
  assertSound(): void;
  /** What is in it; null when its schema is not this release's. */
  reader: StoreReader | null;
  close(): Promise<void>;
}

/** How the store hashes what it appends; given by `audit/merkle.ts`, so that the log has one implementation. */
export interface AuditTree {
  leafHash(bytes: Uint8Array): Uint8Array;
  /** The serialised frontier after one more leaf; an empty array is the empty tree. */
  append(frontier: Uint8Array, leaf: Uint8Array): Uint8Array;
}

// ------------------------------------------------------------------------------------------------------- programs

/** Takes what a program writes, as fast as it can; a reader that returns early lets the program's next write fail. */
export type OutputReader = (chunks: AsyncIterable<Uint8Array>) => Promise<void>;

export interface ProgramCall {
  /** Looked up on the PATH of `env` unless it has a slash. */
  program: string;
  args: readonly string[];
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** Who reads its output; null: it writes where this process does. */
  read: { stdout: OutputReader; stderr: OutputReader } | null;
  /** It shares a terminal with this process, which sends Ctrl-C to both: these signals are not passed on. */
  onTerminal: boolean;
  /** The last moment before it starts: from here on signals are passed on. What it throws keeps the program from starting. */
  starting: () => void;
}

/** How a program ended, or why it never began. */
export type ProgramEnd = { status: number } | { notStarted: "not-found" | "not-executable" | "too-large" };

export interface Programs {
  /**
   * Runs a program to its end: stdin is this process's, signals that this process gets are passed on. The status is the
   * program's own, or 128 and the number of the signal that ended it.
   */
  run(call: ProgramCall): Promise<ProgramEnd>;
}

// ---------------------------------------------------------------------------------------------------------- files

export interface PrivateFiles {
  /** 0600, by temp file, fsync and rename; a failure leaves nothing behind. */
  writePrivate(path: string, content: AsyncIterable<Uint8Array> | Uint8Array): Promise<void>;
  /** A new folder, 0700, that appears whole or not at all; `conflict` when the path exists. */
  writeFolder(path: string, fill: (write: WriteFile) => Promise<void>): Promise<void>;
  exists(path: string): Promise<boolean>;
}

/** Writes one file of a folder that is being made; answers the SHA-256 of what it wrote. */
export type WriteFile = (
  name: string,
  content: AsyncIterable<Uint8Array> | Uint8Array,
) => Promise<Uint8Array>;

/** The largest checkpoint this client has seen of each log, by origin. */
export interface CheckpointMemory {
  recall(origin: string): Promise<string | null>;
  remember(origin: string, note: string): Promise<void>;
}

/** What the system says of a path; of a link, what it says of where the link leads. */
export interface FileFacts {
  kind: "file" | "folder" | "other";
  isLink: boolean;
  /** Permission bits, with the sticky bit. */
  mode: number;
  uid: number;
  bytes: number;
}

export interface Volume {
  /** A file system on which locks of other machines cannot be trusted (`nfs`, `smb`); null for the others. */
  remote: string | null;
  freeBytes: number;
}

/** Reads of the file system that change nothing; `unavailable` where the system does not let us look. */
export interface FileInspector {
  /** Null when nothing is there. */
  facts(path: string): Promise<FileFacts | null>;
  /** What a folder holds; empty when it is not there. */
  names(folder: string): Promise<string[]>;
  /** Without links. */
  realPath(path: string): Promise<string>;
  /** The first bytes of a file. */
  head(path: string, bytesMax: number): Promise<Uint8Array>;
  /** Where a path that is there lies. */
  volume(path: string): Promise<Volume>;
}

/** One profile of the user's file. */
export interface ListedProfile {
  name: string;
  /** The one that this call would use. */
  isCurrent: boolean;
  /** As URLs, defaults filled in. */
  store: string;
  vault: string;
  auth: string | null;
  tenant: string;
  env: string;
  naming: string;
}
